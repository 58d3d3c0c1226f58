"""What a person sees of a long step: a spinner on a terminal, one line for each step elsewhere."""

import contextlib
from collections.abc import Iterator

from rich.console import Console

_console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Say that a step is under way for as long as the context lasts."""
    if _console.is_terminal:
        with _console.status(name):
            yield
    else:
        _console.print(name, markup=False)
        yield
