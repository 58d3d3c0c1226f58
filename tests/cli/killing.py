"""`kill -9` at random moments of `new`."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
import tomllib
from collections import Counter

from tests.cli.conftest import Cli, git, names, tree


def kill_often(cli: Cli, times: int, seed: int, *options: str) -> Counter[str]:
    """Kill `new` at random moments; after each, there is nothing or a whole project, and a second run succeeds.

    Returns:
        How often a run was "killed" before its end, and how often it had "left" something hidden behind.
    """
    cli("new", "churn", "--defaults", *options)  # fills caches, so that the next one takes as long as the killed ones
    _remove(cli)
    started = time.monotonic()
    cli("new", "churn", "--defaults", *options)
    duration = time.monotonic() - started
    project = cli.cwd / "churn"
    whole = {name: state for name, state in tree(project).items() if not name.startswith(".git/")}
    lock = whole.pop("uv.lock", None)
    _remove(cli)

    seen: Counter[str] = Counter()
    moments = random.Random(seed)
    for _ in range(times):
        process = subprocess.Popen(
            [*cli.command, "new", "churn", "--defaults", *options],
            cwd=cli.cwd,
            env=cli.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        moment = moments.uniform(0, 1.1 * duration)
        time.sleep(moment)
        process.kill()
        seen["killed"] += process.wait() != 0
        seen["left"] += any(name.startswith(".mlscaffold-") for name in names(cli.cwd))
        again = "spare" if project.exists() else "churn"
        cli("new", again, "--defaults", "--set", "project_name=churn", *options)
        where = f"killed after {moment:.3f} s (seed {seed})"
        made = {name: state for name, state in tree(project).items() if not name.startswith(".git/")}
        if lock is not None:
            tomllib.loads(made.pop("uv.lock")[1].decode("utf-8"))
        assert made == whole, where
        assert git(project, "rev-list", "--count", "HEAD") == "1", where
        assert git(project, "status", "--porcelain") == "", where
        git(project, "fsck", "--strict")
        shown = [name for name in names(cli.cwd) if not name.startswith(".mlscaffold-")]
        assert shown in (["churn"], ["churn", "spare"]), where
        _remove(cli)
    return seen


def _remove(cli: Cli) -> None:
    for name in names(cli.cwd):
        shutil.rmtree(cli.cwd / name)
