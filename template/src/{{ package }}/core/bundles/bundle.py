"""The model bundle: an immutable folder that holds a model and all that is known of it, named by its content.

Its `manifest.json` names the SHA-256 of every other file, of the data and of the features' code; the SHA-256 of the
manifest is the bundle's id and the folder's name. So what is served can be traced to what it was made of, and nothing
can be altered on the way without being noticed: a folder that is altered and sealed again is another bundle, and is
refused under the old name.
"""

import asyncio
import contextlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import obstore

from ..contract.signature import Signature
from ..errors import ProjectError
from .storage import ID, download, is_remote, join, open_folder, sha256, store_errors

MANIFEST = "manifest.json"
FORMAT = 2
"""What this version of the project writes and reads; a manifest that names none is of format 1."""
RETRIES = 3
"""How often a request is tried again at once; the service tries longer, and says in between why it is not ready."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle is made of; `files` maps each path below it to its SHA-256."""

    format: int
    files: dict[str, str]
    data: str
    features: str


class FormatError(ProjectError):
    """A bundle was made by another version of the template."""


class _Format(msgspec.Struct, frozen=True):
    """The one part of a manifest that all versions agree on."""

    format: int = 1


class Bundle(msgspec.Struct, frozen=True):
    """A verified bundle on this machine's disk."""

    path: Path
    id: str
    manifest: Manifest

    def signature(self) -> Signature:
        """Return the contract of its model."""
        return msgspec.json.decode((self.path / "signature.json").read_bytes(), type=Signature)


def seal(folder: Path, *, data: str, features: str) -> Bundle:
    """Turn a folder into a bundle by writing its manifest.

    Args:
        folder: What `training.py` wrote.
        data: The SHA-256 of the snapshot that the model was made from.
        features: The SHA-256 of the code that made its features.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in paths}
    manifest = Manifest(format=FORMAT, files=files, data=data, features=features)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    return verify(folder)


def verify(folder: Path) -> Bundle:
    """Check every file of a bundle against its manifest, and the bundle against its name where that is an id.

    Raises:
        FormatError: it was made by another version.
        ProjectError: there is no bundle, it is not what it was when it was sealed, or not the one that is named.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ProjectError(f"{folder} is not a model bundle: it has no {MANIFEST}")
    manifest = _decode(path.read_bytes(), str(folder))
    for name, digest in manifest.files.items():
        if not (folder / name).is_file():
            raise ProjectError(f"the bundle {folder} is damaged: {name} is missing")
        if sha256(folder / name) != digest:
            raise ProjectError(f"the bundle {folder} is damaged: {name} is not the file that was sealed")
    bundle = Bundle(folder, sha256(path), manifest)
    check_name(folder.as_posix(), bundle.id)
    return bundle


def check_name(uri: str, found: str) -> None:
    """Check that a path or URI that ends with a bundle's id holds the bundle of that id.

    Raises:
        ProjectError: it holds another.
    """
    name = uri.rstrip("/").rpartition("/")[2]
    if ID.fullmatch(name) and name != found:
        raise ProjectError(f"{uri} holds the bundle {found}, not {name}")


def _decode(content: bytes, where: str) -> Manifest:
    """Read a manifest."""
    try:
        written = msgspec.json.decode(content, type=_Format).format
        if written != FORMAT:
            raise FormatError(f"the bundle {where} has format {written}; this project reads {FORMAT}: train again")
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise ProjectError(f"the manifest of {where} cannot be read: {error}") from error


def publish(bundle: Bundle, folder_uri: str) -> str:
    """Copy a bundle below a folder and return its URI; the manifest goes last, so that half a bundle is none."""
    uri = join(folder_uri, bundle.id)
    with store_errors(f"the bundle cannot be published as {uri}"):
        store = open_folder(uri)
        for name in [*bundle.manifest.files, MANIFEST]:
            obstore.put(store, name, bundle.path / name)
    return uri


def fetch(uri: str, cache: Path) -> Bundle:
    """Do what `fetch_async` does, whether or not an event loop is running here, as it is in a notebook."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, fetch_async(uri, cache)).result()


async def fetch_async(uri: str, cache: Path) -> Bundle:
    """Bring a bundle onto this machine, part by part and in bounded memory, and verify it.

    It can be cancelled at any time, and leaves nothing behind then.

    Args:
        uri: A bundle's folder, as `publish` returns it; a local one is verified where it is, and may have any name.
        cache: Where a remote bundle is kept; what is there already is not fetched again.

    Raises:
        ProjectError: it cannot be read, is damaged, or is not the one that the URI names.
    """
    if not is_remote(uri):
        return await asyncio.to_thread(verify, Path(uri))
    name = uri.rstrip("/").rpartition("/")[2]
    if not ID.fullmatch(name):
        raise FormatError(f"{uri} does not end with a bundle's id of 64 digits, so it names no bundle of this version")
    folder = cache / name
    with contextlib.suppress(ProjectError):
        return await asyncio.to_thread(verify, folder)
    shutil.rmtree(folder, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as part:
        await _download(uri, Path(part))
        bundle = await asyncio.to_thread(verify, Path(part))
        check_name(uri, bundle.id)
        with contextlib.suppress(OSError):  # another process was first
            bundle.path.rename(folder)
    return await asyncio.to_thread(verify, folder)


async def _download(uri: str, folder: Path) -> None:
    """Copy a remote bundle into a folder."""
    with store_errors(f"the bundle {uri} cannot be fetched"):
        store = open_folder(uri, retries=RETRIES)
        content = bytes(await (await obstore.get_async(store, MANIFEST)).bytes_async())
        for name in _decode(content, uri).files:
            path = folder / name
            if folder.resolve() not in path.resolve().parents:
                raise ProjectError(f"the manifest of {uri} names a file outside the bundle: {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            await download(store, name, path)
        (folder / MANIFEST).write_bytes(content)
