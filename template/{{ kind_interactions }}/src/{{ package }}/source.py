"""Where the rows come from: the one place to change for another kind of source."""

import polars as pl

from .core.data import sources
from .core.data.histories import cut_newest, cut_training, is_cut
from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on: each user's history, with the items that came next."""
    return cut_training(sources.scan(params.data.source, params.data.query).collect())


def scan(source: str, query: str = "") -> pl.LazyFrame:
    """Open what `predict` reads: rows as requests carry them, or interactions, of which each user gets an answer.

    What a source writes otherwise than `schema.py` is changed here and in `read`, such as items with spaces:

        rows = sources.scan(source, query).with_columns(pl.col("item").str.replace_all(" ", "_"))
    """
    rows = sources.scan(source, query)
    return rows if is_cut(rows) else cut_newest(rows)
