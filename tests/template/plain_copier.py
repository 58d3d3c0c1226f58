"""Projects that Copier's own command line makes, updates and switches: no trust given, nobody at the keyboard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import Copier, commit
from tests.template.assembly import File, differences, read_project
from tests.template.combinations import Answer, Question


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


def switch(
    template_repo: Path, question: Question, directory: Path, also: Mapping[Answer, Mapping[str, Answer]] | None = None
) -> list[Answer]:
    """Take one project through every choice of *question*, which is always asked, and return them in order.

    Each is switched on and off again, with what it needs beside it (*also*); after each update the project equals one
    made with that choice at once.
    """
    values = [choice.value for choice in question.choices]
    first = values.index(question.default)
    values = [*values[first + 1 :], *values[: first + 1]]
    project = copy(template_repo, directory / "switched")
    for value in values:
        fresh = Copier(template_repo).copy(directory / f"fresh-{value}", {question.name: value})
        update(project, **{question.name: value, **(also or {}).get(value, {})})
        assert differences(read_files(fresh), read_files(project)) == [], f"{question.name}={value}"
    return values


def read_files(project: Path) -> dict[str, File]:
    """Return every file of *project* but git's own."""
    return {path: file for path, file in read_project(project).items() if not path.startswith(".git/")}
