"""The template as data."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from copier import Settings, run_copy
from plumbum import local

from tests.conftest import shared_folder
from tests.template.assembly import Assembly, Render, assemble, covering
from tests.template.combinations import Combination, Template

SECONDS = 300
"""How long a worker waits for another that may have been killed."""


@pytest.fixture(scope="session")
def template(template_repo: Path) -> Template:
    """Return the template of this repository."""
    return Template(template_repo)


@pytest.fixture(scope="session")
def assembly(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Return the files of every combination; the workers of a run render each project once between them."""
    directory = shared_folder(tmp_path_factory) / "assembly"
    directory.mkdir(exist_ok=True)

    def render(project: Path, combination: Combination) -> None:
        made = project.with_name(f"{project.name}-{os.getpid()}")
        # Without a git on the PATH Copier takes the folder as it is, and asks nobody about each file that it writes.
        with local.env(PATH=str(template.root)):
            run_copy(str(template.root), made, dict(combination.asked), settings=Settings(), defaults=True, quiet=True)
        made.rename(project)

    def render_missing(project: Path, combination: Combination) -> None:
        if not project.exists():
            render(project, combination)

    share(directory, covering(template), render)
    return assemble(template, render_missing, directory)


def share(directory: Path, combinations: Sequence[Combination], render: Render) -> None:
    """Render what no other worker has begun, and wait for the others; what fails is left to whoever needs it."""
    for number, combination in enumerate(combinations):
        with contextlib.suppress(FileExistsError):
            (directory / f"begun-{number}").mkdir()
            with contextlib.suppress(Exception):
                render(directory / f"project-{number}", combination)
            (directory / f"ended-{number}").touch()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and any(not (directory / f"ended-{n}").exists() for n in range(len(combinations))):
        time.sleep(0.1)
