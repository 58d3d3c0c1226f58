"""`mlscaffold adopt`: shown file by file, then one commit on a branch of its own."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold.cli import arguments, prompts, screen
from mlscaffold.errors import StoppedError

if TYPE_CHECKING:
    from mlscaffold.adopt.plan import Plan

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused or failed, nothing was changed; 2 wrong usage; 5 there are unresolved conflicts."
)


def adopt(
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-C",
            metavar="DIR",
            help="The repository's folder, or that of a project inside it. Default: the current folder.",
            show_default=False,
        ),
    ] = None,
    assignments: arguments.Assignments = None,
    replace: Annotated[
        list[str] | None,
        typer.Option(
            "--replace",
            metavar="PATH",
            help="Take the template's version of this file, or of all files in this folder, in place of yours or"
            " although it would be left out; may be given several times.",
        ),
    ] = None,
    branch: Annotated[str, typer.Option(metavar="NAME", help="The branch to create.")] = "mlscaffold/adopt",
    dry_run: arguments.DryRun = False,
    as_json: arguments.AsJson = False,
    defaults: arguments.Defaults = False,
    template: arguments.Source = None,
    ref: arguments.Ref = None,
) -> None:
    """Bring an existing repository under the template, so that it can be updated from then on.

    Answers are read from your files where possible: pyproject.toml, requirements, CI, Terraform. One commit on a new
    branch adds the template's files that you do not have; files of the same name stay yours. Your checked-out files are
    not touched: review the branch, delete there what you do not want, and merge it.
    """
    from mlscaffold.adopt.plan import Request, open_plan

    request = Request(
        project,
        branch,
        arguments.parse_assignments(assignments or [], "--set"),
        replace or (),
        ask=prompts.choose_asker(quiet=defaults or as_json),
        template=template,
        ref=ref,
    )
    notes = screen.Notes()
    with screen.explain_stop("nothing was changed"), open_plan(request, screen.show_step, notes) as plan:
        if not as_json:
            _show(plan, full=dry_run)
        if request.ask and not dry_run and not typer.confirm(f"Commit this to the branch {branch}?", default=True):
            raise StoppedError("Nothing was changed.")
        commit = None if dry_run else plan.commit()  # from its end on, nothing stops us any more
        commands = _suggest_commands(plan)
        if as_json:
            screen.print_json(_as_data(plan, notes.said, commands, commit))
        else:
            _conclude(plan, commands, commit)


def _show(plan: "Plan", *, full: bool) -> None:
    from mlscaffold.adopt.plan import TITLES
    from mlscaffold.cli import file_tree
    from mlscaffold.project.files import Verdict, select

    out = screen.open_console()
    screen.print_title(plan.root.name, f"{plan.origin.commit} of {plan.origin.url}")
    screen.print_title("Answers:", "(--set KEY=VALUE changes one)")
    sources = {name: f"from {answer.source}" for name, answer in plan.inferred.items()}
    sources |= dict.fromkeys(plan.defaults, "default")
    screen.print_rows([(name, str(value), sources.get(name, "")) for name, value in plan.answers.items()])
    out.print("Added:", style="bold")
    out.print(file_tree.draw_files(plan.root.name, select(plan.files, Verdict.ADDED), full=full), soft_wrap=True)
    for verdict, title in TITLES.items():
        files = select(plan.files, verdict)
        if files:
            out.print(title, style="bold red" if verdict is Verdict.REPLACED else "bold")
            rows = [(file.path, file.note) for file in files]
            screen.print_rows(file_tree.list_folders(files) if verdict is Verdict.LEFT_OUT else rows)
    for note in plan.missing:
        out.print(note, markup=False, style="yellow", soft_wrap=True)


def _conclude(plan: "Plan", commands: list[str], commit: str | None) -> None:
    summary = screen.summarize(plan.files)
    out = screen.open_console()
    if commit is None:
        out.print(f"{summary}; nothing was changed.", style="dim")
        return
    out.print(f"{summary}: commit {commit[:10]} on the branch {plan.branch}.", soft_wrap=True)
    screen.print_commands(commands, "Delete there what you do not want: updates leave it out from then on. Next:")


def _suggest_commands(plan: "Plan") -> list[str]:
    from mlscaffold.project.files import Verdict

    branch = screen.quote(plan.branch)
    project_file = "pyproject.toml"
    return [
        *screen.suggest_folder(plan.root),
        f"git show --stat {branch}",
        f"git merge {branch}",
        f"mlscaffold diff {project_file}" if project_file in plan.paths(Verdict.KEPT) else "uv lock",
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
        "files": [{"path": file.path, "verdict": file.verdict.value, "note": file.note} for file in plan.files],
        "missing": list(plan.missing),
        "warnings": warnings,
        "next": commands,
    }
