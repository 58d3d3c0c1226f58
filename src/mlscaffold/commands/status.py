"""`mlscaffold status` and `mlscaffold diff`: how a project stands to its template."""

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold import screen
from mlscaffold.commands import options
from mlscaffold.errors import BrokenProjectError

if TYPE_CHECKING:
    from mlscaffold.status import Status

EXIT_CODES = (
    "Exit codes: 0 up to date, whatever you have edited; 1 refused or failed; 2 wrong usage; 4 there is something to"
    " update to; 5 broken: the answers file cannot be read, there are unresolved conflicts, or .rej files."
)


def status(path: options.Path = None, template: options.Template = None, as_json: options.AsJson = False) -> None:
    """Show the template's version, how far behind it is, the answers, and the files that differ from the template's."""
    from mlscaffold import status as engine

    err = screen.console(stderr=True)
    notes = screen.Notes(err)
    found = engine.of(path, template, screen.step(err), notes)
    if as_json:
        screen.print_json(_as_data(found, notes.said))
    else:
        _show(found)
    if found.broken:
        raise typer.Exit(BrokenProjectError.exit_code)
    if found.behind:
        raise typer.Exit(options.BEHIND)


def diff(
    path: options.Path = None,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="One of its files; left out, all.", show_default=False)
    ] = None,
    template: options.Template = None,
) -> None:
    """Show what you have changed in the template's files, as a patch from theirs to yours."""
    from mlscaffold import status as engine
    from mlscaffold.project import ANSWERS_FILE

    if file is None and path is not None and not (FilePath(path) / ANSWERS_FILE).is_file():
        path, file = (None, path) if not FilePath(path).is_dir() else (path, None)
    err = screen.console(stderr=True)
    screen.print_diff(engine.difference(path, file, template, screen.step(err), screen.Notes(err)))


def _show(found: "Status") -> None:
    from rich.table import Table
    from rich.text import Text

    from mlscaffold.status import MEANING

    out = screen.console()
    out.print(Text.assemble((found.project.root.name, "bold"), f"  {found.project.commit} of {found.project.url}"))
    if found.behind:
        what = _count(len(found.releases), "release") if found.releases else _count(found.commits, "commit")
        out.print(f"{what} behind {found.newest}; `mlscaffold update --dry-run` shows what it brings.", style="yellow")
    else:
        out.print("Up to date.", style="green")
    rows = Table.grid(padding=(0, 2))
    for name, value in found.project.answers.items():
        rows.add_row(Text(f"  {screen.printable(name)}"), Text(screen.printable(str(value))))
    out.print(Text("Answers:", style="bold"))
    out.print(rows)
    for title, paths in (("Conflicts to resolve:", found.conflicts), ("Left by a rejected patch:", found.rejects)):
        if paths:
            out.print(Text(title, style="bold red"))
            for name in paths:
                out.print(Text(f"  {screen.printable(name)}"))
    if found.files:
        out.print(Text("Different from the template's:", style="bold"))
        rows = Table.grid(padding=(0, 2))
        for name, state in found.files:
            rows.add_row(
                Text(f"  {state.value}"),
                Text(screen.printable(name), overflow="fold"),
                Text(MEANING[state], style="dim"),
            )
        out.print(rows)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_data(found: "Status", warnings: list[str]) -> dict[str, Any]:
    return {
        "path": str(found.project.root),
        "template": {"url": found.project.url, "commit": found.project.commit, "newest": found.newest},
        "behind": {"commits": found.commits, "releases": list(found.releases)},
        "broken": found.broken,
        "answers": dict(found.project.answers),
        "files": [{"path": path, "state": state.value} for path, state in found.files],
        "conflicts": list(found.conflicts),
        "rejects": list(found.rejects),
        "warnings": warnings,
    }
