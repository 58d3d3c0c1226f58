"""Folders of images, one for each label, as tables."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from ..errors import ProjectError

SUFFIXES = (".png", ".jpg", ".jpeg")
FILES_AT_ONCE = 100
"""How many files are held in memory where a table is read in parts."""
SCHEMA = pl.Schema({"path": pl.String, "folder": pl.String, "image": pl.Binary})


def scan(folder: Path) -> pl.LazyFrame:
    """Open the images in a folder, in the order of their paths.

    Returns:
        A table of `path`, below the folder; `folder`, the first one on that path, null where there is none; and
        `image`, the bytes of the file.

    Raises:
        ProjectError: it holds no image.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise ProjectError(f"{folder} holds no file that ends with {', '.join(SUFFIXES)}")

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = paths[:rows]
        for start in range(0, len(wanted), FILES_AT_ONCE):
            part = _read(wanted[start : start + FILES_AT_ONCE], folder)
            part = part if predicate is None else part.filter(predicate)
            yield part if columns is None else part.select(columns)

    return register_io_source(read, schema=SCHEMA)


def _read(paths: list[Path], folder: Path) -> pl.DataFrame:
    below = [path.relative_to(folder) for path in paths]
    folders = [path.parts[0] if len(path.parts) > 1 else None for path in below]
    contents = [path.read_bytes() for path in paths]
    return pl.DataFrame([[path.as_posix() for path in below], folders, contents], schema=SCHEMA)
