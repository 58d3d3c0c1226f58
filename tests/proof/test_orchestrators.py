"""The DAG and the assets that the guide shows, run by Airflow and by Dagster."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.conftest import ROOT
from tests.proof.project import Project
from tests.proof.tasks import WEAK

BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/guide/orchestrators.md").read_text("utf-8"), re.S | re.M)
AIRFLOW, DAGSTER = BLOCKS


@pytest.fixture(scope="module")
def churn(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project that has not been run."""
    place = tmp_path_factory.mktemp("orchestrated")
    in_clone(template_repo, place).with_env(UV_OFFLINE="")("new", "churn", "--defaults", "--set=deploy=none")
    project = Project(place / "churn", "churn")
    project.tool("uv", "sync", "--locked")
    return project


def run(
    project: Project, package: str, env: Mapping[str, object], *command: object, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command of an orchestrator, in an environment of its own, and insist on its exit code."""
    there = project.with_env(CHURN=project.folder, **env)
    return there.tool("uv", "run", "--no-project", "--python", "3.11", "--with", package, *command, code=code)


def weaken(project: Project) -> None:
    """Let the next model learn little."""
    for name, value in WEAK["tabular_classification", "sklearn"].items():
        text = (project.folder / "params.yaml").read_text("utf-8")
        changed, count = re.subn(rf"(?m)^( +{name}:) \S+", rf"\1 {value}", text, count=1)
        assert count, name
        (project.folder / "params.yaml").write_text(changed, "utf-8")


def test_airflow_skips_the_promotion_of_what_the_gate_refuses(churn: Project, tmp_path: Path) -> None:
    project = churn.copy(tmp_path / "churn")
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/churn.py").write_text(AIRFLOW, "utf-8")
    env = {
        "AIRFLOW_HOME": tmp_path / "home",
        "AIRFLOW__CORE__DAGS_FOLDER": tmp_path / "dags",
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
    }

    def airflow(*command: str) -> str:
        done = run(project, "apache-airflow>=3.1,<4", env, "airflow", *command)
        return done.stdout + done.stderr

    airflow("db", "migrate")
    assert "new_state=skipped" not in airflow("dags", "test", "churn")
    first = project("champion").stdout
    assert first.strip()
    weaken(project)
    refused = airflow("dags", "test", "churn")
    assert refused.count("new_state=success") == 2
    assert refused.count("new_state=skipped") == 1
    assert "DagRun Finished" in refused
    assert "state=success" in refused.partition("DagRun Finished")[2]
    assert project("champion").stdout == first
    (project.folder / project.source).unlink()
    broken = airflow("tasks", "test", "churn", "data")  # which ends with 0, whatever the task does
    assert "cannot be read" in broken
    assert "new_state=up_for_retry" in broken


def test_dagster_keeps_the_champion_where_the_gate_refuses(churn: Project, tmp_path: Path) -> None:
    project = churn.copy(tmp_path / "churn")
    (tmp_path / "definitions.py").write_text(DAGSTER, "utf-8")

    def retrain(code: int = 0) -> str:
        command = ("dagster", "job", "execute", "-f", tmp_path / "definitions.py", "-j", "retraining")
        done = run(project, "dagster>=1.11,<2", {"DAGSTER_HOME": tmp_path}, *command, code=code)
        return done.stdout + done.stderr

    passed = retrain()
    assert "Asset check 'gate' on 'candidate' passed" in passed
    assert "Materialized value champion" in passed
    first = project("champion").stdout
    assert first.strip()
    weaken(project)
    refused = retrain(code=1)
    assert "Asset check 'gate' on 'candidate' did not pass" in refused
    assert "Materialized value champion" not in refused
    assert project("champion").stdout == first
