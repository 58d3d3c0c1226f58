"""Folders, wherever they are: a path, or an `s3://`, `gs://` or `az://` URI; `credentials.py` says who we are there."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from ..errors import ProjectError
from .credentials import make_provider

ID = re.compile("[0-9a-f]{64}")
"""What names a bundle or a snapshot: the SHA-256 of its content."""

PART = 8 * 1024**2
"""How many bytes are fetched at once; the store's client gives each request half a minute, however large the file."""


def is_remote(uri: str) -> bool:
    """Tell whether a URI names an object store rather than a path."""
    return "://" in uri


def open_folder(uri: str, retries: int = 10) -> ObjectStore:
    """Open a folder for `obstore`'s functions; a local one is made if it is absent.

    Args:
        uri: A path or URI.
        retries: How often a request that failed for a passing reason is tried again, ever more slowly.

    Raises:
        ProjectError: there are no credentials where the environment says that they are.
    """
    return _open_remote(uri, retries) if is_remote(uri) else LocalStore(Path(uri).resolve(), mkdir=True)


@cache  # with its connections, and the token until that ends
def _open_remote(uri: str, retries: int) -> ObjectStore:
    return from_url(uri, credential_provider=make_provider(uri), retry_config={"max_retries": retries})


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def exists(store: ObjectStore, name: str) -> bool:
    """Tell whether a folder has a file."""
    try:
        obstore.head(store, name)
    except FileNotFoundError:
        return False
    return True


async def download(store: ObjectStore, name: str, path: Path) -> None:
    """Copy a file of a folder onto this machine, in bounded memory."""
    size = (await obstore.head_async(store, name))["size"]
    with path.open("wb") as file:
        for start in range(0, size, PART):
            file.write(await obstore.get_range_async(store, name, start=start, end=min(start + PART, size)))


def list_names(store: ObjectStore) -> list[str]:
    """Return the names of all files in a folder."""
    return [meta["path"] for objects in obstore.list(store) for meta in objects]


@contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Say what could not be done where a store refuses: it is absent, cannot be reached, or grants too little.

    Raises:
        ProjectError: it does.
    """
    try:
        yield
    except (OSError, ValueError, obstore.exceptions.BaseError) as error:
        reason = str(error).partition("\n")[0]
        raise ProjectError(f"{what}: {reason}") from error


def join(uri: str, *parts: str) -> str:
    """Return the URI of something below a folder."""
    return "/".join([uri.rstrip("/"), *parts])
