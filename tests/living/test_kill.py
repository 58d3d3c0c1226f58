"""A killed update is repaired by the next call; tests/proof kills at every moment, and often."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import in_clone
from tests.living.house import House
from tests.living.killing import kill_while_applying, prepare


def test_an_update_that_was_killed_half_way_is_taken_back(house: House, project: Path, tmp_path: Path) -> None:
    prepare(house, project)
    kill_while_applying(in_clone(house.root, tmp_path), project, "half", tmp_path)
