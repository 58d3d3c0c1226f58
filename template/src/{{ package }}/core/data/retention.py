"""Retention: old bundles, snapshots and logged predictions are deleted, in the store and in this folder.

What is in use stays, however old it is: the bundles that have a role, serve or are released, and what they were trained
on. MLflow's runs, versions that a bucket keeps, and what other machines hold are out of its reach.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import obstore

from ...settings import Settings
from ..bundles import registry
from ..bundles.storage import ID, open_folder, store_errors
from ..monitoring.record import SUFFIX
from . import published
from .snapshots import SNAPSHOTS, find_newest

RELEASES = Path("deploy")
"""Where files name the bundles that run somewhere."""


class Expired(msgspec.Struct, frozen=True):
    """What is old and not in use: the ids of bundles and snapshots, and how many files of the prediction log."""

    bundles: list[str]
    snapshots: list[str]
    logged: int


def prune(before: datetime, settings: Settings, *, dry_run: bool = False) -> Expired:
    """Delete what is old and not in use.

    Args:
        before: What was written before is old.
        settings: Where the store and the prediction log are.
        dry_run: Delete nothing.

    Raises:
        ProjectError: the store or the log cannot be read or refuses; calling this again goes on.
    """
    used = set(_find_used(settings))
    bundles = registry.find_all(settings)
    old = {bundle.id for bundle in bundles if bundle.published < before and bundle.id not in used}
    data = {bundle.data for bundle in bundles if bundle.id not in old}
    if not dry_run:
        for name in old:
            registry.delete(name, settings)
    snapshots = _prune_snapshots(before, data, settings, dry_run=dry_run)
    return Expired(sorted(old), snapshots, _prune_log(before, settings.prediction_log_uri, dry_run=dry_run))


def _find_used(settings: Settings) -> Iterator[str]:
    """Yield the bundles that stay: the candidate, the champion, the one before it, those that serve or are released."""
    for pointer in (registry.pointer("candidate", settings), registry.pointer("champion", settings)):
        if pointer:
            yield from filter(None, (pointer.bundle, pointer.previous))
    yield from ID.findall(f"{settings.model_uri} {settings.shadow_uri}")
    for path in RELEASES.rglob("*"):
        with contextlib.suppress(OSError, UnicodeDecodeError):  # a folder, or no text
            yield from ID.findall(path.read_text("utf-8"))


def _prune_snapshots(before: datetime, used: set[str], settings: Settings, *, dry_run: bool) -> list[str]:
    """Delete the old snapshots of the store and of this folder, except those in use and this folder's newest."""
    old = {one.id for one in published.find_all(settings) if one.published < before and one.id not in used}
    newest = find_newest()
    here = {
        path.stem
        for path in SNAPSHOTS.glob("*.parquet")
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before and path.stem not in used and path != newest
    }
    if not dry_run:
        for name in old:
            published.delete(name, settings)
        for path in [path for name in here for path in SNAPSHOTS.glob(f"{name}.*")]:
            path.unlink()
    return sorted(old | here)


def _prune_log(before: datetime, uri: str, *, dry_run: bool) -> int:
    """Delete the old files of the prediction log, outcomes among them; return how many there are."""
    if not uri:
        return 0
    with store_errors(f"the prediction log {uri} cannot be pruned"):
        store = open_folder(uri)
        metas = [meta for metas in obstore.list(store) for meta in metas]
        old = [meta["path"] for meta in metas if meta["path"].endswith(SUFFIX) and meta["last_modified"] < before]
        if old and not dry_run:
            obstore.delete(store, old)
    return len(old)
