"""Erasure: a person's rows leave the snapshots, and their requests leave the prediction log.

The source itself, versions and backups that a bucket keeps, and what a model has learnt are out of its reach.
"""

import gzip
import os
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec
import obstore
import polars as pl
from obstore.store import ObjectStore

from ...schema import ROW_ID
from ...settings import Settings
from ..bundles.bundle import MANIFEST, Manifest
from ..bundles.storage import is_remote, join, open_folder, sha256
from ..errors import ProjectError
from ..monitoring.record import SUFFIX
from .snapshots import SNAPSHOTS, Record, keep_record


class Erasure(msgspec.Struct, frozen=True):
    """What was erased: how many rows of snapshots and of the log; and which bundles were made from those snapshots."""

    snapshot_rows: int
    log_rows: int
    bundles: list[str]


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
        rows, snapshots = _forget_rows(str(ROW_ID), row_ids) if row_ids else (0, set())
        logged = _forget_requests(frozenset(request_ids), settings.prediction_log_uri) if request_ids else 0
        return Erasure(rows, logged, sorted(_made_from(snapshots, settings)) if snapshots else [])
    except (OSError, obstore.exceptions.BaseError, msgspec.DecodeError) as error:
        raise ProjectError(f"the erasure is not complete, call it again: {str(error).partition(chr(10))[0]}") from error


def _forget_rows(column: str, row_ids: Collection[str]) -> tuple[int, set[str]]:
    """Erase rows from all snapshots; return how many, and the names of the snapshots that held any."""
    erased, touched = 0, set()
    for path in sorted(SNAPSHOTS.glob("*.parquet")):
        frame = pl.read_parquet(path)
        kept = frame.filter(~pl.col(column).cast(pl.String).is_in(list(row_ids)))
        if kept.height < frame.height:
            _replace(path, kept)
            erased += frame.height - kept.height
            touched.add(path.stem)
    for path in SNAPSHOTS.glob("*.bad.csv"):  # rejected values do not say whose they were
        path.unlink()
    return erased, touched


def _replace(path: Path, frame: pl.DataFrame) -> None:
    """Put a snapshot in the place of another, named by its content, and as old as that."""
    age = path.stat()
    with tempfile.TemporaryDirectory(dir=SNAPSHOTS) as folder:
        part = Path(folder, "part")
        frame.write_parquet(part)
        os.utime(part, ns=(age.st_atime_ns, age.st_mtime_ns))
        new = part.replace(SNAPSHOTS / f"{sha256(part)}.parquet")
    old = path.with_suffix(".json")
    if old.exists():
        record = msgspec.json.decode(old.read_bytes(), type=Record)
        keep_record(new, msgspec.structs.replace(record, rows=frame.height, inputs=""))
        old.unlink()
    path.unlink()


def _forget_requests(request_ids: frozenset[str], uri: str) -> int:
    """Erase requests from the prediction log, and their outcomes; return how many lines."""
    decoder = msgspec.json.Decoder(_Line)
    store, erased = open_folder(uri), 0
    for name in (name for name in _names(store) if name.endswith(SUFFIX)):
        lines = gzip.decompress(bytes(obstore.get(store, name).bytes())).splitlines(keepends=True)
        kept = [line for line in lines if decoder.decode(line).request_id not in request_ids]
        erased += len(lines) - len(kept)
        if not kept:
            obstore.delete(store, name)
        elif len(kept) < len(lines):
            obstore.put(store, name, gzip.compress(b"".join(kept)))
    return erased


def _made_from(snapshots: set[str], settings: Settings) -> Iterator[str]:
    """Yield the ids of the bundles that were made from snapshots."""
    uri = join(settings.store_uri, "bundles")
    if not is_remote(uri) and not Path(uri).is_dir():
        return
    store = open_folder(uri)
    for name in _names(store):
        bundle, _, file = name.rpartition("/")
        if file == MANIFEST:
            manifest = msgspec.json.decode(bytes(obstore.get(store, name).bytes()), type=Manifest)
            if manifest.data in snapshots:
                yield bundle


def _names(store: ObjectStore) -> list[str]:
    return [meta["path"] for objects in obstore.list(store) for meta in objects]
