"""Where a project may be put, and how it gets there in one step."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mlscaffold.errors import TargetError, reason

_PREFIX = ".mlscaffold-"
_LOCK = "mlscaffold.lock"


def check(path: str) -> Path:
    """The absolute path of a folder that can be made, with nothing at it yet or an empty folder.

    Raises:
        TargetError: a project cannot be put there; the sentence says why.
    """
    try:
        target = _absolute(path)
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
        parent = target.parent
        if not parent.exists():
            raise TargetError(f"The folder {parent} does not exist: make it first, or check the path.")
        if not parent.is_dir():
            raise TargetError(f"{parent} is not a folder, so nothing can be put into it.")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise TargetError(f"You may not write to {parent}: choose another place.")
    except (OSError, ValueError) as error:
        raise TargetError(f"{path} cannot be used: {reason(error)}.") from error
    return target


@contextlib.contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """A hidden folder beside the target to be, removed at the end.

    A process that is killed leaves it behind. The next one that comes here removes it: its lock is free then.
    """
    _sweep(parent)
    folder, lock = _make(parent)
    try:
        yield folder
    finally:
        _remove(folder, lock)


def put(project: Path, target: Path) -> None:
    """Move a finished project to its place: one rename, which takes the place of nothing but an empty folder."""
    try:
        if os.name == "nt" and target.is_dir():
            target.rmdir()  # where a rename does not replace even an empty folder
        project.rename(target)
    except OSError as error:
        raise TargetError(
            f"The project cannot be moved to {target}: {reason(error)}. Nothing was written there."
        ) from error


def _absolute(path: str) -> Path:
    """Absolute, all but the last part resolved: a symbolic link there has to be seen."""
    given = Path(path)
    if given.name in ("", ".."):
        return given.resolve()
    return given.parent.resolve() / given.name


def _make(parent: Path) -> tuple[Path, BinaryIO]:
    while True:
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        except OSError as error:
            raise TargetError(f"Nothing can be written to {parent}: {reason(error)}.") from error
        try:
            lock = (folder / _LOCK).open("wb")
        except FileNotFoundError:
            continue  # swept away by another `new` before it had its lock
        with contextlib.suppress(OSError):  # a file system without locks: then nobody sweeps either
            try:
                _take(lock)
            except BlockingIOError:
                lock.close()
                continue
        if _same(folder / _LOCK, lock):
            return folder, lock
        lock.close()


def _sweep(parent: Path) -> None:
    """Remove what killed processes left, and nothing that a living one or anybody else has made."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or not folder.is_dir():
                continue
            try:
                lock = (folder / _LOCK).open("r+b")
            except FileNotFoundError:
                folder.rmdir()  # the lock comes first: ours is empty without it, and what is not stays
                continue
            try:
                _take(lock)
            except OSError:
                lock.close()
                continue
            _remove(folder, lock)


def _remove(folder: Path, lock: BinaryIO) -> None:
    if os.name == "nt":
        lock.close()  # open files cannot be deleted there
    # The lock goes last: while there is one, the folder can be told as ours.
    for entry in folder.iterdir():
        if entry.name != _LOCK:
            shutil.rmtree(entry, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def _same(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _take(file: BinaryIO) -> None:
        """Lock without waiting; OSError if somebody else has it."""
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: BinaryIO) -> None:
        """Lock without waiting; BlockingIOError if somebody else has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
