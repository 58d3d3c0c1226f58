"""The notebook, in the project of a pair to which it is added."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.proof.kinds import NOTEBOOK
from tests.proof.project import Project


@pytest.fixture(scope="module")
def noted(project: Project, template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a copy of the project that was given the notebook, committed and installed."""
    copy = project.copy(tmp_path_factory.mktemp("noted") / "project")
    in_clone(template_repo, copy.folder)("set", *(f"{name}={value}" for name, value in NOTEBOOK.items()))
    copy.tool("uv", "sync")
    copy.tool("git", "add", "--all")
    copy.tool("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--message=Note")
    return copy


def test_the_projects_own_test_executes_it(noted: Project) -> None:
    assert "1 passed" in noted.tool("uv", "run", "pytest", "--quiet", "tests/test_notebook.py").stdout


def test_the_hooks_find_nothing_to_mend(noted: Project) -> None:
    noted.tool("uv", "run", "pre-commit", "run", "--all-files")
    assert noted.touched == set()


def test_the_hooks_strip_what_an_execution_leaves(noted: Project, champion: Project) -> None:
    shutil.copytree(champion.cwd / "artifacts", noted.folder / "artifacts")
    noted.tool("uv", "run", "jupyter", "execute", "--inplace", "explore.ipynb")
    assert noted.touched == {"explore.ipynb"}
    noted.tool("uv", "run", "pre-commit", "run", "--all-files", code=1)
    assert noted.touched == set()
