"""`mlscaffold update` and `mlscaffold set`: shown file by file, then applied all or nothing."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold.cli import arguments, prompts, screen
from mlscaffold.errors import StoppedError

if TYPE_CHECKING:
    from mlscaffold.update.plan import Plan, Request

Diff = Annotated[bool, typer.Option("--diff", help="Also show the changed lines.")]
CONFLICTS = 3
EXIT_CODES = (
    "Exit codes: 0 done, or nothing to do; 1 refused or failed, nothing was changed; 2 wrong usage; 3 done, with"
    " conflicts for you to resolve; 5 the answers file is broken, or there are conflicts already. --dry-run ends with"
    " the code that the real run would end with."
)
_STYLES = {"added": "green", "updated": "cyan", "merged": "cyan", "conflict": "yellow", "removed": "magenta"}


def update(
    project: arguments.Project = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", "--ref", metavar="VERSION", help="The version to update to: a tag or any commit of the template."
        ),
    ] = None,
    assignments: arguments.Assignments = None,
    template: arguments.Template = None,
    dry_run: arguments.DryRun = False,
    diff: Diff = False,
    as_json: arguments.AsJson = False,
    defaults: arguments.Defaults = False,
) -> None:
    """Merge a newer version of the template with your edits, including files that you or the template moved.

    The update is tried in a scratch repository first. You see what will happen to each file; then all of it is applied,
    or nothing. Nothing is committed: review it with `git diff`, and undo it with `git restore`.
    """
    from mlscaffold.update.plan import Request

    request = Request(
        project,
        arguments.parse_assignments(assignments or [], "--set"),
        version=to,
        template=template,
        ask=prompts.choose_asker(quiet=defaults or as_json),
    )
    _run(request, dry_run=dry_run, diff=diff, as_json=as_json)


def set_answers(
    words: arguments.Words,
    project: arguments.Project = None,
    template: arguments.Template = None,
    dry_run: arguments.DryRun = False,
    diff: Diff = False,
    as_json: arguments.AsJson = False,
    defaults: arguments.Defaults = False,
) -> None:
    """Change a project's answers: add, drop or switch an option, or rename the project.

    The files become what they would be with these answers from the start, merged with your edits. The template's
    version stays. `mlscaffold status` shows the answers, and `mlscaffold options` lists the choices.
    """
    from mlscaffold.update.plan import Request

    request = Request(
        project,
        arguments.parse_assignments(words, "KEY=VALUE"),
        stay=True,
        template=template,
        ask=prompts.choose_asker(quiet=defaults or as_json),
    )
    _run(request, dry_run=dry_run, diff=diff, as_json=as_json)


def _run(request: "Request", *, dry_run: bool, diff: bool, as_json: bool) -> None:
    from mlscaffold.update.plan import open_plan

    notes = screen.Notes()
    with screen.explain_stop("nothing was changed"), open_plan(request, screen.show_step, notes) as plan:
        if not as_json:
            _show(plan, diff=diff)
        applied = not (dry_run or plan.empty)
        if applied and request.ask and not typer.confirm("Apply this?", default=True):
            raise StoppedError("Nothing was changed.")
        if applied:
            plan.apply()  # from its end on, nothing stops us any more
        if as_json:
            screen.print_json(_as_data(plan, notes.said, diff=diff, applied=applied))
        else:
            _conclude(plan, applied=applied)
        if plan.conflicts:
            raise typer.Exit(CONFLICTS)


def _show(plan: "Plan", *, diff: bool) -> None:
    from mlscaffold.update.verdicts import explain

    out = screen.open_console()
    way = plan.old if plan.old == plan.new else f"{plan.old} → {plan.new}"
    screen.print_title(plan.project.root.name, way)
    if plan.empty:
        return
    screen.print_rows([(file.verdict.value, file.path, explain(file)) for file in plan.files], _STYLES)
    for name, value in plan.new_answers.items():
        text = f"  New question: {name}, answered {value!r}; `mlscaffold set {name}=VALUE` changes it."
        out.print(text, markup=False, soft_wrap=True)
    if diff:
        screen.print_diff(plan.text())


def _conclude(plan: "Plan", *, applied: bool) -> None:
    out = screen.open_console()
    if plan.empty:
        out.print("Nothing to do.")
        return
    summary = screen.summarize(plan.files)
    if not applied:
        out.print(f"{summary}; nothing was changed.", style="dim", soft_wrap=True)
        return
    out.print(f"{summary}.", soft_wrap=True)
    if plan.conflicts:
        out.print("Resolve the conflicts, between <<<<<<< and >>>>>>> or about a removed file, in:", style="yellow")
        for path in sorted(plan.conflicts):
            out.print(f"  {screen.make_printable(path)}", markup=False, soft_wrap=True)
    steps = ["git diff"]
    if any(file.path == "pyproject.toml" for file in plan.files) and (plan.project.root / "uv.lock").is_file():
        steps.append("uv lock")
    screen.print_commands([*screen.suggest_folder(plan.project.root), *steps, "git add --all && git commit"])


def _as_data(plan: "Plan", warnings: list[str], *, diff: bool, applied: bool) -> dict[str, Any]:
    data = {
        "path": str(plan.project.root),
        "from": plan.old,
        "to": plan.new,
        "applied": applied,
        "files": [{"path": f.path, "verdict": f.verdict.value, "note": f.note} for f in plan.files],
        "conflicts": sorted(plan.conflicts),
        "answers": dict(plan.answers),
        "new_answers": dict(plan.new_answers),
        "warnings": warnings,
    }
    return data | ({"diff": plan.text()} if diff else {})
