"""`mlscaffold status` and `mlscaffold diff`: how a project differs from its template."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold.cli import arguments, screen
from mlscaffold.errors import BrokenProjectError

if TYPE_CHECKING:
    from mlscaffold.update.status import Status

BEHIND = 4
EXIT_CODES = (
    "Exit codes: 0 up to date, whatever you have edited; 1 refused or failed; 2 wrong usage; 4 there is something to"
    " update to; 5 broken: the answers file cannot be read, there are unresolved conflicts, or .rej files."
)
EXIT_CODES_OF_DIFF = (
    "Exit codes: 0 done, whether or not there is a difference; 1 refused or failed; 2 wrong usage; 5 the answers file"
    " cannot be read."
)


def status(
    project: arguments.Project = None, template: arguments.Template = None, as_json: arguments.AsJson = False
) -> None:
    """Show the template's version, how far behind it is, the answers, and the files that differ from the template."""
    from mlscaffold.update.status import read_status

    notes = screen.Notes()
    found = read_status(project, template, screen.show_step, notes)
    if as_json:
        screen.print_json(_as_data(found, notes.said))
    else:
        _show(found)
    if found.broken:
        raise typer.Exit(BrokenProjectError.exit_code)
    if found.behind:
        raise typer.Exit(BEHIND)


def diff(
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="One of the project's files. Default: all.", show_default=False),
    ] = None,
    project: arguments.Project = None,
    template: arguments.Template = None,
) -> None:
    """Show your changes to the template's files, as a patch."""
    from mlscaffold.update.status import read_difference

    screen.print_diff(read_difference(project, file, template, screen.show_step, screen.Notes()))


def _show(found: "Status") -> None:
    from mlscaffold.update.status import MEANING

    out = screen.open_console()
    screen.print_title(found.project.root.name, f"{found.project.commit} of {found.project.url}")
    if found.behind:
        releases, commits = screen.count(len(found.releases), "release"), screen.count(found.commits, "commit")
        what = releases if found.releases else commits
        text = f"{what} behind {found.newest}; `mlscaffold update --dry-run` shows what it brings."
        out.print(text, style="yellow", soft_wrap=True)
    else:
        out.print("Up to date.", style="green")
    out.print("Answers:", style="bold")
    screen.print_rows([(name, str(value)) for name, value in found.project.answers.items()])
    for title, paths in (
        ("Conflicts to resolve:", found.conflicts),
        ("Left by a rejected patch:", found.rejects),
        ("Edits in core, where updates will meet them:", found.core or ()),
    ):
        if paths:
            out.print(title, style="bold red")
            screen.print_rows([(path,) for path in paths])
    if found.core is not None and not found.core:
        out.print("Edits in core: none.")
    if found.files:
        out.print("Different from the template's:", style="bold")
        screen.print_rows([(state.value, name, MEANING[state]) for name, state in found.files])


def _as_data(found: "Status", warnings: list[str]) -> dict[str, Any]:
    return {
        "path": str(found.project.root),
        "template": {"url": found.project.url, "commit": found.project.commit, "newest": found.newest},
        "behind": {"commits": found.commits, "releases": list(found.releases)},
        "broken": found.broken,
        "answers": dict(found.project.answers),
        "files": [{"path": path, "state": state.value} for path, state in found.files],
        "core_edits": None if found.core is None else list(found.core),
        "conflicts": list(found.conflicts),
        "rejects": list(found.rejects),
        "warnings": warnings,
    }
