"""`mlscaffold update` and `mlscaffold set`: shown file by file, then applied all or nothing."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold import screen
from mlscaffold.commands import options
from mlscaffold.errors import LossError, StoppedError

if TYPE_CHECKING:
    from mlscaffold.update import Plan, Request

DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, show the verdict on each file.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the changed lines, too.")]
Accept = Annotated[
    bool,
    typer.Option(
        "--accept-removals",
        help="Go on although edits of yours would then only be in git's history. Without a terminal nothing else says"
        " yes; in one, you are asked.",
    ),
]
Defaults = Annotated[
    bool, typer.Option("--defaults", help="Ask nothing: new questions take their defaults, and are listed.")
]
EXIT_CODES = (
    "Exit codes: 0 done, or nothing to do; 1 refused or failed, nothing was changed; 2 wrong usage; 3 done, with"
    " conflicts for you to resolve; 5 the answers file is broken, or there are conflicts already; 6 edits of yours"
    " would be lost and nobody has accepted that. --dry-run ends with the code that the real run would end with."
)


def update(
    path: options.Path = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", "--ref", metavar="VERSION", help="The version to take: a tag, or any commit of the template."
        ),
    ] = None,
    assignments: options.Assignments = None,
    template: options.Template = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: options.AsJson = False,
    accept_removals: Accept = False,
    defaults: Defaults = False,
) -> None:
    """Take what the template has learned since; your edits are merged.

    Everything is tried in a repository of its own first. You see what will happen to each file, then it happens at
    once or not at all. Nothing is committed: look at it with `git diff`, and undo it with `git restore`.
    """
    from mlscaffold.update import Request

    request = Request(
        path,
        options.assigned(assignments or [], "--set"),
        version=to,
        template=template,
        ask=not (defaults or as_json) and screen.watched(),
    )
    _run(request, dry_run=dry_run, diff=diff, as_json=as_json, accept=accept_removals)


def set_(
    words: options.Words,
    template: options.Template = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: options.AsJson = False,
    accept_removals: Accept = False,
    defaults: Defaults = False,
) -> None:
    """Change answers of a project: add a component, drop one, switch one, years later.

    The files become what they would be had you answered so at the start, with your edits merged, at the template
    version that the project is at. `mlscaffold status` shows the answers, `mlscaffold options` what can be answered.
    """
    from mlscaffold.update import Request

    path = None if options.is_assignment(words[0]) else words[0]
    assignments = words if path is None else words[1:]
    if not assignments:
        raise typer.BadParameter("Say what to change, such as KEY=VALUE.")
    request = Request(
        path,
        options.assigned(assignments, "KEY=VALUE"),
        stay=True,
        template=template,
        ask=not (defaults or as_json) and screen.watched(),
    )
    _run(request, dry_run=dry_run, diff=diff, as_json=as_json, accept=accept_removals)


def _run(request: "Request", *, dry_run: bool, diff: bool, as_json: bool, accept: bool) -> None:
    from mlscaffold.update import planned

    err = screen.console(stderr=True)
    notes = screen.Notes(err)
    asking = not as_json and screen.watched() and not dry_run
    try:
        with planned(request, screen.step(err), notes) as plan:
            if not as_json:
                _show(plan, diff=diff)
            accept = accept or (asking and _confirmed(plan, ask=request.ask))
            refused = bool(plan.losses) and not accept
            applied = not (dry_run or refused or plan.empty)
            if applied:
                plan.apply(accept_losses=accept)
            if refused and not dry_run:
                plan.refuse_losses()
            if as_json:
                screen.print_json(_as_data(plan, notes.said, diff=diff, applied=applied))
            else:
                _conclude(plan, applied=applied, dry_run=dry_run)
            if refused:
                raise typer.Exit(LossError.exit_code)
            if plan.conflicts:
                raise typer.Exit(options.CONFLICTS)
    except KeyboardInterrupt as interrupt:
        raise StoppedError("Stopped; nothing was changed.") from interrupt


def _show(plan: "Plan", *, diff: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    out = screen.console()
    way = plan.old if plan.old == plan.new else f"{plan.old} → {plan.new}"
    out.print(Text.assemble((plan.project.root.name, "bold"), f"  {way}"))
    if plan.empty:
        return
    table = Table.grid(padding=(0, 2))
    for file in plan.files:
        style = "red" if file.verdict.loses_edits else _STYLES.get(file.verdict.value, "")
        table.add_row(
            Text(f"  {file.verdict.value}", style=style),
            Text(screen.printable(file.path), overflow="fold"),
            Text(file.meaning, style="dim" if style != "red" else "red"),
        )
    out.print(table)
    for name, value in plan.new_answers.items():
        out.print(
            f"  New question: {name}, answered {value!r}; `mlscaffold set {name}=VALUE` changes it.", markup=False
        )
    if diff:
        screen.print_diff(plan.text())


_STYLES = {"added": "green", "updated": "cyan", "merged": "cyan", "conflict": "yellow", "removed": "magenta"}


def _confirmed(plan: "Plan", *, ask: bool) -> bool:
    """Ask whether to go on: always if edits would be lost; Ctrl-C and no end it."""
    if plan.losses:
        count = len(plan.losses)
        what = "the edits in that file" if count == 1 else f"the edits in those {count} files"
        return typer.confirm(f"Go on, and leave {what} to git's history?", default=False)
    if ask and not plan.empty and not typer.confirm("Apply this?", default=True):
        raise StoppedError("Nothing was changed.")
    return False


def _conclude(plan: "Plan", *, applied: bool, dry_run: bool) -> None:
    out = screen.console()
    if plan.empty:
        out.print("Nothing to do.")
        return
    if not applied:
        out.print(f"{_counts(plan)}; nothing was changed." if dry_run else "Nothing was changed.", style="dim")
        return
    out.print(f"{_counts(plan)}.")
    if plan.conflicts:
        out.print("Resolve the conflicts, between <<<<<<< and >>>>>>>, in:", style="yellow")
        for path in plan.conflicts:
            out.print(f"  {screen.printable(path)}", markup=False, soft_wrap=True)
    steps = ["git diff"]
    if any(file.path == "pyproject.toml" for file in plan.files) and (plan.project.root / "uv.lock").is_file():
        steps.append("uv lock")
    out.print("Next:", style="bold")
    for step in [*screen.change_of_folder(plan.project.root), *steps, "git add --all && git commit"]:
        out.print(f"  {step}", markup=False, style="cyan", soft_wrap=True)


def _counts(plan: "Plan") -> str:
    counts = Counter(file.verdict for file in plan.files)
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())


def _as_data(plan: "Plan", warnings: list[str], *, diff: bool, applied: bool) -> dict[str, Any]:
    data = {
        "path": str(plan.project.root),
        "from": plan.old,
        "to": plan.new,
        "applied": applied,
        "files": [{"path": f.path, "verdict": f.verdict.value, "note": f.note} for f in plan.files],
        "conflicts": plan.conflicts,
        "losses": [file.path for file in plan.losses],
        "answers": dict(plan.answers),
        "new_answers": dict(plan.new_answers),
        "warnings": warnings,
    }
    return data | ({"diff": plan.text()} if diff else {})
