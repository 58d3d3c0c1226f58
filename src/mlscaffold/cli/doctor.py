"""`mlscaffold doctor`: what this machine lacks for which part of a project."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mlscaffold.cli import arguments, screen

if TYPE_CHECKING:
    from mlscaffold.doctor import Finding

LACKING = 4
EXIT_CODES = (
    "Exit codes: 0 everything is there; 1 this is no project; 2 wrong usage; 4 something is missing, too old, fails or"
    " is not logged in; 5 the answers file cannot be read."
)
Logins = Annotated[
    bool, typer.Option("--logins", help="Check, too, that these programs are logged in. Needs a network.")
]
_STYLES = {"ok": "green", "old": "yellow", "missing": "red", "fails": "red", "no login": "red"}


def doctor(project: arguments.Project = None, logins: Logins = False, as_json: arguments.AsJson = False) -> None:
    """Check this machine for the programs that the project's instructions and scripts call, and their versions.

    Only what the project's options need is checked. Nothing is installed, and no account is used without `--logins`.
    """
    from mlscaffold.doctor import State, examine
    from mlscaffold.project.answers import find_project

    root = find_project(project).root
    with screen.show_step("Looking for programs"):
        findings = examine(root, logins=logins)
    if as_json:
        screen.print_json({"path": str(root), "programs": [asdict(finding) for finding in findings]})
    else:
        screen.print_rows([_as_row(finding) for finding in findings], _STYLES)
    if any(finding.state != State.OK for finding in findings):
        raise typer.Exit(LACKING)


def _as_row(finding: "Finding") -> tuple[str, ...]:
    use = f"for {', '.join(finding.needed_by) or 'every command'}"
    note = f"{finding.note.rstrip('.')}; needed {use}" if finding.note else use
    return finding.state.value, finding.name, finding.version, note
