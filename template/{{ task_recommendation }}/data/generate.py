"""Makes `loans.csv`: the invented loans of an invented library. Run it in this folder: `uv run python generate.py`."""

from datetime import date, timedelta

import numpy as np
import polars as pl

GENRES = ("art", "cooking", "crime", "fantasy", "history", "poetry", "science", "travel")
BOOKS, READERS, DAYS = 30, 1200, 365

rng = np.random.default_rng(2025)
books = [f"{genre}-{number:02}" for genre in GENRES for number in range(1, BOOKS + 1)]
genre_of = np.repeat(np.arange(len(GENRES)), BOOKS)
appeal = rng.permuted(np.tile(1 / np.arange(1, BOOKS + 1) ** 0.7, (len(GENRES), 1)), axis=1).ravel()
# Readers like a few genres, and of each genre one half of the books or the other more.
half_of = np.arange(len(books)) % 2
tastes = rng.dirichlet(np.full(len(GENRES), 0.25), READERS) + 0.01
leanings = rng.choice([0.15, 0.85], (READERS, len(GENRES)))
loans = np.clip(np.round(rng.lognormal(2.3, 0.6, READERS)), 2, 60).astype(int)
rows = []
for reader in range(READERS):
    leaning = leanings[reader, genre_of]
    chance = appeal * tastes[reader, genre_of] * np.where(half_of == 0, leaning, 1 - leaning)
    chosen = rng.permutation(rng.choice(len(books), loans[reader], replace=False, p=chance / chance.sum()))
    days = np.sort(rng.choice(DAYS, loans[reader], replace=False))
    for book, day in zip(chosen, days, strict=True):
        rows.append((f"r{reader:04}", books[book], date(2025, 1, 1) + timedelta(days=int(day))))
pl.DataFrame(rows, schema=["user", "item", "day"], orient="row").write_csv("loans.csv")
