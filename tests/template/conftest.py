"""The template as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.template.combinations import Template


@pytest.fixture(scope="session")
def template(template_repo: Path) -> Template:
    """Return the template of this repository."""
    return Template(template_repo)
