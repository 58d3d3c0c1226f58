"""Published snapshots: what models were trained on, in the store that has their bundles.

`snapshots/<SHA-256>.parquet` has the rows and `<SHA-256>.json` their record, which goes last: half a snapshot is none.
Other files there are nobody's here.
"""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path

import msgspec
import obstore
import polars as pl
from obstore.store import ObjectStore

from ...settings import Settings
from ..bundles.storage import ID, download, exists, join, list_names, open_folder, sha256, store_errors
from ..errors import ProjectError
from .snapshots import Record, keep_record, read_record

HALVES = ("json", "parquet")


class Published(msgspec.Struct, frozen=True):
    """A snapshot of the store: its SHA-256, when it was published, and where its rows come from."""

    id: str
    published: datetime
    record: Record


def publish(snapshot: Path, settings: Settings) -> None:
    """Put a snapshot and its record into the store, unless they are there.

    Raises:
        ProjectError: the store refuses it, or it has been altered.
    """
    name = snapshot.stem
    with store_errors(f"the snapshot {name} cannot be published in {settings.store_uri}"):
        store = _open(settings)
        if all(exists(store, f"{name}.{half}") for half in HALVES):
            return
        if sha256(snapshot) != name:
            raise ProjectError(f"the snapshot {snapshot} has been altered: run the data command again")
        record = read_record(snapshot) or Record(
            "unknown", "", pl.scan_parquet(snapshot).select(pl.len()).collect().item()
        )
        obstore.put(store, f"{name}.parquet", snapshot)
        obstore.put(store, f"{name}.json", msgspec.json.format(msgspec.json.encode(record), indent=2))


def find_all(settings: Settings) -> list[Published]:
    """Return the snapshots of the store, the newest first.

    Raises:
        ProjectError: the store cannot be read.
    """
    with store_errors(f"the snapshots in {settings.store_uri} cannot be read"):
        store = _open(settings)
        whole, _ = _list(store)
        found = [_read(store, f"{name}.json") for name in sorted(whole)]
    return sorted(found, key=lambda snapshot: snapshot.published, reverse=True)


def find(name: str, settings: Settings) -> Published:
    """Return a snapshot of the store.

    Raises:
        ProjectError: the store does not have it, or cannot be read.
    """
    if not ID.fullmatch(name):
        raise ProjectError(f"{name} is no snapshot's id, which has 64 digits: the snapshots command lists them")
    with store_errors(f"the snapshot {name} in {settings.store_uri} cannot be read"):
        store = _open(settings)
        if not exists(store, f"{name}.json"):
            raise ProjectError(f"{settings.store_uri} has no snapshot {name}: it was never published, or is erased")
        return _read(store, f"{name}.json")


def pull(name: str, folder: Path, settings: Settings) -> Path:
    """Bring a snapshot and its record into a folder, as its newest, and verify it.

    Raises:
        ProjectError: the store does not have it, cannot be read, or has other rows under this name.
    """
    record = find(name, settings).record
    path = folder / f"{name}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        part = Path(work, "part")
        with store_errors(f"the snapshot {name} cannot be fetched from {settings.store_uri}"):
            asyncio.run(download(_open(settings), path.name, part))
        if sha256(part) != name:
            raise ProjectError(f"the snapshot {name} in {settings.store_uri} is damaged: delete it there")
        part.replace(path)
    keep_record(path, record)
    return path


def show(found: list[Published]) -> str:
    """Return snapshots as text, a line each."""
    return "\n".join(
        f"{snapshot.id}  {snapshot.published:%Y-%m-%d %H:%M}  {snapshot.record.rows} rows of {snapshot.record.source}"
        + (f": {snapshot.record.query}" if snapshot.record.query else "")
        for snapshot in found
    )


def delete(name: str, settings: Settings) -> None:
    """Delete a snapshot from the store, its record first."""
    with store_errors(f"the snapshot {name} cannot be deleted from {settings.store_uri}"):
        store = _open(settings)
        for half in HALVES:
            if exists(store, f"{name}.{half}"):
                obstore.delete(store, f"{name}.{half}")


def delete_halves(settings: Settings) -> None:
    """Delete rows without a record, and records without rows."""
    with store_errors(f"the snapshots in {settings.store_uri} cannot be read"):
        _, halves = _list(_open(settings))
    for name in halves:
        delete(name, settings)


def _open(settings: Settings) -> ObjectStore:
    return open_folder(join(settings.store_uri, "snapshots"))


def _list(store: ObjectStore) -> tuple[set[str], set[str]]:
    """Return the names of the snapshots in a store, and of those of which one half is there."""
    files = [Path(name) for name in list_names(store)]
    records, rows = (
        {file.stem for file in files if ID.fullmatch(file.stem) and file.name == f"{file.stem}.{half}"}
        for half in HALVES
    )
    return records & rows, records ^ rows


def _read(store: ObjectStore, name: str) -> Published:
    content = obstore.get(store, name)
    record = msgspec.json.decode(bytes(content.bytes()), type=Record)
    return Published(Path(name).stem, content.meta["last_modified"], record)
