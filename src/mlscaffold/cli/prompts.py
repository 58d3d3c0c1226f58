"""Questions at the terminal: a default is offered and not typed, and choices stand in columns."""

import shutil
from typing import TYPE_CHECKING, Any

from mlscaffold.cli import screen

if TYPE_CHECKING:
    from mlscaffold.template.ask import Ask, Refuse
    from mlscaffold.template.questions import Question

_MARGIN = 6  # columns: the pointer before a choice, the gap behind its title


def choose_asker(*, quiet: bool) -> "Ask | None":
    """What puts questions; None if nothing is to be asked, or nobody is there to answer."""
    return None if quiet or not screen.is_watched() else ask_question


def ask_question(question: "Question", default: Any, refuse: "Refuse") -> Any:
    """Ask one question and leave one line of it on the screen; KeyboardInterrupt if somebody presses Ctrl-C."""
    if question.choices:
        answer = _choose(question, default)
        shown = next(choice.title for choice in question.choices if choice.value == answer)
    else:
        answer = _confirm(question, default) if question.type == "bool" else _type(question, default, refuse)
        shown = str(answer)
    screen.print_title(question.help, shown)
    return answer


def _choose(question: "Question", default: Any) -> Any:
    import questionary

    width = max(len(choice.title) for choice in question.choices)
    room = shutil.get_terminal_size().columns - width - _MARGIN
    choices = [
        questionary.Choice(
            [("bold", choice.title.ljust(width)), ("", f"  {_fit(choice.brings, room)}")], value=choice.value
        )
        for choice in question.choices
    ]
    asked = questionary.select(question.help, choices, default=default, instruction=" ", erase_when_done=True)
    return asked.unsafe_ask()


def _confirm(question: "Question", default: Any) -> Any:
    import questionary

    return questionary.confirm(question.help, default=bool(default), erase_when_done=True).unsafe_ask()


def _type(question: "Question", default: Any, refuse: "Refuse") -> Any:
    import questionary

    offered = str(default)
    typed = questionary.text(
        question.help,
        validate=lambda text: refuse(text or default) or True,
        validate_while_typing=False,
        placeholder=[("ansibrightblack", offered)],
        erase_when_done=True,
    ).unsafe_ask()
    return typed or default


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 1, 0)].rstrip()}…"
