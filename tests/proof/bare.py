"""A project of the default task without deployment and CI, whose packages may be added to."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import in_clone
from tests.proof.project import Project


def make_bare(template: Path, place: Path) -> Project:
    """Make one in a folder, and install it."""
    given = ("--defaults", "--set=deploy=none", "--set=ci=none")
    in_clone(template, place).with_env(UV_OFFLINE="")("new", "churn", *given)
    project = Project(place / "churn", "churn").with_env(UV_INDEX="")  # `uv add` would take packages from there alone
    project.tool("uv", "sync", "--locked")
    return project
