"""Where the rows come from: the one place to change for another kind of source."""

from pathlib import Path

import polars as pl

from .core.data import folders, sources
from .core.params import Params


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on, in whatever types the source has.

    Rows that nobody can train on, such as those without a label, are left out here:

        return scan(params.data.source, params.data.query).filter(pl.col("label") != "unsorted").collect()
    """
    return scan(params.data.source, params.data.query).collect()


def scan(source: str, query: str = "") -> pl.LazyFrame:
    """Open a folder of images, files or a database; `data` and `predict` both read by this function.

    A folder has one folder for each label. A table has the images as bytes or as base64, and one of their addresses
    becomes one of images here:

        rows = sources.scan(source, query)
        return rows.with_columns(image=pl.col("path").map_elements(read_bytes, return_dtype=pl.Binary))
    """
    return folders.scan(Path(source)) if Path(source).is_dir() else sources.scan(source, query)
