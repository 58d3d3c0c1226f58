"""Erasure: a person's rows leave the snapshots, here and in the store, and their requests leave the prediction log.

The source itself, other stores and machines, versions and backups that a bucket keeps, and what a model has learnt are
out of its reach.
"""

import gzip
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import msgspec
import obstore
import polars as pl

from ...schema import ROW_ID
from ...settings import Settings
from ..bundles import registry
from ..bundles.storage import list_names, open_folder, sha256
from ..errors import ProjectError
from ..monitoring.record import SUFFIX
from . import published
from .snapshots import SNAPSHOTS, keep_record, read_record


class Erasure(msgspec.Struct, frozen=True):
    """What was erased: rows of snapshots, of published ones and of the log; and which bundles were made from those.

    `unsearched` are the snapshots that name no row, as `ROW_ID` was another column when they were made.
    """

    snapshot_rows: int
    published_rows: int
    log_rows: int
    bundles: list[str]
    unsearched: list[str]


class _Line(msgspec.Struct):
    """What has to be known of a line of the prediction log."""

    request_id: str


def forget(row_ids: Collection[str], request_ids: Collection[str], settings: Settings) -> Erasure:
    """Erase rows of data by their ids, and logged requests by theirs.

    Raises:
        ProjectError: no column names a row, nothing is logged, or the log or the store cannot be read or written;
            calling this again goes on.
    """
    if row_ids and ROW_ID is None:
        raise ProjectError("ROW_ID in schema.py is None: no column names the rows, so none can be found by its id")
    if request_ids and not settings.prediction_log_uri:
        raise ProjectError("PREDICTION_LOG_URI is empty: say where the predictions are logged")
    try:
        unsearched: set[str] = set()
        rows, replaced = _forget_rows(SNAPSHOTS, row_ids, unsearched) if row_ids else (0, {})
        published_rows, touched = _forget_published(row_ids, settings, unsearched) if row_ids else (0, set())
        logged = _forget_requests(frozenset(request_ids), settings.prediction_log_uri) if request_ids else 0
        snapshots = replaced.keys() | touched
        bundles = [made.id for made in registry.find_all(settings) if made.data in snapshots] if snapshots else []
        return Erasure(rows, published_rows, logged, sorted(bundles), sorted(unsearched))
    except (OSError, ProjectError, obstore.exceptions.BaseError, msgspec.DecodeError) as error:
        raise ProjectError(f"the erasure is not complete, call it again: {str(error).partition(chr(10))[0]}") from error


def _forget_rows(folder: Path, row_ids: Collection[str], unsearched: set[str]) -> tuple[int, dict[str, Path]]:
    """Erase rows from all snapshots of a folder; return how many, and what has replaced the snapshots that held any."""
    erased, replaced = 0, {}
    for path in sorted(folder.glob("*.parquet")):
        try:
            frame = pl.read_parquet(path)
        except pl.exceptions.PolarsError as error:
            raise ProjectError(f"{path} is damaged: delete it") from error
        if ROW_ID not in frame.columns:
            unsearched.add(path.stem)
            continue
        kept = frame.filter(~pl.col(str(ROW_ID)).cast(pl.String).is_in(list(row_ids)))
        if kept.height < frame.height:
            replaced[path.stem] = _replace(path, kept)
            erased += frame.height - kept.height
    for path in folder.glob("*.bad.csv"):  # rejected values do not say whose they were
        path.unlink()
    return erased, replaced


def _forget_published(row_ids: Collection[str], settings: Settings, unsearched: set[str]) -> tuple[int, set[str]]:
    """Erase rows from all published snapshots; return how many, and the names of the snapshots that held any."""
    erased = 0
    touched: set[str] = set()
    published.delete_halves(settings)
    for snapshot in published.find_all(settings):
        with tempfile.TemporaryDirectory() as name:
            published.pull(snapshot.id, Path(name), settings)
            rows, replaced = _forget_rows(Path(name), row_ids, unsearched)
            for old, new in replaced.items():
                published.publish(new, settings)
                published.delete(old, settings)
            erased += rows
            touched |= replaced.keys()
    return erased, touched


def _replace(path: Path, frame: pl.DataFrame) -> Path:
    """Put a snapshot in the place of another, named by its content, and as old as that."""
    age = path.stat()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder, "part")
        frame.write_parquet(part)
        os.utime(part, ns=(age.st_atime_ns, age.st_mtime_ns))
        new = part.replace(path.parent / f"{sha256(part)}.parquet")
    if record := read_record(path):
        keep_record(new, msgspec.structs.replace(record, rows=frame.height, inputs=""))
    path.with_suffix(".json").unlink(missing_ok=True)
    path.unlink()
    return new


def _forget_requests(request_ids: frozenset[str], uri: str) -> int:
    """Erase requests from the prediction log, and their outcomes; return how many lines."""
    decoder = msgspec.json.Decoder(_Line)
    store, erased = open_folder(uri), 0
    for name in (name for name in list_names(store) if name.endswith(SUFFIX)):
        lines = gzip.decompress(bytes(obstore.get(store, name).bytes())).splitlines(keepends=True)
        kept = [line for line in lines if decoder.decode(line).request_id not in request_ids]
        erased += len(lines) - len(kept)
        if not kept:
            obstore.delete(store, name)
        elif len(kept) < len(lines):
            obstore.put(store, name, gzip.compress(b"".join(kept)))
    return erased
