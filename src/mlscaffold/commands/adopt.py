"""`mlscaffold adopt`: shown file by file, then one commit on a branch of its own."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold import screen
from mlscaffold.commands import options
from mlscaffold.errors import StoppedError

if TYPE_CHECKING:
    from mlscaffold.adopt import Plan

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused or failed, nothing was changed; 2 wrong usage; 5 there are unresolved conflicts."
)


def adopt(
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH]",
            help="The repository's folder, or that of a project inside it; left out, the current one.",
            show_default=False,
        ),
    ] = None,
    assignments: options.Assignments = None,
    replace: Annotated[
        list[str] | None,
        typer.Option(
            "--replace",
            metavar="PATH",
            help="Take the template's version of this file of yours, or of all files in this folder; may be given"
            " several times.",
        ),
    ] = None,
    branch: Annotated[str, typer.Option(metavar="NAME", help="The branch to make.")] = "mlscaffold/adopt",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, show all files.")] = False,
    as_json: options.AsJson = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: what is not found takes its default, and is listed.")
    ] = False,
    template: options.Source = None,
    ref: options.Ref = None,
) -> None:
    """Put an existing repository under the template, so that it can be updated from then on.

    Answers are read from your files where they can be: pyproject.toml, requirements, CI, Terraform. One commit on a new
    branch adds what you have not got; where you have a file of the same name, yours stays. What is checked out is not
    touched: look at the branch, delete there what you do not want, and merge it.
    """
    from mlscaffold.adopt import Request, planned

    request = Request(
        path,
        branch,
        options.assigned(assignments or [], "--set"),
        replace or (),
        ask=not (defaults or as_json) and screen.watched(),
        template=template,
        ref=ref,
    )
    err = screen.console(stderr=True)
    notes = screen.Notes(err)
    try:
        with planned(request, screen.step(err), notes) as plan:
            if not as_json:
                _show(plan, full=dry_run)
            if request.ask and not dry_run and not typer.confirm(f"Commit this to the branch {branch}?", default=True):
                raise StoppedError("Nothing was changed.")
            commit = None if dry_run else plan.commit()
    except KeyboardInterrupt as interrupt:
        raise StoppedError("Stopped; nothing was changed.") from interrupt
    commands = _next_commands(plan)
    if as_json:
        screen.print_json(_as_data(plan, notes.said, commands, commit))
    else:
        _conclude(plan, commands, commit)


def _show(plan: "Plan", *, full: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlscaffold import draft, tree
    from mlscaffold.adopt import Fate

    out = screen.console()
    out.print(Text.assemble((plan.root.name, "bold"), f"  {plan.origin.commit} of {plan.origin.url}"))
    rows = Table.grid(padding=(0, 2))
    for name, value in plan.answers.items():
        source = f"from {plan.inferred[name].source}" if name in plan.inferred else ""
        rows.add_row(
            Text(f"  {name}"),
            Text(screen.printable(str(value)), overflow="fold"),
            Text("default" if name in plan.defaults else source, style="dim"),
        )
    out.print(Text.assemble(("Answers:", "bold"), "  (--set KEY=VALUE changes one)"))
    out.print(rows)
    added = [draft.File(file.path, file.size) for file in plan.files if file.fate is Fate.ADDED]
    out.print(Text("Added:", style="bold"))
    out.print((tree.full if full else tree.short)(plan.root.name, added), soft_wrap=True)
    for fate, title, style in (
        (Fate.REPLACED, "Replaced by the template's:", "red"),
        (Fate.KEPT, "Kept, although the template has such a file:", ""),
    ):
        files = [file for file in plan.files if file.fate is fate]
        if files:
            out.print(Text(title, style="bold"))
            for file in files:
                note = f"  ({file.note})" if file.note else ""
                line = Text.assemble((f"  {screen.printable(file.path)}", style), (note, "dim"))
                out.print(line, soft_wrap=True)


def _conclude(plan: "Plan", commands: list[str], commit: str | None) -> None:
    counts = Counter(file.fate for file in plan.files)
    summary = ", ".join(f"{count} {fate.value}" for fate, count in counts.items())
    out = screen.console()
    if commit is None:
        out.print(f"{summary}; nothing was changed.", style="dim")
        return
    out.print(f"{summary}: commit {commit[:10]} on the branch {plan.branch}.")
    out.print("Delete there what you do not want: updates leave it out from then on. Next:", style="bold")
    for command in commands:
        out.print(f"  {command}", markup=False, style="cyan", soft_wrap=True)


def _next_commands(plan: "Plan") -> list[str]:
    from mlscaffold.adopt import Fate

    branch = screen.quoted(plan.branch)
    project_file = "pyproject.toml"
    return [
        *screen.change_of_folder(plan.root),
        f"git show --stat {branch}",
        f"git merge {branch}",
        f"mlscaffold diff {project_file}" if project_file in plan.paths(Fate.KEPT) else "uv lock",
    ]


def _as_data(plan: "Plan", warnings: list[str], commands: list[str], commit: str | None) -> dict[str, Any]:
    return {
        "path": str(plan.root),
        "branch": plan.branch,
        "commit": commit,
        "template": {"url": plan.origin.url, "commit": plan.origin.commit},
        "answers": dict(plan.answers),
        "inferred": {name: answer.source for name, answer in plan.inferred.items()},
        "defaults": list(plan.defaults),
        "files": [{"path": file.path, "fate": file.fate.value, "note": file.note} for file in plan.files],
        "warnings": warnings,
        "next": commands,
    }
