"""Where things are that are needed meanwhile."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def open_workspace() -> Iterator[Path]:
    """A folder of our own, which is gone at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="mlscaffold-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
