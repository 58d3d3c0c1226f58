"""Which questions are put, with which choices: what has one answer only is not asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlscaffold.template.ask import ask_answers
from mlscaffold.template.questions import Question, read_questions
from mlscaffold.template.render import Template, settle_answers
from mlscaffold.template.source import Origin
from tests.living.house import QUESTIONS, House

MORE = """\
task: {type: str, help: "What for?", choices: [numbers, labels], default: numbers}
framework:
  type: str
  help: Which framework?
  choices:
    "Trees: quick": trees
    "Nets: deep": {value: nets, validator: "{% if task == 'numbers' %}not for numbers{% endif %}"}
    "Lines: plain": lines
  default: trees
  validator: "{% if framework == 'lines' and task == 'numbers' %}not for numbers either{% endif %}"
note: {type: str, help: "A note?", default: "none", validator: "{% if note | length > 9 %}too long{% endif %}"}
package:"""


class Person:
    """Answers questions, and remembers them."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.seen: dict[str, tuple[Any, list[str]]] = {}
        self.refused: dict[str, str | None] = {}

    def __call__(self, question: Question, default: Any, refuse: Callable[[Any], str | None]) -> Any:
        """Answer, with the default where there is nothing to say."""
        self.seen[question.name] = default, [choice.value for choice in question.choices]
        answer = self.answers.get(question.name, default)
        self.refused[question.name] = refuse(answer)
        return answer


@pytest.fixture
def template(house: House) -> Template:
    """Return the small template, with frameworks that are not for every task."""
    house.release("v2.0.0", {"copier.yml": QUESTIONS.replace("package:", MORE, 1)})
    return Template(house.root, read_questions(house.root), Origin("https://example.org/x", "v2.0.0"))


def ask(template: Template, person: Person, sure: tuple[str, ...] = (), **given: str) -> dict[str, Any]:
    """Return the answers that come out."""
    settled = settle_answers(template, "churn", given, defaults={"project_name": "Leaving", "ci": "none"})
    return dict(ask_answers(template, settled, sure, person).answered)


def test_a_question_with_one_choice_left_is_not_asked(template: Template) -> None:
    answers = ask(template, person := Person())
    assert list(person.seen) == ["project_name", "ci", "cloud", "task", "note"]
    assert answers["framework"] == "trees"


def test_choices_that_do_not_go_with_the_answers_are_not_offered(template: Template) -> None:
    answers = ask(template, person := Person(task="labels", framework="nets"))
    assert person.seen["framework"] == ("trees", ["trees", "nets", "lines"])
    assert answers["framework"] == "nets"
    ask(template, person := Person(), framework="nets", task="labels")
    assert not {"framework", "task"} & person.seen.keys()


def test_a_question_that_follows_from_an_answer_is_asked(template: Template) -> None:
    ask(template, person := Person(cloud="gcp"))
    assert person.seen["size"] == ("small", ["small", "large"])


def test_what_is_sure_is_not_asked_and_other_better_defaults_are(template: Template) -> None:
    answers = ask(template, person := Person(), ("project_name", "cloud"))
    assert "project_name" not in person.seen
    assert answers["project_name"] == "Leaving"
    assert person.seen["ci"][0] == "none"
    assert "cloud" in person.seen, "it is the template's own default, which nobody has vouched for"


def test_an_answer_that_will_not_do_is_refused_in_the_templates_words(template: Template) -> None:
    with pytest.raises(Exception, match="too long"):
        ask(template, person := Person(note="much too long"))
    assert person.refused["note"] == "note: too long."
    assert person.refused["project_name"] is None
