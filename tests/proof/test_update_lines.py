"""Every past version × every habit of users × every switch: no line is lost.

MLSCAFFOLD_TRIALS is the number of trials with users who do something else to each file, 60 unless told, or the first
and the last of them, as in 400:499. MLSCAFFOLD_SEED is what they are drawn from. So one can be tried again, alone.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from plumbum import local

from mlscaffold.template import source
from tests.living.house import House, build
from tests.living.sharing import Sharing
from tests.living.trials import EDITS, SWITCHES, Tally, edited, make_projects, some_edits, try_one

FIRST, _, LAST = os.environ.get("MLSCAFFOLD_TRIALS", "60").rpartition(":")
TRIALS = range(int(FIRST), int(LAST) + 1) if FIRST else range(int(LAST))
SEED = int(os.environ.get("MLSCAFFOLD_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
VERSIONS = ("v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0", "v5.0.0")
WHOLE = 50
"""One trial in so many is done twice, the second time with nothing shared."""

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def house(isolated_machine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The small template, in the place of this installation's own; git makes repositories without sample hooks."""
    house = build(tmp_path_factory.mktemp("house") / "mlscaffold")
    with pytest.MonkeyPatch.context() as patch, local.env(GIT_TEMPLATE_DIR=""):
        patch.setenv("GIT_TEMPLATE_DIR", "")
        patch.setattr(source, "_REPOSITORY", house.root)
        patch.setattr(source, "_EMBEDDED", house.root / "nowhere")
        yield house


@pytest.fixture(scope="module")
def projects(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return make_projects(house, tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="module")
def sharing(house: House, projects: object, tmp_path_factory: pytest.TempPathFactory) -> Sharing:
    folder = tmp_path_factory.mktemp("shared")
    return Sharing(folder, house.redirect(folder / "cache"))


def report(tally: Tally, record_property: Record, least: int) -> None:
    record_property("tally", str(tally))
    print(tally)
    assert tally.silent == []
    assert tally.different == []
    assert tally.counts["trials"] >= least
    assert tally.counts["trials with nothing shared"] > 0
    assert tally.counts["lines kept"] > 0
    assert tally.counts["compared with Copier"] >= 0.9 * tally.counts["trials"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_habit_and_every_switch(
    house: House,
    projects: dict[str, list[Path]],
    sharing: Sharing,
    version: str,
    tmp_path: Path,
    record_property: Record,
) -> None:
    tally = Tally()
    for number, edit in enumerate(EDITS):
        for at, switch in enumerate(SWITCHES):
            made = projects[version][(number + at) % len(projects[version])]
            project = tmp_path / f"{edit.__name__}-{at}" / made.name
            done = edited(made, project, lambda _, edit=edit: edit)  # type: ignore[misc]
            try_one(house, project, done, switch, tally, sharing, whole=number == at)
    report(tally, record_property, len(EDITS) * len(SWITCHES))


def test_users_who_do_a_bit_of_everything(
    house: House, projects: dict[str, list[Path]], sharing: Sharing, tmp_path: Path, record_property: Record
) -> None:
    tally = Tally()
    for number in TRIALS:
        chance = random.Random(f"{SEED}-{number}")
        made = chance.choice(projects[chance.choice(VERSIONS)])
        project = tmp_path / f"{SEED}-{number}" / made.name
        done = edited(made, project, some_edits(chance))
        whole = number % WHOLE == 0 or number == TRIALS[0]
        try_one(house, project, done, chance.choice(SWITCHES), tally, sharing, whole=whole)
    report(tally, record_property, len(TRIALS))
