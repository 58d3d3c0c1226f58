"""Copier's own command line, as people use it who have never heard of ours: no trust given, nothing asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import commit
from tests.template import small
from tests.template.combinations import Template, load_yaml
from tests.template.plain_copier import copy, read_files, switch, update


def answers_of(project: Path) -> dict[str, object]:
    """Return what the project's answers file holds."""
    (answers,) = load_yaml((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    return dict(answers)


def fork(template_repo: Path, directory: Path) -> Path:
    """Return a copy of the snapshot that a test may change."""
    return shutil.copytree(template_repo, directory / "template")


def test_copy_needs_no_trust_and_records_where_it_came_from(template_repo: Path, tmp_path: Path) -> None:
    answers = answers_of(copy(template_repo, tmp_path / "project", project_name="Customer churn"))
    assert answers["_commit"] == "v1.0.0"
    assert answers["_src_path"] == str(template_repo)
    assert answers["project_name"] == "Customer churn"


def test_copy_records_asked_answers_only(template_repo: Path, template: Template, tmp_path: Path) -> None:
    recorded = answers_of(copy(template_repo, tmp_path / "project")).keys()
    computed = {question.name for question in template.questions if question.computed}
    assert not recorded & computed


def test_update_brings_what_is_new_and_keeps_what_is_the_users(template_repo: Path, tmp_path: Path) -> None:
    template_repo = fork(template_repo, tmp_path)
    project = copy(template_repo, tmp_path / "project")
    sources = sorted((template_repo / "template/src/{{ package }}").glob("*.py"), key=lambda p: p.stat().st_size)
    merged, removed = sources[-1], sources[-2]
    (package,) = (project / "src").iterdir()

    mine, theirs = "# The user wrote this.\n", "# A later version of the template wrote this.\n"
    before = merged.read_text(encoding="utf-8")
    (package / merged.name).write_text(mine + before, encoding="utf-8")
    (package / "own.py").write_text(mine, encoding="utf-8")
    commit(project)
    merged.write_text(before + theirs, encoding="utf-8")
    merged.with_name("added.py").write_text(theirs, encoding="utf-8")
    removed.unlink()
    commit(template_repo, "v2.0.0")

    update(project)
    assert (package / merged.name).read_text(encoding="utf-8") == mine + before + theirs
    assert (package / "own.py").read_text(encoding="utf-8") == mine
    assert (package / "added.py").read_text(encoding="utf-8") == theirs
    assert not (package / removed.name).exists()
    assert answers_of(project)["_commit"] == "v2.0.0"


def test_an_update_to_the_same_version_changes_nothing(template_repo: Path, tmp_path: Path) -> None:
    project = copy(template_repo, tmp_path / "project")
    before = read_files(project)
    assert read_files(update(project)) == before


def test_switching_is_proven_where_there_are_options(tmp_path: Path) -> None:
    template = small.write(tmp_path / "small")
    commit(template, "v1.0.0")
    (cloud,) = (question for question in Template(template).questions if question.name == "cloud")
    assert switch(template, cloud, tmp_path / "projects") == ["gcp", "aws"]


def test_a_template_that_needs_trust_would_be_noticed(tmp_path: Path) -> None:
    template = small.write(tmp_path / "small", {"copier.yml": small.QUESTIONS + "_tasks: ['true']\n"})
    commit(template, "v1.0.0")
    with pytest.raises(AssertionError, match="trust"):
        copy(template, tmp_path / "project")
