"""Some hundred hostile answers; tests/proof tries thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.template.combinations import Template
from tests.template.hostile import Subject, attack, compare_with_copier


@pytest.fixture(scope="module")
def subject(template: Template, copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Return the template under attack."""
    return Subject(template, copier.copy(tmp_path_factory.mktemp("hostile") / "project"))


def test_hostile_answers_are_refused_or_arrive_unchanged(subject: Subject) -> None:
    tally = attack(subject, 400)
    assert min(tally[f"{kind} {fate}"] for kind in ("name", "text") for fate in ("accepted", "refused")) > 5, tally


def test_copier_agrees_and_writes_nowhere_else(subject: Subject, copier: Copier, tmp_path: Path) -> None:
    tally = compare_with_copier(subject, copier, tmp_path, 10)
    assert min(tally["accepted"], tally["refused"]) > 0, tally
