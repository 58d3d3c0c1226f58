"""The guide's reference, made from what it describes: the questions, the commands, and the settings of a project."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer.main

from mlscaffold.cli.app import app
from mlscaffold.update.status import MEANING as STATES
from mlscaffold.update.verdicts import MEANING as VERDICTS
from tests.proof.kinds import KINDS, Kind
from tests.template.combinations import Answer, Question, Template

PACKAGE = "src/{{ package }}"


def write_reference(root: Path, folder: Path) -> None:
    """Write the pages about the template and the command in *root* into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    template = Template(root)
    pages = {"options": options(template), "commands": commands(), "project": project(template)}
    for name, lines in pages.items():
        (folder / f"{name}.md").write_text("\n".join(lines) + "\n", "utf-8")


def options(template: Template) -> Iterator[str]:
    """Yield the page of the questions, in the order in which they are asked."""
    yield "# Options\n"
    yield f"{len(template.combinations)} combinations are valid. Answer a question with `--set NAME=VALUE`.\n"
    defaults = template.answer({}).answers
    for question in template.questions:
        if not question.computed:
            yield f"## {question.name}\n"
            yield f"{question.spec.get('help', '')}\n"
            if isinstance(question.when, str):
                yield "Asked only where it matters.\n"
            yield from _choices(question, defaults[question.name])


def commands() -> Iterator[str]:
    """Yield the page of the command line."""
    group: Any = typer.main.get_command(app)
    yield "# Commands\n"
    for name, command in group.commands.items():
        yield f"## mlscaffold {name}\n"
        yield f"{_paragraphs(command.help)}\n"
        rows = [(_names(parameter), parameter.help or "") for parameter in command.params]
        yield from _table(("Argument or option", "Meaning"), rows)
        if command.epilog:
            yield f"{command.epilog}\n"
    yield from verdicts()


def verdicts() -> Iterator[str]:
    """Yield what commands say of a file."""
    yield "## Verdicts\n"
    yield "What `update` and `set` say of each file that changes:\n"
    yield from _table(("Verdict", "Meaning"), [(verdict.value, text) for verdict, text in VERDICTS.items()])
    yield "What `status` says of each file that differs from the template's:\n"
    yield from _table(("State", "Meaning"), [(state.value, text) for state, text in STATES.items()])


def project(template: Template) -> Iterator[str]:
    """Yield the page of what a project has: its commands, settings and parameters, read from the source."""
    yield "# A project's commands and settings\n"
    yield "`uv run PROJECT COMMAND --help` tells the options of each command.\n"
    rows = [(f"`{name}`", text) for name, text in commands_of_a_project(template.folder).items()]
    yield from _table(("Command", "Does"), rows)
    yield "## Settings\n"
    yield "Environment variables. With none of them set, everything is kept below `artifacts/`.\n"
    yield from _table(("Variable", "Default", "Meaning"), _settings(template.folder))
    yield "## Parameters\n"
    yield "`params.yaml` as generated for each task and framework. An unknown name is refused.\n"
    for kind in KINDS:
        yield f"### {', '.join(map(str, kind.values()))}\n"
        yield f"```yaml\n{_parameters(template, kind)}```\n"


def commands_of_a_project(template: Path) -> dict[str, str]:
    """Return the commands of a generated project, with the first line of what each says of itself."""
    tree = ast.parse((template / PACKAGE / "cli.py").read_text("utf-8"))
    return {
        node.name.rstrip("_").replace("_", "-"): (ast.get_docstring(node) or "").partition("\n")[0]
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("app.command" in ast.unparse(d) for d in node.decorator_list)
    }


def _parameters(template: Template, kind: Kind) -> str:
    """Return `params.yaml` of a project of a kind."""
    combination = template.answer(kind)
    (source,) = (s for s in template.sources if str(template.path_of(s, combination)) == "params.yaml")
    return template.render(template.text_of(source.path), combination.answers)


def _settings(template: Path) -> Iterator[tuple[str, ...]]:
    tree = ast.parse((template / PACKAGE / "settings.py").read_text("utf-8"))
    (settings,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    for node, after in zip(settings.body, [*settings.body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            said = str(ast.literal_eval(after.value)) if is_text and isinstance(after, ast.Expr) else ""
            yield f"`{node.target.id.upper()}`", f"`{ast.unparse(node.value)}`", said


def _choices(question: Question, default: Answer) -> Iterator[str]:
    if not question.choices:
        yield f"Default: {f'`{default}`' if default else 'empty'}.\n"
        return
    raw = question.spec.get("choices")
    labels = list(raw) if isinstance(raw, dict) else [choice.value for choice in question.choices]
    rows = []
    for choice, label in zip(question.choices, labels, strict=True):
        title, _, brings = str(label).partition(": ")
        rows.append((f"`{choice.value}`" + (" (default)" if choice.value == default else ""), title, brings))
    yield from _table(("Value", "Choice", "Brings"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |"
    yield ""


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.human_readable_name.upper()}`"
    return ", ".join(f"`{name}`" for name in parameter.opts)


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))
