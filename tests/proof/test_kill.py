"""`kill -9` at many random moments: MLSCAFFOLD_KILLS of them, 200 unless told, a quarter while versions are locked."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.cli.conftest import Cli
from tests.cli.conftest import cli as cli  # the fixture
from tests.cli.killing import kill_often

KILLS = int(os.environ.get("MLSCAFFOLD_KILLS", "200"))


@pytest.mark.parametrize(("times", "options"), [(KILLS - KILLS // 4, ("--no-lock",)), (KILLS // 4, ())])
def test_killed_at_any_moment_there_is_nothing_or_a_whole_project(
    cli: Cli, times: int, options: tuple[str, ...], record_property: Callable[[str, object], None]
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    seen = kill_often(cli.with_env(UV_OFFLINE=""), times, seed, *options)
    record_property("kills", dict(seen))
    print(f"{times} runs, {seen['killed']} killed before their end, {seen['left']} left something hidden (seed {seed})")
    assert seen["killed"] > times / 4
    assert seen["left"] > 0
