"""One search by two workers with a PostgreSQL server, one of which is killed at work."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.proof.postgresql import OWNER, PASSWORD, Database, postgresql
from tests.proof.project import Project
from tests.proof.shipping.web import wait

TRIALS = 12


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Return an empty database."""
    with postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def job(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a snapshot and the driver that the command asked for."""
    place = tmp_path_factory.mktemp("tuning")
    in_clone(template_repo, place).with_env(UV_OFFLINE="")("new", "churn", "--defaults", "--set=deploy=none")
    project = Project(place / "churn", "churn").with_env(UV_INDEX="", DB_PASSWORD=PASSWORD)
    project.tool("uv", "sync", "--locked")
    project.parameters(("kind: gradient_boosting", "kind: logistic_regression"))  # whose trials take a second
    project("data")
    told = project.refuses("tune", "--storage", "postgresql://somebody@127.0.0.1:1/tuning")
    found = re.search(r"is not installed; run: (uv add .*)", told)
    assert found, told
    project.tool(*shlex.split(found[1]))
    return project


def begin(job: Project, storage: str) -> subprocess.Popen[str]:
    """Start a worker."""
    command = [job.folder / ".venv/bin/churn", "tune", "--trials", str(TRIALS), "--storage", storage, "--json"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=job.cwd, env=job.environment(), encoding="utf-8", **pipes)  # type: ignore[call-overload, no-any-return]


def test_the_number_of_trials_is_exact_though_a_worker_is_killed(job: Project, database: Database) -> None:
    storage = database.uri("${DB_PASSWORD}")

    def count(state: str) -> int:
        there = database("SELECT count(*) FROM pg_tables WHERE tablename = 'trials'") == "1"
        return int(database(f"SELECT count(*) FROM trials WHERE state = '{state}'")) if there else 0

    def both_are_at_work() -> bool:
        """Stop both in the middle of a trial, if they are."""
        for signal_ in (signal.SIGCONT, signal.SIGSTOP):
            for worker in (killed, other):
                worker.send_signal(signal_)
        return count("RUNNING") == 2

    killed, other = begin(job, storage), begin(job, storage)
    try:
        wait(lambda: count("COMPLETE") >= 3, "both have begun", seconds=120)
        wait(both_are_at_work, "both are at work")
        killed.kill()
        other.send_signal(signal.SIGCONT)
        assert count("COMPLETE") + count("PRUNED") < TRIALS - 2
        found, said = other.communicate(timeout=240)
    finally:
        for worker in (killed, other):
            worker.kill()
            worker.communicate()
    assert other.returncode == 0, said
    assert (count("COMPLETE") + count("PRUNED"), count("RUNNING"), count("WAITING")) == (TRIALS, 0, 0)
    search = json.loads(found)
    assert len(search["trials"]) == TRIALS
    assert search["value"] == max(trial["value"] for trial in search["trials"] if trial["value"] is not None)
    again = database("SELECT count(*) FROM trial_system_attributes WHERE key = 'failed_trial'")
    assert int(again) >= 1, "the trial of the one that was killed was not run again"

    joined = job.json("tune", "--trials", TRIALS, "--storage", storage)
    assert joined == search, "who comes later is told the same, and tries nothing"
    kept = [path for path in (job.folder / "artifacts").rglob("*") if path.is_file()]
    assert [path for path in kept if PASSWORD.encode() in path.read_bytes()] == []


def test_what_the_database_refuses_is_one_sentence(job: Project, database: Database) -> None:
    storage = database.uri("${DB_PASSWORD}")
    wrong = job.with_env(DB_PASSWORD="hush").refuses("tune", "--storage", storage)
    assert f'password authentication failed for user "{OWNER}"' in wrong
    away = job.refuses("tune", "--storage", storage.replace(f":{database.port}/", ":1/"))
    assert "Connection refused" in away
