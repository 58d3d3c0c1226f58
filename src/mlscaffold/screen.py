"""What every command needs to speak to people and to scripts."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from mlscaffold.draft import Step


def console(*, stderr: bool = False) -> "Console":
    """A console that leaves words as they are."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def printable(text: str) -> str:
    """The text without what would steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    console(stderr=True).print(printable(f"Error: {message}"), style="red", markup=False, soft_wrap=True)


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object."""
    print(json.dumps(content, indent=2))


def print_diff(patch: str) -> None:
    """Print a patch, in colour where somebody watches."""
    from rich.text import Text

    out = console()
    for line in patch.splitlines():
        style = "green" if line.startswith("+") else "red" if line.startswith("-") else ""
        out.print(Text(printable(line.replace("\t", "    ")), style=style), soft_wrap=True)


def quoted(word: str) -> str:
    """A word as the shell takes it."""
    return subprocess.list2cmdline([word]) if os.name == "nt" else shlex.quote(word)


def change_of_folder(root: Path) -> list[str]:
    """The command that goes to a folder; none if we are there."""
    here = Path.cwd()
    if here == root:
        return []
    return [f"cd {quoted(str(root.relative_to(here) if root.is_relative_to(here) else root))}"]


def watched() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def step(console: "Console") -> "Step":
    """A spinner while something takes its time; silent where nobody watches."""

    def step(message: str) -> contextlib.AbstractContextManager[object]:
        return console.status(f"{message} …", spinner="dots") if console.is_terminal else contextlib.nullcontext()

    return step


class Notes:
    """Tells what was left out, one sentence each, and remembers it."""

    def __init__(self, console: "Console") -> None:
        self.console = console
        self.said: list[str] = []

    def __call__(self, message: str) -> None:
        """Tell it."""
        self.said.append(message)
        self.console.print(printable(f"Note: {message}"), style="yellow", markup=False, soft_wrap=True)
