"""`kill -9` of `update`, `set` and `adopt`: at each moment of applying, then MLSCAFFOLD_KILLS / 2 times at random."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.living.conftest import built_house as built_house  # fixtures
from tests.living.conftest import house as house
from tests.living.conftest import made_project as made_project
from tests.living.conftest import project as project
from tests.living.conftest import run as run
from tests.living.house import House
from tests.living.killing import forsake, kill_often, kill_while_applying, prepare

KILLS = int(os.environ.get("MLSCAFFOLD_KILLS", "200")) // 2


@pytest.mark.parametrize("moment", ["before", "half", "after", "locked", "marked"])
def test_the_next_call_repairs_what_was_being_applied(house: House, project: Path, tmp_path: Path, moment: str) -> None:
    prepare(house, project)
    kill_while_applying(in_clone(house.root, tmp_path), project, moment, tmp_path)


def test_what_somebody_wrote_meanwhile_is_put_aside(house: House, project: Path, tmp_path: Path) -> None:
    prepare(house, project)
    said = kill_while_applying(in_clone(house.root, tmp_path), project, "edited", tmp_path)
    assert "what was changed since is in" in said.stderr
    (saved,) = (project / ".git/mlscaffold/saved").rglob("run.sh")
    assert saved.read_text("utf-8").endswith("# more\nsomebody was here\n")


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "update": lambda project: ["update", "-C", str(project)],
    "set": lambda project: ["set", "-C", str(project), "ci=gitlab", "cloud=gcp"],
    "adopt": lambda project: ["adopt", "-C", str(project)],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_any_moment(
    house: House, project: Path, tmp_path: Path, command: str, record_property: Callable[[str, object], None]
) -> None:
    prepare(house, project)
    if command == "adopt":
        forsake(project)
    seed = random.SystemRandom().randrange(2**32)
    seen = kill_often(in_clone(house.root, tmp_path), project, KILLS, seed, COMMANDS[command])
    record_property("kills", dict(seen))
    print(f"{command}: {dict(seen)} (seed {seed})")
    assert seen["killed"] > KILLS / 4
    assert seen["before"] > 0
