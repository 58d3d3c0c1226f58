"""A few kills; tests/proof has many."""

from __future__ import annotations

from tests.cli.conftest import Cli
from tests.cli.killing import kill_often


def test_killed_at_any_moment_there_is_nothing_or_a_whole_project(cli: Cli) -> None:
    seen = kill_often(cli, 3, 20250101, "--no-lock")
    assert seen["killed"] > 0
