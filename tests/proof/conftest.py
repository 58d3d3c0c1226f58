"""One project for each kind of model, made as a user makes it, once per session; tests that change it take a copy."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.proof.kinds import BARE, KINDS, name_of
from tests.proof.project import Project, processor_seconds
from tests.proof.proving import Proving
from tests.proof.wheels import make_index


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option to prove every pair."""
    parser.addoption("--prove-all", action="store_true", help="prove every pair, however long it takes")


def pytest_configure(config: pytest.Config) -> None:
    """Let the record decide what is proven, with PyTorch from this machine if it is there, else from its own index."""
    if not hasattr(config, "workerinput"):  # workers inherit the variable
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        index = make_index(Path(folder.name))
        if index:
            os.environ.setdefault("UV_INDEX", index)
    config.pluginmanager.register(Proving(config))


@pytest.fixture(scope="session", params=KINDS, ids=name_of)
def project(request: pytest.FixtureRequest, template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a new project, locked and installed; nothing in it may be changed."""
    place = tmp_path_factory.mktemp("proof")
    given = [f"--set={name}={value}" for name, value in {**request.param, **BARE}.items()]
    begin = processor_seconds()
    in_clone(template_repo, place).with_env(UV_OFFLINE="")("new", "proven", "--defaults", *given)
    made = Project(place / "proven", "proven")
    made.tool("uv", "sync", "--locked")
    made = replace(made, spent=processor_seconds() - begin)
    made.tool("uv", "run", "mypy")  # what it then knows of the packages spares each copy most of its time
    return made


@pytest.fixture(scope="session")
def champion(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project in a folder in which its pipeline has made a champion; nothing in it may be changed."""
    made = project.elsewhere(tmp_path_factory.mktemp("champion"))
    begin = processor_seconds()
    made("pipeline")
    return replace(made, spent=made.spent + processor_seconds() - begin)


@pytest.fixture(scope="session")
def base(champion: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the champion's project with nothing installed but what serving needs."""
    assert champion.table.exists()  # which the base install cannot make
    copy = tmp_path_factory.mktemp("base") / "project"
    made = champion.copy(copy, "--no-default-groups").with_env(UV_NO_DEFAULT_GROUPS=1)
    return made.at(champion.cwd)


@pytest.fixture
def contest(champion: Project, tmp_path: Path) -> Project:
    """Return the project in a folder of the test's own, with the champion."""
    shutil.copytree(champion.cwd, tmp_path / "contest", dirs_exist_ok=True)
    return champion.at(tmp_path / "contest")
