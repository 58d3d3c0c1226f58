"""Ring 1 of the proof: every valid combination of answers, without running what is generated."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.proof.kinds import DECISIVE, VARIED
from tests.template.assembly import Assembly, differences, read_project
from tests.template.checks import content_problems, project_problems
from tests.template.combinations import Template, layout_problems, load_yaml

SEED = 20
WHOLE_RENDERS = 10


def test_every_path_has_one_active_layer_and_every_layer_is_used(template: Template) -> None:
    assert template.combinations
    assert layout_problems(template) == []


def test_every_combination_renders(assembly: Assembly) -> None:
    assert assembly.problems == []
    assert all(assembly.files(combination) for combination in assembly.template.combinations)


def test_every_generated_file_is_in_order(assembly: Assembly) -> None:
    problems = [f"{f.path} ({answers}): {p}" for answers, f in assembly.distinct() for p in content_problems(f)]
    assert problems == []


def test_every_rendered_project_is_in_order(assembly: Assembly) -> None:
    assert assembly.projects
    problems = [f"{c}: {problem}" for c, project in assembly.projects for problem in project_problems(project)]
    assert problems == []


def test_random_combinations_rendered_whole_equal_their_assembly(
    assembly: Assembly, copier: Copier, tmp_path: Path
) -> None:
    combinations = assembly.template.combinations
    chosen = random.Random(SEED).sample(combinations, min(WHOLE_RENDERS, len(combinations)))
    for number, combination in enumerate(chosen):
        whole = read_project(copier.copy(tmp_path / str(number), combination.asked))
        (answers,) = load_yaml(whole.pop(assembly.answers_file).content.decode())
        recorded = {name for name in answers if not name.startswith("_")}
        assert {name: answers[name] for name in recorded} == {name: combination.answers[name] for name in recorded}
        assert combination.asked.keys() <= recorded
        assert differences(assembly.files(combination), whole) == []


def test_code_depends_on_what_the_proof_varies_and_on_nothing_else(assembly: Assembly) -> None:
    """A project of each kind is installed, tested and run; what that proves holds wherever the code is the same."""
    for questions, patterns in (
        (DECISIVE, ("src/*", "tests/core/*", "data/*", "params.yaml")),
        (VARIED, ("src/*", "tests/*", "data/*", "params.yaml", "pyproject.toml", "*.ipynb")),
    ):
        code = list(assembly.subtrees(*patterns))
        kinds = {tuple(c.answers[name] for name in questions) for c in assembly.template.combinations}
        assert len(code) == len(kinds)


@pytest.mark.parametrize("name", ["A", "Very long names " + "z" * 34])
def test_the_length_of_a_name_does_not_show(name: str, copier: Copier, tmp_path: Path) -> None:
    """Imports of the package stand in files that a formatter would break at other places for another name."""
    project = copier.copy(tmp_path / "project", {"project_name": name})
    problems = [f"{f.path}: {p}" for f in read_project(project).values() for p in content_problems(f)]
    assert problems + list(project_problems(project)) == []
