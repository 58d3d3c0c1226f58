"""The template as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.template.assembly import Assembly, assemble
from tests.template.combinations import Template


@pytest.fixture(scope="session")
def template(template_repo: Path) -> Template:
    """Return the template of this repository."""
    return Template(template_repo)


@pytest.fixture(scope="session")
def assembly(template: Template, copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Return the files of every combination."""
    directory = tmp_path_factory.mktemp("assembly")
    return assemble(template, lambda project, combination: copier.copy(project, combination.asked), directory)
