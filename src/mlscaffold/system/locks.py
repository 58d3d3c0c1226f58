"""Locks on open files, which end with the last process that holds them: git may inherit one."""

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def take_lock(file: IO[bytes]) -> None:
        """Lock without waiting; OSError if somebody else has it."""
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def take_lock(file: IO[bytes]) -> None:
        """Lock without waiting; BlockingIOError if somebody else has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
