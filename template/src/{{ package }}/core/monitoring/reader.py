"""The prediction log, read one object at a time, and up to as many rows as the reader wants."""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import obstore
from obstore.store import ObjectStore

from ..bundles.storage import open_folder, store_errors
from ..contract.columns import Column
from .record import OUTCOMES, SUFFIX, Outcome, Record


def select(*names: str, **types: Any) -> type[Any]:
    """Return the type of a record with only some of its fields: the others would be decoded for nothing.

    Args:
        names: Fields of `Record`.
        types: Further ones, which are decoded as another type.
    """
    known = {field.name: field.type for field in msgspec.structs.fields(Record)}
    return msgspec.defstruct("Logged", [*((name, known[name]) for name in names), *types.items()], gc=False)


def select_inputs(columns: Iterable[Column]) -> type[Any]:
    """Return the type of a record's inputs of which only these columns are decoded; one that is hidden is UNSET."""
    fields = {f"column_{i}": column.name for i, column in enumerate(columns)}  # need not be Python's names
    return msgspec.defstruct("Inputs", [(field, Any, msgspec.UNSET) for field in fields], rename=fields, gc=False)


class Log:
    """The objects of a log, in an order that a hash of their names gives: the first of them are a sample of the whole.

    `share` of its bytes has been read.
    """

    def __init__(self, uri: str, record: type[Any], since: datetime | None = None) -> None:
        """Open a log.

        Args:
            uri: Where it is.
            record: What `select` returns; it has at least the fields `time` and `model`.
            since: Leaves out what is older.
        """
        self.share = 1.0
        self._uri = uri
        self._since = since
        self._decode: Callable[[bytes], list[Any]] = msgspec.json.Decoder(record).decode_lines

    def read(self, model: str) -> Iterator[list[Any]]:
        """Yield the records of each object that has any for the model.

        Raises:
            ProjectError: the log cannot be read.
        """
        since, read = self._since, 0
        # An object's name begins with the day of its writing: of a log of years, only the last days are listed.
        first = f"{since.astimezone(UTC):%Y-%m-%d}" if since else None
        with store_errors(f"the prediction log {self._uri} cannot be read"):
            store = open_folder(self._uri)
            objects = [meta for meta in _list(store, since, first) if not meta["path"].startswith(OUTCOMES)]
            objects.sort(key=lambda meta: hashlib.blake2b(meta["path"].encode()).digest())
            size = sum(meta["size"] for meta in objects)
            for meta in objects:
                records = [record for record in self._decode(_get(store, meta["path"])) if record.model == model]
                read += meta["size"]
                self.share = read / size
                if records := [record for record in records if not since or record.time >= since]:
                    yield records


def read_outcomes(uri: str, since: datetime | None) -> Iterator[Outcome]:
    """Yield the outcomes that became known since then, the newest last.

    Raises:
        ProjectError: they cannot be read.
    """
    decode = msgspec.json.Decoder(Outcome).decode_lines
    with store_errors(f"the prediction log {uri} cannot be read"):
        store = open_folder(uri)
        for path in sorted(meta["path"] for meta in _list(store, since, OUTCOMES)):
            if path.startswith(OUTCOMES):
                yield from decode(_get(store, path))


def _list(store: ObjectStore, since: datetime | None, first: str | None) -> list[Any]:
    """Return the objects that hold records, are no older, and whose names come after another."""
    listed = [meta for metas in obstore.list(store, offset=first) for meta in metas]
    objects = [meta for meta in listed if meta["path"].endswith(SUFFIX)]
    return [meta for meta in objects if not since or meta["last_modified"] >= since]


def _get(store: ObjectStore, path: str) -> bytes:
    return gzip.decompress(bytes(obstore.get(store, path).bytes()))
