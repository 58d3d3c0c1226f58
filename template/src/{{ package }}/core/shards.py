"""Shards: the share of a batch that one of several workers predicts, such as the pods of an Indexed Job of Kubernetes.

A shard writes its manifest last, so the batch is whole when each of its shards has one.
"""

import msgspec
import obstore
import polars as pl
from obstore.store import ObjectStore

from .. import source as files
from .bundles.storage import list_names
from .data.sources import list_files
from .errors import ProjectError


class Shard(msgspec.Struct, frozen=True):
    """One of several shares, counted from 0 as Kubernetes does."""

    index: int
    of: int

    def __str__(self) -> str:
        """Return what the names of its files begin with."""
        return f"shard-{self.index:05}-of-{self.of:05}"

    @property
    def manifest(self) -> str:
        """Return the name of its manifest."""
        return f"{self}.json"


class Manifest(msgspec.Struct, frozen=True):
    """What a whole shard was made from, and what it holds."""

    source: str
    bundle: str
    rows: int
    parts: list[str]


def parse(text: str) -> Shard:
    """Return the shard that is written as `I/N`. Raises ValueError if none is."""
    index, _, of = text.partition("/")
    shard = Shard(int(index), int(of))
    if not 0 <= shard.index < shard.of:
        raise ValueError(text)
    return shard


def take(source: str, shard: Shard) -> pl.LazyFrame | None:
    """Return a shard's share: whole files of several, or as many rows of a single one; None if there are not so many.

    Raises:
        ProjectError: the source cannot be read.
    """
    found = list_files(source)
    if len(found) > 1:
        mine = found[shard.index :: shard.of]
        return pl.concat([files.scan(name) for name in mine]) if mine else None
    frame = files.scan(source)
    rows = frame.select(pl.len()).collect().item()
    start, end = (rows * number // shard.of for number in (shard.index, shard.index + 1))
    return frame.slice(start, end - start) if start < end else None


def begin(store: ObjectStore, target: str, shard: Shard | None, source: str, bundle: str) -> None:
    """Take back what an earlier run of the same shard has said to be whole.

    Raises:
        ProjectError: the target holds what belongs to another batch and would be mistaken for a part of this one.
    """
    names = _names(store)
    mine = "part-" if shard is None else f"-of-{shard.of:05}"
    if any(mine not in name or (shard is None and name.startswith("shard-")) for name in names):
        raise ProjectError(f"{target} holds predictions in other shards: name an empty folder")
    manifests = [name for name in names if name.endswith(".json")]
    for name in manifests:
        made = msgspec.json.decode(bytes(obstore.get(store, name).bytes()), type=Manifest)
        if (made.source, made.bundle) != (source, bundle):
            raise ProjectError(f"{target} holds shards of {made.source} by {made.bundle}: name an empty folder")
    if shard is not None and shard.manifest in manifests:
        obstore.delete(store, shard.manifest)


def finish(store: ObjectStore, shard: Shard, manifest: Manifest) -> int:
    """Say that a shard is whole; return how many others are not."""
    obstore.put(store, shard.manifest, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    return shard.of - sum(name.endswith(".json") for name in _names(store))


def _names(store: ObjectStore) -> list[str]:
    return [name for name in list_names(store) if name.startswith(("part-", "shard-"))]
