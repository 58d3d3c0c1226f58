"""Signals that end a process politely: until its work is done they stop it, and then they do not matter."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

_POLITE = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def stop_politely() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, and have everything as before at the end."""
    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in _POLITE}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # `nohup` ignores one of them
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def finish_undisturbed() -> Iterator[None]:
    """Make the last step and its report one thing: from here on nothing stops us, so that what we say is true."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _POLITE)
    try:
        yield
        for number in _POLITE:
            signal.signal(number, signal.SIG_IGN)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
