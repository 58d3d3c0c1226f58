"""Every past version × every habit of users × every switch: no line is lost.

MLSCAFFOLD_TRIALS is the number of trials with users who do something else to each file, 60 unless told.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from mlscaffold.template import source
from tests.living.house import House, build
from tests.living.trials import EDITS, SWITCHES, Tally, edited, make_projects, some_edits, try_one

TRIALS = int(os.environ.get("MLSCAFFOLD_TRIALS", "60"))
VERSIONS = ("v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0", "v5.0.0")

Record = Callable[[str, object], None]


@pytest.fixture(scope="session")
def house(isolated_machine: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house") / "mlscaffold")


@pytest.fixture(scope="session")
def projects(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return make_projects(house, tmp_path_factory.mktemp("projects"))


@pytest.fixture(autouse=True)
def own_template(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_REPOSITORY", house.root)
    monkeypatch.setattr(source, "_EMBEDDED", house.root / "nowhere")


def report(tally: Tally, record_property: Record, least: int) -> None:
    record_property("tally", str(tally))
    print(tally)
    assert tally.silent == []
    assert tally.different == []
    assert tally.counts["trials"] >= least
    assert tally.counts["lines kept"] > 0
    assert tally.counts["compared with Copier"] >= 0.9 * tally.counts["trials"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_habit_and_every_switch(
    house: House, projects: dict[str, list[Path]], version: str, tmp_path: Path, record_property: Record
) -> None:
    tally = Tally()
    for number, edit in enumerate(EDITS):
        for at, switch in enumerate(SWITCHES):
            made = projects[version][(number + at) % len(projects[version])]
            project = tmp_path / f"{edit.__name__}-{at}" / made.name
            marks = edited(made, project, lambda _, edit=edit: edit)  # type: ignore[misc]
            try_one(house, project, marks, switch, tally)
    report(tally, record_property, len(EDITS) * len(SWITCHES))


def test_users_who_do_a_bit_of_everything(
    house: House, projects: dict[str, list[Path]], tmp_path: Path, record_property: Record
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    tally = Tally()
    for number in range(TRIALS):
        made = chance.choice(projects[chance.choice(VERSIONS)])
        project = tmp_path / f"{seed}-{number}" / made.name
        marks = edited(made, project, some_edits(chance.randrange(2**32)))
        try_one(house, project, marks, chance.choice(SWITCHES), tally)
    report(tally, record_property, TRIALS)
