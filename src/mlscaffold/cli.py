"""The command line: parsing and printing, nothing else."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold import __version__, git, screen
from mlscaffold.commands import adopt, status, update
from mlscaffold.commands import options as arguments
from mlscaffold.errors import MlscaffoldError, StoppedError

if TYPE_CHECKING:
    from mlscaffold.create import Project

app = typer.Typer(
    help="Machine-learning repositories that train, pass a gate, serve and stay current.",
    epilog="Exit codes: 0 done; 1 refused or failed, one sentence on stderr says why; 2 wrong usage; 3 updated, with"
    " conflicts to resolve; 4 behind; 5 broken; 6 edits would be lost. The help of each command tells which of them it"
    " has.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run() -> None:
    """Run `sys.argv` and end the process with a documented exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a path need not be text
    for name in ("SIGTERM", "SIGHUP"):  # to be ended politely is to be stopped: nothing stays behind
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is signal.SIG_DFL:  # `nohup` ignores one of them
            signal.signal(number, signal.default_int_handler)
    git.forget_the_caller()
    try:
        with _shell():
            app(prog_name="mlscaffold")
    except MlscaffoldError as error:
        screen.complain(error.message)
        sys.exit(error.exit_code)
    except OSError as error:  # no space left, no temporary folder: the machine's matter, not a mistake of ours
        screen.complain(f"{error}.")
        sys.exit(1)


def _shell() -> contextlib.AbstractContextManager[None]:
    if "_MLSCAFFOLD_COMPLETE" not in os.environ:
        return contextlib.nullcontext()
    from mlscaffold import completion

    return completion.bash_words()


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mlscaffold {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Exit codes: 0 done, 1 refused or failed (nothing was written), 2 wrong usage.")
def new(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="The folder to make; it must be absent or empty. Its name is the project's, unless you say otherwise.",
        ),
    ],
    assignments: arguments.Assignments = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yml",
            exists=True,
            dir_okay=False,
            help="Answer questions from a file; the .copier-answers.yml of another project will do. --set wins.",
        ),
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: what is not given takes its default.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, show what would be written.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and ask nothing.")] = False,
    no_git: Annotated[bool, typer.Option("--no-git", help="Start no git repository.")] = False,
    no_lock: Annotated[bool, typer.Option("--no-lock", help="Do not lock the package versions with uv.")] = False,
    template: arguments.Source = None,
    ref: arguments.Ref = None,
) -> None:
    """Make a project: answer a few questions, or none.

    All is prepared beside PATH and moved there at the end, so that there is either a whole project or nothing.
    Without a terminal nothing is asked.
    """
    given = _given(answers, assignments or [])

    from mlscaffold import create

    request = create.Request(
        path=path,
        answers=given,
        ask=not (defaults or as_json) and screen.watched(),
        lock=not no_lock,
        git=not no_git,
        trace=as_json,
        template=template,
        ref=ref,
    )
    err = screen.console(stderr=True)
    warn = screen.Notes(err)

    try:
        project = (create.preview if dry_run else create.new)(request, screen.step(err), warn)
    except KeyboardInterrupt as interrupt:
        raise StoppedError("Stopped; nothing was written.") from interrupt
    commands = _next_commands(path, project)
    if as_json:
        screen.print_json(_as_data(project, warn.said, commands, written=not dry_run))
        return
    out = screen.console()
    out.print()
    out.print(_tree(project, full=dry_run), soft_wrap=True)
    out.print()
    if dry_run:
        out.print(f"{len(project.files)} files; nothing was written.", style="dim")
        return
    out.print("Next:", style="bold")
    for command in commands:
        out.print(f"  {command}", markup=False, style="cyan", soft_wrap=True)


app.command(epilog=update.EXIT_CODES)(update.update)
app.command("set", epilog=update.EXIT_CODES)(update.set_)
app.command(epilog=adopt.EXIT_CODES)(adopt.adopt)
app.command(epilog=status.EXIT_CODES)(status.status)
app.command()(status.diff)


@app.command()
def options(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show every question, its choices and what each of them brings."""
    from mlscaffold import questions, source
    from mlscaffold.create import BETTER_DEFAULTS

    asked = questions.read(source.find()).asked
    if as_json:
        screen.print_json(
            {
                "questions": [
                    {
                        "name": question.name,
                        "help": question.help,
                        "type": question.type,
                        "default": question.default,
                        "better_default": BETTER_DEFAULTS.get(question.name),
                        "choices": [
                            {"value": choice.value, "title": choice.title, "brings": choice.brings}
                            for choice in question.choices
                        ],
                    }
                    for question in asked
                ]
            }
        )
        return

    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = screen.console()
    for question in asked:
        out.print(Text.assemble((question.name, "bold cyan"), "  ", question.help))
        table = Table.grid(padding=(0, 2))
        for choice in question.choices:
            mark = " (default)" if choice.value == question.default else ""
            table.add_row(
                Text.assemble(choice.value, (mark, "dim")), Text(choice.title), Text(choice.brings, style="dim")
            )
        if not question.choices:
            defaults = filter(None, (BETTER_DEFAULTS.get(question.name), question.default))
            table.add_row(Text(f"default: {', else '.join(defaults) or 'none'}", style="dim"))
        out.print(Padding(table, (0, 0, 1, 2)))
    out.print("Answer one with `mlscaffold new PATH --set KEY=VALUE`.", style="dim")


def _given(file: Path | None, assignments: list[str]) -> dict[str, Any]:
    from mlscaffold import questions

    return {**(questions.read_answers(file) if file else {}), **arguments.assigned(assignments, "--set")}


def _next_commands(path: str, project: "Project") -> list[str]:
    from mlscaffold import uv

    run = f"{screen.quoted(uv.command())} run {project.command}"
    return [f"cd {screen.quoted(path)}", f"{run} pipeline", f"{run} serve"]


def _as_data(project: "Project", warnings: list[str], commands: list[str], *, written: bool) -> dict[str, Any]:
    return {
        "path": str(project.path),
        "written": written,
        "answers": dict(project.answers),
        "template": {"url": project.origin.url, "commit": project.origin.commit},
        "files": [{"path": file.path, "size": file.size, "layers": list(file.layers)} for file in project.files],
        "locked": project.locked,
        "commit": project.commit,
        "warnings": warnings,
        "next": commands,
    }


def _tree(project: "Project", *, full: bool) -> Any:
    from mlscaffold import tree

    return tree.full(project.path.name, project.files) if full else tree.short(project.path.name, project.files)
