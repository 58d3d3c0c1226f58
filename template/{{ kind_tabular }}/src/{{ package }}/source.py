"""Where the rows come from: the one place to change for another kind of source."""

import polars as pl

from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on, in whatever types the source has."""
    return scan(params.data.source).collect()


def scan(path: str) -> pl.LazyFrame:
    """Open a file of rows; `data` and `predict` both read by this function, so that a file means the same to them.

    Polars reads a path, `https://`, `s3://`, `gs://` or `az://`, with credentials from the environment.
    """
    if path.endswith(".parquet"):
        return pl.scan_parquet(path)
    if path.startswith(("http://", "https://")):  # not every server sends a part of a file
        return pl.read_csv(path, infer_schema=False).lazy()
    return pl.scan_csv(path, infer_schema=False)
