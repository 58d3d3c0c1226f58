"""Where the rows come from: the one place to change for another kind of source."""

from pathlib import Path

import polars as pl

from .core.data import folders, sources
from .core.params import Params
from .schema import TARGET


def read(params: Params) -> pl.DataFrame:
    """Return the rows to train on, in whatever types the source has.

    Rows that nobody can train on, such as those without a label, are left out here:

        return scan(params.data.source, params.data.query).filter(pl.col(TARGET) != "unsorted").collect()
    """
    return scan(params.data.source, params.data.query).collect()


def scan(source: str, query: str = "") -> pl.LazyFrame:
    """Open a folder of images, files or a database; `data` and `predict` both read by this function.

    The images of a folder lie in one folder for each label. A table has them as bytes or as base64.
    """
    if Path(source).is_dir():
        return folders.scan(Path(source)).rename({"folder": TARGET})
    return sources.scan(source, query)
