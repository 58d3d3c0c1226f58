"""Which questions are put to a person, one after the other: those that nothing else has answered."""

import functools
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from mlscaffold.errors import AnswerError
from mlscaffold.template.questions import Question
from mlscaffold.template.render import Answers, Template, settle_answers

Refuse = Callable[[Any], str | None]
"""Why an answer will not do, as a sentence; None if it will."""

Ask = Callable[[Question, Any, Refuse], Any]
"""Puts a question, with the choices that are left, its default and what checks an answer; returns the answer."""


def ask_answers(template: Template, settled: Answers, sure: Collection[str], ask: Ask) -> Answers:
    """Ask what is not given; a question that has one answer only is not asked.

    Args:
        template: what asks.
        settled: the answers if nothing is asked.
        sure: names of better defaults that are taken without a question, such as what was read from files.
        ask: puts a question.
    """

    def settle(more: dict[str, Any]) -> Answers:
        return settle_answers(template, settled.folder, {**settled.given, **more}, defaults=settled.defaults)

    def refuse(name: str, value: Any) -> str | None:
        try:
            settle({name: value})
        except AnswerError as error:
            return error.message
        return None

    for question in template.questionnaire.asked:
        name = question.name
        if name in settled.given or name not in settled.answered:
            continue
        answer = default = settled.answered[name]
        if not (name in sure and name in settled.defaults):
            choices = tuple(c for c in question.choices if c.value == default or refuse(name, c.value) is None)
            if not question.choices or len(choices) > 1:
                answer = ask(replace(question, choices=choices), default, functools.partial(refuse, name))
        settled = settle({name: answer})
    return settled
