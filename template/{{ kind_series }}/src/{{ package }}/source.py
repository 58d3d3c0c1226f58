"""Where the rows come from: the one place to change for another kind of source."""

import polars as pl

from .core.data import sources
from .core.data.windows import cut_newest, cut_training, is_cut
from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on: of each series its past at each period, with what came then."""
    return cut_training(sources.scan(params.data.source, params.data.query).collect())


def scan(source: str, query: str = "") -> pl.LazyFrame:
    """Open what `predict` reads: rows as requests carry them, or the long table, of which each series is forecast.

    What a source writes otherwise than `schema.py` is changed here and in `read`, such as days:

        rows = sources.scan(source, query).with_columns(pl.col("day").str.replace_all("/", "-"))
    """
    rows = sources.scan(source, query)
    return rows if is_cut(rows) else cut_newest(rows)
