"""Thousands of hostile answers; HOSTILE_EXAMPLES says how many."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.template.combinations import Template
from tests.template.hostile import Subject, attack, compare_with_copier

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "3000"))


@pytest.fixture(scope="module")
def subject(template_repo: Path, copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Return the template under attack."""
    return Subject(Template(template_repo), copier.copy(tmp_path_factory.mktemp("hostile") / "project"))


def test_thousands_of_hostile_answers_are_refused_or_arrive_unchanged(subject: Subject) -> None:
    tally = attack(subject, EXAMPLES)
    print(f"{EXAMPLES} hostile answers: {dict(tally)}")
    assert min(tally[f"{kind} {fate}"] for kind in ("name", "text") for fate in ("accepted", "refused")) > EXAMPLES / 50


def test_copier_agrees_on_a_sample(subject: Subject, copier: Copier, tmp_path: Path) -> None:
    examples = max(30, EXAMPLES // 30)
    tally = compare_with_copier(subject, copier, tmp_path, examples)
    print(f"{examples} hostile answers given to Copier: {dict(tally)}")
    assert min(tally["accepted"], tally["refused"]) > 0


def test_no_project_can_take_a_name_of_its_own_environment(subject: Subject, copier: Copier, tmp_path: Path) -> None:
    """A module of that name would hide the project or be hidden by it, a distribution would be the project itself."""
    project, environment = copier.copy(tmp_path / "project"), tmp_path / "environment"
    subprocess.run(
        ["uv", "sync", "--quiet", "--all-groups", "--no-install-project"],
        cwd=project,
        check=True,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)},
    )
    (packages,) = environment.glob("[Ll]ib/**/site-packages")
    taken = set()
    for distribution in importlib.metadata.distributions(path=[str(packages)]):
        beside = {file.parts[0] for file in distribution.files or []}
        modules = {name.partition(".")[0] for name in beside if not name.endswith((".dist-info", ".pth"))}
        commands = {entry.name for entry in distribution.entry_points if entry.group == "console_scripts"}
        taken |= {distribution.name, *modules, *commands}
    names = sorted(name for name in taken if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name))
    assert len(names) > 100
    assert [name for name in names if subject.template.accepts({"project_name": name})] == []
