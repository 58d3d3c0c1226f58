"""Folders, wherever they are: a path, or an `s3://`, `gs://` or `az://` URI; credentials come from the environment."""

from pathlib import Path

from obstore.store import LocalStore, ObjectStore, from_url


def is_remote(uri: str) -> bool:
    """Tell whether a URI names an object store rather than a path."""
    return "://" in uri


def open_folder(uri: str, retries: int = 10) -> ObjectStore:
    """Open a folder for `obstore`'s functions; a local one is made if it is absent.

    Args:
        uri: A path or URI.
        retries: How often a request that failed for a passing reason is tried again, ever more slowly.
    """
    if is_remote(uri):
        return from_url(uri, retry_config={"max_retries": retries})
    return LocalStore(Path(uri).resolve(), mkdir=True)


def join(uri: str, *parts: str) -> str:
    """Return the URI of something below a folder."""
    return "/".join([uri.rstrip("/"), *parts])
