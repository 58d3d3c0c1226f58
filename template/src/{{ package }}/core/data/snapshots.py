"""Snapshots: validated data on disk, named by their content and never altered."""

import tempfile
from pathlib import Path

import msgspec
import polars as pl

from ... import source
from ..bundles.bundle import sha256
from ..errors import ProjectError
from ..params import Params
from ..yours import describe
from .validation import CONTRACT, table, validate

SNAPSHOTS = Path("artifacts/snapshots")


class Snapshot(msgspec.Struct, frozen=True):
    """Validated data on disk, named by their content, and the rows that did not make it."""

    path: Path
    rows: int
    bad: pl.DataFrame

    @property
    def sha256(self) -> str:
        """Return the SHA-256 that names it."""
        return self.path.stem


def make_snapshot(params: Params) -> Snapshot:
    """Read, validate and keep the data.

    Raises:
        ProjectError: the source cannot be read, lacks columns, or has more bad rows than `data.max_bad_rows`.
    """
    raw = _read(params)
    good, bad = validate(raw)
    bad_rows = bad["row"].n_unique()
    if bad_rows > params.data.max_bad_rows:
        raise ProjectError(
            f"{bad_rows} of {raw.height} rows are bad, and data.max_bad_rows allows {params.data.max_bad_rows}:\n"
            f"{table(bad)}"
        )
    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SNAPSHOTS) as folder:
        part = Path(folder, "part")
        good.write_parquet(part)
        path = part.replace(SNAPSHOTS / f"{sha256(part)}.parquet")
    if bad.height:
        bad.write_csv(path.with_suffix(".bad.csv"))
    return Snapshot(path, good.height, bad)


def _read(params: Params) -> pl.DataFrame:
    """Return the rows of the source; whatever goes wrong there is one sentence, for `source.py` is yours."""
    try:
        raw = source.read(params)
    except ProjectError:
        raise
    except Exception as error:
        raise ProjectError(f"the data cannot be read from {params.data.source}: {describe(error)}") from error
    if not isinstance(raw, pl.DataFrame):
        raise ProjectError(f"read() in source.py returns a {type(raw).__name__}; it must return a Polars DataFrame")
    return raw


def latest() -> Path:
    """Return the newest snapshot.

    Raises:
        ProjectError: there is none yet.
    """
    paths = sorted(SNAPSHOTS.glob("*.parquet"), key=lambda path: path.stat().st_mtime)
    if not paths:
        raise ProjectError("there is no data snapshot yet: run the data command first")
    return paths[-1]


def load(snapshot: Path) -> pl.DataFrame:
    """Return the rows of a snapshot.

    Raises:
        ProjectError: they no longer fit the schema.
    """
    frame = pl.read_parquet(snapshot)
    if sorted(frame.columns) != sorted(column.name for column in CONTRACT) or validate(frame)[1].height:
        raise ProjectError("the newest data snapshot was made with another schema.py: run the data command again")
    return frame
