"""`mlscaffold new`: questions, then a project."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlscaffold.cli import arguments, prompts, screen

if TYPE_CHECKING:
    from mlscaffold.create import Product

EXIT_CODES = "Exit codes: 0 done; 1 refused or failed, nothing was written; 2 wrong usage."


def new(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="The folder to create; an existing one must be empty. Its name is the default for the project's name.",
        ),
    ],
    assignments: arguments.Assignments = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yml",
            exists=True,
            dir_okay=False,
            help="Read answers from a file, such as the .copier-answers.yml of another project. --set overrides it.",
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="LINK", help="Take the choices of a link that the explorer copied, and ask nothing."),
    ] = None,
    defaults: arguments.Defaults = False,
    dry_run: arguments.DryRun = False,
    as_json: arguments.AsJson = False,
    no_git: Annotated[bool, typer.Option("--no-git", help="Do not create a git repository.")] = False,
    lock: Annotated[
        bool | None,
        typer.Option(
            "--lock/--no-lock",
            help="Whether to lock the package versions with uv. Default: only for mlscaffold's own template, because"
            " locking can run code of the project.",
            show_default=False,
        ),
    ] = None,
    template: arguments.Source = None,
    ref: arguments.Ref = None,
) -> None:
    """Create a project: answer a few questions, or none.

    The project is built in a temporary folder next to PATH and moved into place at the end: you get a whole project or
    nothing. Without a terminal, no question is asked.
    """
    from mlscaffold import create
    from mlscaffold.template.questions import read_answers

    given = {
        **(read_answers(answers) if answers else {}),
        **(arguments.parse_link(like) if like else {}),
        **arguments.parse_assignments(assignments or [], "--set"),
    }
    defaults = defaults or like is not None  # what a link leaves out has its default
    order = create.Order(
        path=path,
        answers=given,
        ask=prompts.choose_asker(quiet=defaults or as_json),
        lock=lock,
        git=not no_git,
        trace=as_json,
        template=template,
        ref=ref,
    )
    warn = screen.Notes()
    make = create.preview_project if dry_run else create.create_project
    with screen.explain_stop("nothing was written"):
        product = make(order, screen.show_step, warn)
    commands = _suggest_commands(path, product)
    if as_json:
        screen.print_json(_as_data(product, warn.said, commands, written=not dry_run))
        return
    from mlscaffold.cli import file_tree

    out = screen.open_console()
    out.print()
    out.print(file_tree.draw_files(product.path.name, product.files, full=dry_run), soft_wrap=True)
    out.print()
    if dry_run:
        out.print(f"{len(product.files)} files; nothing was written.", style="dim")
    else:
        screen.print_commands(commands)


def _suggest_commands(path: str, product: "Product") -> list[str]:
    from mlscaffold.system import uv

    run = f"{screen.quote(uv.find_command())} run {product.command}"
    return [f"cd {screen.quote(path)}", f"{run} pipeline", f"{run} serve"]


def _as_data(product: "Product", warnings: list[str], commands: list[str], *, written: bool) -> dict[str, Any]:
    return {
        "path": str(product.path),
        "written": written,
        "answers": dict(product.answers),
        "template": {"url": product.origin.url, "commit": product.origin.commit},
        "files": [{"path": file.path, "size": file.size, "layers": list(file.layers)} for file in product.files],
        "locked": product.locked,
        "commit": product.commit,
        "warnings": warnings,
        "next": commands,
    }
