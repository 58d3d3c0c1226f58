"""A store that refuses, as one sentence."""

import contextlib
from collections.abc import Iterator

import obstore

from ..errors import ProjectError


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Say what could not be done where a store refuses: it is absent, cannot be reached, or grants too little.

    Raises:
        ProjectError: it does.
    """
    try:
        yield
    except (OSError, obstore.exceptions.BaseError, ValueError) as error:
        raise ProjectError(f"{what}: {str(error).partition(chr(10))[0]}") from error
