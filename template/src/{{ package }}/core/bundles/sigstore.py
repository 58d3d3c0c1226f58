"""The signature of a bundle, for `cosign`: its id is the SHA-256 of its manifest, so signing that one file signs all.

It lies beside the manifest in the store, and no manifest names it: a bundle has the same id before and after.
"""

import hashlib
from pathlib import Path

import obstore

from ..errors import ProjectError
from .bundle import MANIFEST, check_name
from .storage import open_folder, store_errors

SIGNATURE = "manifest.sigstore.json"


def bring(uri: str, folder: Path) -> bool:
    """Write the manifest of a bundle into a folder, and its signature beside it; tell whether there is one.

    Args:
        uri: A bundle's folder, as `registry.find` returns it.
        folder: What is made if it is absent; an older signature in it is removed.

    Raises:
        ProjectError: the store cannot be read, or the manifest is not the one that the URI names.
    """
    with store_errors(f"the bundle {uri} cannot be read"):
        store = open_folder(uri)
        manifest = bytes(obstore.get(store, MANIFEST).bytes())
        try:
            signature = bytes(obstore.get(store, SIGNATURE).bytes())
        except FileNotFoundError:
            signature = b""
    check_name(uri, hashlib.sha256(manifest).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_bytes(manifest)
    (folder / SIGNATURE).unlink(missing_ok=True)
    if signature:
        (folder / SIGNATURE).write_bytes(signature)
    return bool(signature)


def publish(uri: str, folder: Path) -> None:
    """Put the signature that `cosign` has written into a folder beside the manifest of a bundle.

    Raises:
        ProjectError: there is none, or the store refuses it.
    """
    if not (folder / SIGNATURE).is_file():
        raise ProjectError(f"there is no {folder / SIGNATURE}: sign {folder / MANIFEST} with `cosign sign-blob` first")
    with store_errors(f"the signature cannot be published into {uri}"):
        obstore.put(open_folder(uri), SIGNATURE, folder / SIGNATURE)
