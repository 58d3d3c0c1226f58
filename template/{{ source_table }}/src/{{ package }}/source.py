"""Where the rows come from: the one place to change for another kind of source."""

import polars as pl

from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on, in whatever types the source has.

    Rows that nobody can train on, such as those without a target, are left out here:

        return scan(params.data.source).filter(pl.col("delay") != "NA").collect()
    """
    return scan(params.data.source).collect()


def scan(path: str) -> pl.LazyFrame:
    """Open a file of rows; `data` and `predict` both read by this function, so that a file means the same to them.

    Polars reads a path, `https://`, `s3://`, `gs://` or `az://`, with credentials from the environment. What a file
    writes otherwise than `schema.py` is changed here, such as days:

        return rows.with_columns(pl.col("day").str.replace_all("/", "-"))
    """
    if path.endswith(".parquet"):
        rows = pl.scan_parquet(path)
    elif path.startswith(("http://", "https://")):  # not every server sends a part of a file
        rows = pl.read_csv(path, infer_schema=False).lazy()
    else:
        rows = pl.scan_csv(path, infer_schema=False)
    return rows
