"""PyTorch with several processes under torchrun: as good as with one, and with the exit code of the command."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.proof.kinds import KINDS, name_of
from tests.proof.pairs.test_gate import weaken
from tests.proof.project import SECONDS, Project

PYTORCH = [kind for kind in KINDS if kind["framework"] == "pytorch"]
pytestmark = pytest.mark.parametrize("project", PYTORCH, ids=name_of, indirect=True)


def torchrun(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the project's command with two processes, whatever it ends with."""
    launcher = ["uv", "run", "--project", str(project.folder), "torchrun", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, "-m", f"{project.package.name}.distributed", *arguments]
    return subprocess.run(
        command,
        cwd=project.cwd,
        env=project.environment(),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
    )


def test_two_processes_are_as_good_as_one(contest: Project) -> None:
    champion = contest.json("evaluate")
    (bundle,) = (contest.cwd / "artifacts/store/bundles").iterdir()
    alone = json.loads((bundle / "metrics.json").read_text("utf-8"))["metrics"]
    done = torchrun(contest, "train", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["bundle"] != champion["bundle"]
    name = champion["decision"]["metric"]
    assert alone[name]["low"] <= made["report"]["metrics"][name]["value"] <= alone[name]["high"]
    assert contest.json("promote")["decision"]["verdict"] == "passed"


def test_the_gate_refuses_all_processes_alike(contest: Project) -> None:
    weaken(contest)
    done = torchrun(contest, "pipeline")
    assert done.returncode != 0
    (sentence,) = re.findall("(?m)^error: (.*)$", done.stderr)
    assert "worse than the champion" in sentence
    assert set(re.findall(r"exitcode +: (-?\d+)", done.stderr)) == {"3"}
