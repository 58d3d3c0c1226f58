"""The first week: an owner's own table, with dates, text, "NA" and no id, and the slips that one makes."""

from __future__ import annotations

import csv
import random
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.proof import tasks
from tests.proof.project import Project, substitute

FLOWERS = '''\
"""The contract."""

from .core.contract.columns import Column, Number

ROW_ID = None
TARGET = "is large"
LABELS = (0, 1)
MISSING = ("", "NA")

INPUTS: tuple[Column, ...] = (Number(name="length"), Number(name="width", nullable=True))
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {}
'''
VISITS = '''\
"""The contract."""

from .core.contract.columns import Category, Column, Date, Number, Text

ROW_ID: str | None = None
TIME = "day"
TARGET = "came"
LABELS = (False, True)

INPUTS: tuple[Column, ...] = (
    Date(name="day"),
    Date(name="booked", nullable=True),
    Text(name="note", nullable=True),
    Category(name="clinic"),
)
FEATURES: tuple[Column, ...] = (
    Category(name="clinic"),
    Number(name="month"),
    Number(name="days ahead"),
    Number(name="words"),
    Category(name="is urgent"),
)
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {"clinic": ()}
'''
WEATHER = '''\
"""The contract."""

from .core.contract.columns import Column, Number

ROW_ID: str | None = None
TIME = "day"
TARGET = "weather"
LABELS = ("fog", "rain", "snow", "sun")
MISSING = ("", "NA")

INPUTS: tuple[Column, ...] = (Number(name="rain"), Number(name="warmth"))
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {}
'''
VISIT_FEATURES = '''\
"""The features."""

import numpy as np

from .core.contract.columns import Columns


def features(columns: Columns) -> Columns:
    """Return the features."""
    ahead = (columns["day"] - columns["booked"]) / np.timedelta64(1, "D")
    urgent = ["yes" if "urgent" in note else "no" for note in columns["note"]]
    return columns | {
        "month": columns["day"].astype("datetime64[M]").astype(np.int64) % 12 + 1.0,
        "days ahead": ahead,
        "words": np.array([len(note.split()) for note in columns["note"]], dtype=np.float64),
        "is urgent": np.array(urgent, dtype=object),
    }
'''
READ = "scan(params.data.source, params.data.query)"


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """Return a copy of the project, to be changed; the tables of these tests have labels."""
    if project.task not in tasks.TABULAR or "\nLABELS = " not in (project.package / "schema.py").read_text("utf-8"):
        pytest.skip("the task is not about tables with labels")
    return project.copy(tmp_path / "copy")


def write(project: Project, rows: list[dict[str, object]]) -> None:
    """Write the project's table."""
    with (project.folder / "data/credit.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def prove(project: Project) -> None:
    """Insist on the project's own checks."""
    for command in ("ruff check", "ruff format --check", "mypy", "pytest -q --no-cov"):
        project.tool("uv", "run", *command.split())


def test_numbers_as_labels_na_for_missing_and_no_id(copy: Project) -> None:
    rng = random.Random(0)
    rows: list[dict[str, object]] = []
    for number in range(400):
        length, width = rng.gauss(5, 1), rng.gauss(3, 1)
        large = int(length + rng.gauss(0, 0.5) > 5)
        rows.append({"length": length, "width": "NA" if number % 9 == 0 else width, "is large": large})
    write(copy, rows)
    (copy.package / "schema.py").write_text(FLOWERS, "utf-8")
    assert copy.json("data") == copy.json("data") | {"rows": 400, "bad": []}
    copy("train")
    copy("promote")
    done = copy.json("predict", "data/credit.csv", "out")
    assert (done["rows"], done["invalid"]) == (400, 0)
    with copy.served() as service:
        (told,) = service.predict([{"length": 9, "width": None}])
        assert told["label"] == "1"
        assert list(told["probabilities"]) == ["0", "1"]
    prove(copy)


def test_dates_free_text_and_the_newest_days(copy: Project) -> None:
    rng = random.Random(0)
    rows: list[dict[str, object]] = []
    for number in range(900):
        day = date(2025, 1, 1) + timedelta(days=number // 3)
        booked = day - timedelta(days=rng.randint(0, 60))
        note = rng.choice(["", "urgent", "a long talk about nothing", "the usual"])
        came = (day - booked).days < 30 + 20 * (note == "urgent") + rng.gauss(0, 5)
        shown = "" if number % 10 == 0 else booked
        rows.append({"day": day, "booked": shown, "note": note, "clinic": rng.choice("ab"), "came": came})
    write(copy, rows)
    (copy.package / "schema.py").write_text(VISITS, "utf-8")
    (copy.package / "features.py").write_text(VISIT_FEATURES, "utf-8")
    copy("pipeline")
    with copy.served() as service:
        request = {"day": "2026-02-01", "booked": "2026-01-30", "note": "urgent", "clinic": "a"}
        soon, late = service.predict([request, request | {"booked": "2025-11-01", "note": None}])
        assert soon["probabilities"]["True"] > late["probabilities"]["True"]
        status, answer = service.post({"instances": [request | {"day": "yesterday"}]})
        assert status == 422, answer
    prove(copy)


def test_days_written_otherwise_and_rows_without_a_target(copy: Project) -> None:
    rng = random.Random(0)
    rows: list[dict[str, object]] = []
    for number in range(900):
        rain, warmth = max(0.0, rng.gauss(0, 3)), rng.gauss(12, 8)
        seen = ("snow" if warmth < 0 else "rain") if rain > 1 else "fog" if warmth < 5 else "sun"
        day = date(2024, 1, 1) + timedelta(days=number)
        rows.append({"day": f"{day:%Y/%m/%d}", "rain": rain, "warmth": warmth, "weather": "NA" if rain > 6 else seen})
    write(copy, rows)
    (copy.package / "schema.py").write_text(WEATHER, "utf-8")
    assert "not a date such as 2026-01-31" in copy("data", code=1).stderr
    rewritten = '    return sources.scan(source, query).with_columns(pl.col("day").str.replace_all("/", "-"))\n'
    substitute(copy.package / "source.py", ("    return sources.scan(source, query)\n", rewritten))
    lacking = sum(row["weather"] == "NA" for row in rows)
    told = copy("data", code=1).stderr
    assert f"{lacking} of 900 rows are bad" in told
    assert re.search("weather .* missing", told), told
    known = '.filter(pl.col("weather") != "NA").collect()\n'
    substitute(
        copy.package / "source.py",
        (f"    return {READ}.collect()\n", f"    return {READ}{known}"),
    )
    assert copy.json("data")["rows"] == 900 - lacking
    copy("train")
    copy("promote")
    done = copy.json("predict", "data/credit.csv", "out")
    assert (done["rows"], done["invalid"]) == (900, 0)
    prove(copy)


SLIPS = [
    ("schema.py", 'str | None = "application_id"', 'str | None = "age"', "INPUTS holds 'age', which is ROW_ID"),
    ("schema.py", '"age": (25.0', '"agee": (25.0', "SLICES names 'agee'"),
    ("schema.py", "] = INPUTS", '] = (*INPUTS, Number(name="ratio"))', "FEATURES holds 'ratio', which features() does"),
    ("schema.py", 'LABELS = ("good", "bad")', "LABELS = ()", "LABELS holds 0 of the at least two"),
    ("schema.py", "minimum=18", "minimun=18", "TypeError: Unexpected keyword argument 'minimun'"),
    ("schema.py", 'LABELS = ("good", "bad")', 'LABELS = ("good", "bad"', "was never closed"),
    ("features.py", "    return columns\n", '    return columns["amuont"]\n', "KeyError: 'amuont'"),
    (
        "source.py",
        f"{READ}.collect()",
        'sqlite3.connect("").execute("SELECT 1 FROM t")',
        "no such table: t",
    ),
    ("source.py", f"{READ}.collect()", READ, "returns a LazyFrame"),
]


def test_a_slip_is_one_sentence_with_its_file_and_line(copy: Project) -> None:
    copy = copy.with_env(PYTHONDONTWRITEBYTECODE=1)  # two slips of one size in one second would share their bytecode
    for name, old, new, sentence in SLIPS:
        path = copy.package / name
        before = path.read_text("utf-8")
        substitute(path, (old, new), *[("import polars", "import sqlite3\n\nimport polars")] * ("sqlite3" in new))
        told = copy.refuses("data")
        assert sentence in told
        assert re.search(rf"{name}:\d+: " if "LazyFrame" not in told else name, told), told
        path.write_text(before, "utf-8")
    copy("data")


def test_a_column_that_the_data_lack_is_one_sentence(copy: Project) -> None:
    renamed = [('name="age"', 'name="Age"'), ('"age": (25.0', '"Age": (25.0'), ('"age")', '"Age")')]
    substitute(copy.package / "schema.py", *renamed)
    assert "the data has no column Age, which schema.py names; did you mean 'age'?" in copy.refuses("data")
