"""Where the rows come from: the one place to change for another kind of source."""

import polars as pl

from .core.data import sources
from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on, in whatever types the source has.

    Rows that nobody can train on, such as those without a target, are left out here, and a target that the source does
    not have is computed:

        rows = scan(params.data.source, params.data.query).filter(pl.col("delay") != "NA")
        return rows.with_columns(late=pl.col("delay").cast(pl.Float64) > 15).collect()
    """
    return scan(params.data.source, params.data.query).collect()


def scan(source: str, query: str = "") -> pl.LazyFrame:
    """Open files or ask a database; `data` and `predict` both read by this function, so that rows mean the same.

    What a source writes otherwise than `schema.py` is changed here, such as days:

        return sources.scan(source, query).with_columns(pl.col("day").str.replace_all("/", "-"))
    """
    return sources.scan(source, query)
