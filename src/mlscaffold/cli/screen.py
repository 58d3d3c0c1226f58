"""What every command needs to speak to people and to scripts."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mlscaffold.errors import StoppedError

if TYPE_CHECKING:
    from rich.console import Console

    from mlscaffold.project.files import File


def open_console(*, stderr: bool = False) -> "Console":
    """A console that leaves words as they are."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def make_printable(text: str) -> str:
    """The text without what would steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    _tell(f"Error: {message}", "red")


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object; what JSON has no word for, such as a date, becomes text."""
    print(json.dumps(content, indent=2, default=str))


def print_rows(rows: Sequence[Sequence[str]], styles: Mapping[str, str] | None = None) -> None:
    """Print aligned rows, each on one line where nobody watches: for grep, and to be copied.

    Args:
        rows: of cells; the last one is dim.
        styles: of the first cell, by what it says.
    """
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = open_console()
    if not out.is_terminal:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = [make_printable(cell).ljust(width) for cell, width in zip(row, widths, strict=True)]
            print(f"  {'  '.join(padded)}".rstrip())
        return
    table = Table.grid(padding=(0, 2))
    for first, *others in rows:
        cells = [Text(make_printable(cell), overflow="fold") for cell in others]
        if cells:
            cells[-1].stylize("dim")
        table.add_row(Text(make_printable(first), style=(styles or {}).get(first, "")), *cells)
    out.print(Padding(table, (0, 0, 0, 2)))


def print_title(title: str, more: str) -> None:
    """Print a line that begins with what it is about."""
    from rich.text import Text

    open_console().print(Text.assemble((make_printable(title), "bold"), "  ", make_printable(more)), soft_wrap=True)


def print_commands(commands: Iterable[str], title: str = "Next:") -> None:
    """Print commands to be copied."""
    out = open_console()
    out.print(title, style="bold")
    for command in commands:
        out.print(f"  {command}", markup=False, style="cyan", soft_wrap=True)


def print_diff(patch: str) -> None:
    """Print a patch, in colour where somebody watches."""
    from rich.text import Text

    out = open_console()
    for line in patch.splitlines():
        style = "green" if line.startswith("+") else "red" if line.startswith("-") else ""
        out.print(Text(make_printable(line.replace("\t", "    ")), style=style), soft_wrap=True)


def quote(word: str) -> str:
    """A word as the shell takes it."""
    return subprocess.list2cmdline([word]) if os.name == "nt" else shlex.quote(word)


def suggest_folder(root: Path) -> list[str]:
    """The command that goes to a folder; none if we are there."""
    here = Path.cwd()
    if here == root:
        return []
    return [f"cd {quote(str(root.relative_to(here) if root.is_relative_to(here) else root))}"]


def is_watched() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def show_step(message: str) -> contextlib.AbstractContextManager[object]:
    """A spinner while something takes its time; silent where nobody watches."""
    err = open_console(stderr=True)
    return err.status(f"{message} …", spinner="dots") if err.is_terminal else contextlib.nullcontext()


@contextlib.contextmanager
def explain_stop(state: str) -> Iterator[None]:
    """Let Ctrl-C end in a sentence that says what was done: typer would only say "Aborted"."""
    try:
        yield
    except (KeyboardInterrupt, typer.Abort) as interrupt:
        raise StoppedError(f"Stopped; {state}.") from interrupt


class Notes:
    """Tells what was left out, one sentence each, and remembers it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, message: str) -> None:
        """Tell it."""
        self.said.append(message)
        _tell(f"Note: {message}", "yellow")


def count(number: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summarize(files: Iterable["File"]) -> str:
    """How many files there are of each verdict."""
    counts = Counter(file.verdict for file in files)
    return ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items())


def _tell(message: str, style: str) -> None:
    open_console(stderr=True).print(make_printable(message), style=style, markup=False, soft_wrap=True)
