"""`mlscaffold options`: what can be answered."""

from typing import TYPE_CHECKING, Any

from mlscaffold.cli import arguments, screen

if TYPE_CHECKING:
    from mlscaffold.template.questions import Question

EXIT_CODES = "Exit codes: 0 done; 1 the template cannot be read; 2 wrong usage."


def options(as_json: arguments.AsJson = False) -> None:
    """List every question, its choices, and what each choice brings."""
    from mlscaffold.template.choose import BETTER_DEFAULTS
    from mlscaffold.template.questions import read_questions
    from mlscaffold.template.source import find_template

    asked = read_questions(find_template()).asked
    if as_json:
        screen.print_json({"questions": [_as_data(question, BETTER_DEFAULTS.get(question.name)) for question in asked]})
        return
    out = screen.open_console()
    width = max((len(choice.value) for question in asked for choice in question.choices), default=0)
    for question in asked:
        screen.print_title(question.name, question.help)
        rows = [
            ("*" if choice.value == question.default else " ", choice.value.ljust(width), choice.label)
            for choice in question.choices
        ]
        if not rows:
            defaults = filter(None, (BETTER_DEFAULTS.get(question.name), question.default))
            rows = [("*", ", else ".join(defaults) or "none", "")]
        screen.print_rows(rows)
        out.print()
    out.print("* is the default. Answer one with `mlscaffold new PATH --set KEY=VALUE`.", style="dim")


def _as_data(question: "Question", better_default: str | None) -> dict[str, Any]:
    return {
        "name": question.name,
        "help": question.help,
        "type": question.type,
        "default": question.default,
        "better_default": better_default,
        "choices": [
            {"value": choice.value, "title": choice.title, "brings": choice.brings} for choice in question.choices
        ],
    }
