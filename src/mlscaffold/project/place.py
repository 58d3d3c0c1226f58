"""Where a project may be put, and how it gets there in one step."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlscaffold.errors import TargetError, reason

_PREFIX = ".mlscaffold-"


def check_target(path: str) -> Path:
    """The absolute path of a folder that can be made, with nothing at it yet or an empty folder.

    Raises:
        TargetError: a project cannot be put there; the sentence says why.
    """
    try:
        target = _resolve(path)
        if target.is_symlink():
            raise TargetError(f"{path} is a symbolic link: name the folder that is meant.")
        if target == Path.cwd():
            raise TargetError(f"{path} is the folder that you are in: name a new one, such as {target / 'churn'}.")
        if target.is_dir():
            if target.is_mount():
                raise TargetError(f"{path} is a mount point, which cannot be replaced: name a folder inside it.")
            if any(target.iterdir()):
                raise TargetError(f"{path} exists and is not empty: choose another name or a folder of its own.")
        elif target.exists():
            raise TargetError(f"{path} exists and is not a folder: choose another name.")
        above = next(folder for folder in target.parents if os.path.lexists(folder))
        if not above.is_dir():
            raise TargetError(f"{above} is not a folder, so nothing can be put into it.")
        if not os.access(above, os.W_OK | os.X_OK):
            raise TargetError(f"You may not write to {above}: choose another place.")
    except (OSError, ValueError) as error:
        raise TargetError(f"{path} cannot be used: {reason(error)}.") from error
    return target


@contextlib.contextmanager
def open_staging(parent: Path) -> Iterator[Path]:
    """A hidden folder beside the target to be, removed at the end, as are parents that were made for nothing."""
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True)
    except OSError as error:
        _remove_empty(missing)
        raise TargetError(f"Nothing can be written to {parent}: {reason(error)}.") from error
    try:
        with folder as staging:
            yield Path(staging)
    except BaseException:
        _remove_empty(missing)
        raise


def move_project(project: Path, target: Path) -> None:
    """Move a finished project to its place: one rename, which takes the place of nothing but an empty folder."""
    try:
        if os.name == "nt" and target.is_dir():
            target.rmdir()  # where a rename does not replace even an empty folder
        project.rename(target)
    except OSError as error:
        raise TargetError(
            f"The project cannot be moved to {target}: {reason(error)}. Nothing was written there."
        ) from error


def _resolve(path: str) -> Path:
    """Absolute, all but the last part resolved: a symbolic link there has to be seen."""
    given = Path(path)
    if given.name in ("", ".."):
        return given.resolve()
    return given.parent.resolve() / given.name


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
