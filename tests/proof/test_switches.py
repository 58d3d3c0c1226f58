"""Every choice of every question, switched on and off in a project by plain `copier update`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.template.combinations import Answer, Question, Template
from tests.template.plain_copier import switch

QUESTIONS = [question for question in Template(ROOT).questions if question.when is True and len(question.choices) > 1]


ALSO: dict[Answer, dict[str, Answer]] = {"managed": {"cloud": "aws"}}
"""What is to be answered anew with a choice, as the answer that a project has would be refused."""


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_choice_can_be_switched_on_and_off(question: Question, template_repo: Path, tmp_path: Path) -> None:
    assert len(switch(template_repo, question, tmp_path, ALSO)) == len(question.choices)
