"""A killed command has done all or nothing, or the next call repairs it; tests/proof kills at every moment, often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import git, in_clone
from tests.living.house import House
from tests.living.killing import forsake, kill_while_adopting, kill_while_applying, prepare


def test_an_update_that_was_killed_half_way_is_taken_back(house: House, project: Path, tmp_path: Path) -> None:
    prepare(house, project)
    kill_while_applying(in_clone(house.root, tmp_path), project, "half", tmp_path)


@pytest.mark.parametrize(("moment", "branch"), [("unborn", ""), ("born", "refs/heads/mlscaffold/adopt")])
def test_what_is_adopted_is_a_whole_branch_or_none(
    house: House, project: Path, tmp_path: Path, moment: str, branch: str
) -> None:
    forsake(project)
    cli = in_clone(house.root, tmp_path)
    assert kill_while_adopting(cli, project, moment, tmp_path) == branch
    cli("adopt", "-C", project, "--branch", "again")
    if branch:
        assert git(project, "diff", "again", branch) == ""
