"""Copier's own command line, as people use it who have never heard of ours: no trust given, nothing asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Copier, commit
from tests.template import small
from tests.template.assembly import File, differences, read_project
from tests.template.combinations import Answer, Question, Template, load_yaml


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``copier`` with *arguments* and nobody at the keyboard."""
    command = [sys.executable, "-m", "copier", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )


def copy(template: Path, project: Path, **answers: object) -> Path:
    """Run ``copier copy`` and commit the project."""
    data = [f"--data={name}={value}" for name, value in answers.items()]
    result = run("copy", "--defaults", "--quiet", *data, template, project)
    assert result.returncode == 0, result.stderr
    commit(project)
    return project


def update(project: Path, **answers: object) -> Path:
    """Run ``copier update`` and commit what it did; a conflict fails."""
    data = [f"--data={name}={value}" for name, value in answers.items()]
    result = run("update", "--defaults", "--quiet", *data, cwd=project)
    assert result.returncode == 0, result.stderr
    unmerged = subprocess.run(["git", "ls-files", "-u"], cwd=project, check=True, capture_output=True).stdout
    assert not unmerged
    commit(project)
    return project


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


def test_every_option_can_be_switched_on_and_off(template_repo: Path, template: Template, tmp_path: Path) -> None:
    for question in template.questions:
        if question.when is True and len(question.choices) > 1:
            switch(template_repo, question, tmp_path / question.name)


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


def switch(template_repo: Path, question: Question, directory: Path) -> list[Answer]:
    """Take one project through every choice of *question*, which is always asked, and return them in order.

    Each is switched on and off again; after each update the project equals one made with that choice at once.
    """
    values = [choice.value for choice in question.choices]
    first = values.index(question.default)
    values = [*values[first + 1 :], *values[: first + 1]]
    project = copy(template_repo, directory / "switched")
    for value in values:
        fresh = Copier(template_repo).copy(directory / f"fresh-{value}", {question.name: value})
        update(project, **{question.name: value})
        assert differences(read_files(fresh), read_files(project)) == [], f"{question.name}={value}"
    return values


def read_files(project: Path) -> dict[str, File]:
    """Return every file of *project* but git's own."""
    return {path: file for path, file in read_project(project).items() if not path.startswith(".git/")}
