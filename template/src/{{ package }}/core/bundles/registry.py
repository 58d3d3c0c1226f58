"""The registry: a folder of bundles, and two pointers into it: to the newest candidate and to the champion.

Serving knows nothing of it: it is told one bundle.
"""

from typing import Literal

import msgspec
import obstore

from ...settings import Settings
from ..errors import ProjectError
from . import bundle
from .bundle import Bundle
from .storage import is_remote, join, open_folder, store_errors

Role = Literal["candidate", "champion"]


class Pointer(msgspec.Struct, frozen=True):
    """`candidate.json` or `champion.json`: a bundle's id, what led to it, and the one before."""

    bundle: str
    reason: str = ""
    previous: str | None = None


def touch(settings: Settings) -> None:
    """Write something into a remote store, so that a wrong URI or identity is found before anything is trained.

    Raises:
        ProjectError: the store refuses it.
    """
    if is_remote(settings.store_uri):
        with store_errors(f"the store {settings.store_uri} refuses"):
            obstore.put(open_folder(settings.store_uri), "touched", b"")


def publish(candidate: Bundle, settings: Settings) -> str:
    """Put a bundle into the registry as its newest candidate and return its URI."""
    uri = bundle.publish(candidate, join(settings.store_uri, "bundles"))
    _point("candidate", Pointer(candidate.id), settings)
    return uri


def crown(candidate: Bundle, reason: str, settings: Settings) -> None:
    """Make a bundle the champion, and publish it if it comes from elsewhere.

    `champion.md` is its card, and says for what reason.
    """
    before = pointer("champion", settings)
    previous = before.bundle if before else None
    if candidate.id == previous:
        return
    text = (candidate.path / "card.md").read_text().replace("](plots/", f"](bundles/{candidate.id}/plots/")
    text += f"\n## Promotion\n\nChampion {'in place of ' + previous if previous else 'as the first model'}: {reason}.\n"
    with store_errors(f"the champion's card cannot be written into {settings.store_uri}"):
        store = open_folder(settings.store_uri)
        try:
            obstore.head(store, f"bundles/{candidate.id}/{bundle.MANIFEST}")
        except FileNotFoundError:
            bundle.publish(candidate, join(settings.store_uri, "bundles"))
        obstore.put(store, "champion.md", text.encode())
    _point("champion", Pointer(candidate.id, reason, previous), settings)


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


def _point(role: Role, target: Pointer, settings: Settings) -> None:
    content = msgspec.json.format(msgspec.json.encode(target), indent=2)
    with store_errors(f"{role}.json cannot be written into {settings.store_uri}"):
        obstore.put(open_folder(settings.store_uri), f"{role}.json", content)
