"""One project for each kind of model, made as a user makes it, once per session; tests that change it take a copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.conftest import ROOT
from tests.proof.project import Project
from tests.proof.wheels import make_index
from tests.template.combinations import Answer, Template

DECISIVE = ("task", "framework", "backend")
"""The questions that decide which code runs: every combination of their choices is proven."""


def kinds() -> list[dict[str, Answer]]:
    """Return each combination of the decisive questions that the template offers, as far as they are asked."""
    answers = [{n: c.asked[n] for n in DECISIVE if n in c.asked} for c in Template(ROOT).combinations]
    return [kind for i, kind in enumerate(answers) if kind not in answers[:i]]


KINDS = kinds()


@pytest.fixture(scope="session", autouse=True)
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let uv find PyTorch on this machine, if it is there; where it is not, its own index has to be reached."""
    index = make_index(tmp_path_factory.mktemp("wheels"))
    with pytest.MonkeyPatch.context() as patch:
        if index and "UV_INDEX" not in os.environ:
            patch.setenv("UV_INDEX", index)
        yield


@pytest.fixture(scope="session", params=KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def project(request: pytest.FixtureRequest, template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a new project, locked and installed; nothing in it may be changed."""
    place = tmp_path_factory.mktemp("proof")
    given = [f"--set={name}={value}" for name, value in request.param.items()]
    in_clone(template_repo, place).with_env(UV_OFFLINE="")("new", "proven", "--defaults", *given)
    made = Project(place / "proven", "proven")
    made.tool("uv", "sync", "--locked")
    return made


@pytest.fixture(scope="session")
def champion(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project in a folder in which its pipeline has made a champion; nothing in it may be changed."""
    made = project.elsewhere(tmp_path_factory.mktemp("champion"))
    made("pipeline")
    return made


@pytest.fixture
def contest(champion: Project, tmp_path: Path) -> Project:
    """Return the project in a folder of the test's own, with the champion."""
    shutil.copytree(champion.cwd, tmp_path / "contest", dirs_exist_ok=True)
    return champion.at(tmp_path / "contest")
