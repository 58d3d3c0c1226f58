"""Where the rows come from: the one place to change for another kind of source."""

import polars as pl

from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows of the source, in whatever types it has.

    Polars reads a path, `https://`, `s3://`, `gs://` or `az://`, with credentials from the environment.
    """
    source = params.data.source
    if source.endswith(".parquet"):
        return pl.read_parquet(source)
    return pl.read_csv(source, infer_schema=False)
