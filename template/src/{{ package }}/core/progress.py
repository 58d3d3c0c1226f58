"""What a person sees of a long step: a spinner on a terminal, and lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console

SECONDS_BETWEEN_LINES = 30

_console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[Callable[[str], None]]:
    """Say that a step is under way for as long as the context lasts; what it yields says how far it has come."""
    if _console.is_terminal:
        with _console.status(name) as status:
            yield lambda text: status.update(f"{name}: {text}")
    else:
        _console.print(name, markup=False)
        yield _seldom(lambda text: _console.print(f"{name}: {text}", markup=False))


def _seldom(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return the same, but for what follows the last word too soon."""
    last = time.monotonic()

    def seldom(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(text)

    return seldom
