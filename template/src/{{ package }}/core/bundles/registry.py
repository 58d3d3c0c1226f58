"""The registry: a folder of bundles, and two pointers into it: to the newest candidate and to the champion.

Serving knows nothing of it: it is told one bundle.
"""

import contextlib
import shutil
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
import obstore

from ...settings import Settings
from ..errors import ProjectError
from . import bundle
from .bundle import Bundle
from .storage import exists, is_remote, join, list_names, open_folder, store_errors

Role = Literal["candidate", "champion"]


class Pointer(msgspec.Struct, frozen=True):
    """`candidate.json` or `champion.json`: a bundle's id, what led to it, and the one before.

    `inputs` is the SHA-256 of all that led to it: while that is the same, the step would come to the same again.
    """

    bundle: str
    reason: str = ""
    previous: str | None = None
    inputs: str = ""


class Published(msgspec.Struct, frozen=True):
    """A bundle of the registry, of whichever version: when it was published, and its snapshot's id."""

    id: str
    published: datetime
    data: str


class _Manifest(msgspec.Struct):
    """What all versions' manifests have."""

    data: str = ""


def touch(settings: Settings) -> None:
    """Write something into a remote store, so that a wrong URI or identity is found before anything is trained.

    Raises:
        ProjectError: the store refuses it.
    """
    if is_remote(settings.store_uri):
        with store_errors(f"the store {settings.store_uri} refuses"):
            obstore.put(open_folder(settings.store_uri), "touched", b"")


def publish(candidate: Bundle, settings: Settings, inputs: str = "") -> str:
    """Put a bundle into the registry as its newest candidate and return its URI."""
    uri = bundle.publish(candidate, join(settings.store_uri, "bundles"))
    _point("candidate", Pointer(candidate.id, inputs=inputs), settings)
    return uri


def find_made(role: Role, inputs: str, settings: Settings) -> str | None:
    """Return the id of the bundle in a role if the same led to it and it is there, and None otherwise."""
    target = pointer(role, settings)
    return target.bundle if target and target.inputs == inputs and _holds(target.bundle, settings) else None


def crown(candidate: Bundle, reason: str, settings: Settings, inputs: str = "") -> None:
    """Make a bundle the champion, and publish it if it comes from elsewhere.

    `champion.md` is its card, and says for what reason.
    """
    before = pointer("champion", settings)
    previous = before.bundle if before else None
    if before and candidate.id == previous:
        if before.inputs != inputs:
            _point("champion", msgspec.structs.replace(before, inputs=inputs), settings)
        return
    text = (candidate.path / "card.md").read_text().replace("](plots/", f"](bundles/{candidate.id}/plots/")
    text += f"\n## Promotion\n\nChampion {'in place of ' + previous if previous else 'as the first model'}: {reason}.\n"
    with store_errors(f"the champion's card cannot be written into {settings.store_uri}"):
        if not _holds(candidate.id, settings):
            bundle.publish(candidate, join(settings.store_uri, "bundles"))
        obstore.put(open_folder(settings.store_uri), "champion.md", text.encode())
    _point("champion", Pointer(candidate.id, reason, previous, inputs), settings)


def pointer(role: Role, settings: Settings) -> Pointer | None:
    """Return a pointer, or None while nothing has that role.

    Raises:
        ProjectError: the store cannot be read, or the pointer is none.
    """
    name = f"{role}.json"
    with store_errors(f"{name} in {settings.store_uri} cannot be read"):
        try:
            content = bytes(obstore.get(open_folder(settings.store_uri), name).bytes())
        except FileNotFoundError:
            return None
        return msgspec.json.decode(content, type=Pointer)


def find_all(settings: Settings) -> list[Published]:
    """Return the bundles of the registry.

    Raises:
        ProjectError: the store cannot be read.
    """
    uri = join(settings.store_uri, "bundles")
    if not is_remote(uri) and not Path(uri).is_dir():
        return []
    with store_errors(f"the bundles in {settings.store_uri} cannot be read"):
        store = open_folder(uri)
        metas = [meta for metas in obstore.list(store) for meta in metas]
        found = []
        for meta in metas:
            name, _, file = meta["path"].rpartition("/")
            if file == bundle.MANIFEST:
                manifest = msgspec.json.decode(bytes(obstore.get(store, meta["path"]).bytes()), type=_Manifest)
                found.append(Published(name, meta["last_modified"], manifest.data))
        return found


def delete(name: str, settings: Settings) -> None:
    """Delete a bundle, its manifest first: without that, what is left is none.

    Raises:
        ProjectError: the store refuses it.
    """
    uri = join(settings.store_uri, "bundles", name)
    with store_errors(f"the bundle {uri} cannot be deleted"):
        if not is_remote(uri):
            Path(uri, bundle.MANIFEST).unlink()
            shutil.rmtree(uri)
            return
        store = open_folder(uri)
        obstore.delete(store, bundle.MANIFEST)
        obstore.delete(store, list_names(store))


def find(reference: str, settings: Settings) -> str:
    """Return a bundle's URI.

    Args:
        reference: "candidate", "champion", a bundle's id, or a URI.
        settings: Where the registry is.

    Raises:
        ProjectError: nothing has that role.
    """
    if reference in ("candidate", "champion"):
        target = pointer(reference, settings)  # type: ignore[arg-type]
        if target is None:
            raise ProjectError(f"there is no {reference} in {settings.store_uri} yet: run the pipeline command first")
        reference = target.bundle
    if is_remote(reference) or "/" in reference:
        return reference
    return join(settings.store_uri, "bundles", reference)


def fetch(reference: str, settings: Settings) -> Bundle:
    """Bring a bundle onto this machine and verify it; the arguments are those of `find`."""
    return bundle.fetch(find(reference, settings), settings.model_cache)


def _holds(name: str, settings: Settings) -> bool:
    """Tell whether the registry has a bundle, which on this machine is also verified."""
    with store_errors(f"the bundle {name} in {settings.store_uri} cannot be read"):
        if is_remote(settings.store_uri):
            return exists(open_folder(settings.store_uri), f"bundles/{name}/{bundle.MANIFEST}")
        with contextlib.suppress(ProjectError):
            bundle.verify(Path(join(settings.store_uri, "bundles", name)))
            return True
        return False


def _point(role: Role, target: Pointer, settings: Settings) -> None:
    content = msgspec.json.format(msgspec.json.encode(target), indent=2)
    with store_errors(f"{role}.json cannot be written into {settings.store_uri}"):
        obstore.put(open_folder(settings.store_uri), f"{role}.json", content)
