"""Snapshots: validated data on disk, named by their content and never altered."""

import contextlib
from pathlib import Path

import msgspec
import polars as pl

from ..bundles.storage import ID, sha256
from ..errors import ProjectError
from .validation import CONTRACT, validate

SNAPSHOTS = Path("artifacts/snapshots")


class Record(msgspec.Struct, frozen=True):
    """Where the rows of a snapshot come from, without what `${NAME}` stands for; it lies beside them as `.json`."""

    source: str
    query: str
    rows: int
    schema: dict[str, str] = {}
    """The type of each column."""
    version: str = ""
    """The version of the project that read them."""
    inputs: str = ""
    """The SHA-256 of all that decided what it holds."""


def read_record(snapshot: Path) -> Record | None:
    """Return where the rows of a snapshot come from, or None if nobody has written that down, or only half of it."""
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode(snapshot.with_suffix(".json").read_bytes(), type=Record)
    return None


def keep_record(snapshot: Path, record: Record) -> None:
    """Write where the rows of a snapshot come from beside it."""
    snapshot.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))


def latest() -> Path:
    """Return the newest snapshot.

    Raises:
        ProjectError: there is none yet.
    """
    path = find_newest()
    if path is None:
        raise ProjectError("there is no data snapshot yet: run the data command first")
    return path


def find_newest() -> Path | None:
    """Return the newest snapshot, or None while there is none."""
    return max(SNAPSHOTS.glob("*.parquet"), key=lambda path: path.stat().st_mtime, default=None)


def load(snapshot: Path) -> pl.DataFrame:
    """Return the rows of a snapshot.

    Raises:
        ProjectError: they have been altered, or no longer fit the schema.
    """
    if ID.fullmatch(snapshot.stem) and sha256(snapshot) != snapshot.stem:
        raise ProjectError(f"the snapshot {snapshot} has been altered: run the data command again")
    frame = pl.read_parquet(snapshot)
    if sorted(frame.columns) != sorted(column.name for column in CONTRACT) or validate(frame)[1].height:
        raise ProjectError("the newest data snapshot was made with another schema.py: run the data command again")
    return frame
