"""Signals that end a process politely: until its work is done they stop it, and then they do not matter."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_POLITE = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def stop_politely() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, and have everything as before at the end."""
    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in _POLITE}
    hook_before = sys.unraisablehook

    def interrupt_again(unraisable: sys.UnraisableHookArgs) -> None:
        """Repeat an interrupt that Python has just dropped, because it came while an object was being finalized."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            number = next(iter(unraisable.exc_value.args), signal.SIGINT)
            threading.Timer(0.01, _signal_main_thread, [number]).start()
        else:
            hook_before(unraisable)

    sys.unraisablehook = interrupt_again
    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # `nohup` ignores one of them
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        sys.unraisablehook = hook_before
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


def _signal_main_thread(number: int) -> None:
    main = threading.main_thread().ident
    if main and hasattr(signal, "pthread_kill"):  # wakes it from a system call, too
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)
