"""Arguments that several commands take."""

from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import parse_qsl, urldefrag

import typer

Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="URL_OR_PATH",
        help="Use the template at this address or path, such as a fork or a local clone. The address that the project"
        " records does not change.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="URL_OR_PATH",
        help="Use the template at this address or path, such as a fork or a local clone. The project records it, and"
        " is updated from there.",
    ),
]
Ref = Annotated[
    str | None,
    typer.Option(
        "--ref",
        metavar="REF",
        help="The template's version: a tag, a branch or a commit. Default: the installed version or, with --template,"
        " the newest commit.",
    ),
]


def _offer(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    from mlscaffold.cli import completion

    given = [word for name in ("assignments", "words") for word in context.params.get(name) or ()]
    return list(completion.list_candidates(incomplete, given))


Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        autocompletion=_offer,
        help="Answer a question. Can be repeated. `mlscaffold options` lists the questions.",
    ),
]
Words = Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", autocompletion=_offer, help="The answers to change.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and ask nothing. An error is a JSON object, too.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done to each file, and do nothing.")]
Defaults = Annotated[
    bool, typer.Option("--defaults", help="Ask nothing: a question that is not answered gets its default.")
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-C",
        metavar="DIR",
        help="The project's folder. Default: the project that contains the current folder.",
        show_default=False,
    ),
]


def parse_assignments(words: Iterable[str], hint: str) -> dict[str, Any]:
    """The answers in KEY=VALUE words; wrong usage if one is none."""
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise typer.BadParameter(f"{word!r} is not KEY=VALUE.", param_hint=hint)
        given[name] = value
    return given


def parse_link(link: str) -> dict[str, Any]:
    """The answers in a link that the explorer copied; wrong usage if it is none."""
    if "#" not in link:
        raise typer.BadParameter("that is no link of the explorer's: it has no # with choices.", param_hint="--like")
    shown = {"compare", "file", "sample"}  # what the page shows beside the choices
    return {name: value for name, value in parse_qsl(urldefrag(link).fragment) if name not in shown}
