"""The commands for living projects, run inside the tests' own process: importing Copier costs more than an update."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlscaffold.cli import app
from mlscaffold.template import source
from tests.cli.conftest import in_clone, tree
from tests.living.house import House, build


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """Return the JSON object that it printed."""
        content = json.loads(self.out)
        assert isinstance(content, dict)
        return content

    @property
    def verdicts(self) -> dict[str, str]:
        """Return the verdict on each file."""
        return {file["path"]: file["verdict"] for file in self.data["files"]}


Run = Callable[..., Result]


@pytest.fixture(scope="session")
def built_house(isolated_machine: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return the small template at v1.0.0; not to be changed."""
    return build(tmp_path_factory.mktemp("house") / "mlscaffold")


@pytest.fixture
def house(built_house: House, tmp_path: Path) -> House:
    """Return a copy of the small template, to be changed."""
    root = tmp_path / "house" / "mlscaffold"
    shutil.copytree(built_house.root, root)
    return House(root)


@pytest.fixture
def run(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `mlscaffold` with the small template, in an empty folder."""
    monkeypatch.setattr(source, "_REPOSITORY", house.root)
    monkeypatch.setattr(source, "_EMBEDDED", tmp_path / "nowhere")
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)

    def run(*arguments: str | Path, code: int | None = 0) -> Result:
        monkeypatch.setattr(sys, "argv", ["mlscaffold", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            app.run()
        said = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        result = Result(ended.value.code, said.out, said.err)
        assert "Traceback" not in result.err
        assert code is None or result.code == code, result
        return result

    return run


@pytest.fixture(scope="session")
def made_project(built_house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of v1.0.0, committed; not to be changed."""
    place = tmp_path_factory.mktemp("made")
    in_clone(built_house.root, place)("new", "churn", "--defaults", "--no-lock", "--set", "project_name=Churn")
    return place / "churn"


@pytest.fixture
def project(made_project: Path, run: Run, tmp_path: Path) -> Path:
    """Return a project of v1.0.0, committed."""
    return shutil.copytree(made_project, tmp_path / "place/churn")


@pytest.fixture
def refuses(run: Run) -> Callable[..., str]:
    """Return what runs `mlscaffold` and insists that it changes nothing and says why in one sentence."""

    def refuses(project: Path, *arguments: str | Path, code: int = 1) -> str:
        before = tree(project)
        result = run(*arguments, code=code)
        after = tree(project)
        for state in (before, after):  # where the lock lies; git does not know it
            state.pop(".git/mlscaffold", None)
            state.pop(".git/mlscaffold/lock", None)
        assert after == before
        if "--json" in arguments:
            assert result.data["exit_code"] == code
        else:
            assert result.out == ""
        (complaint,) = [line for line in result.err.splitlines() if not line.startswith("Note: ")]
        assert complaint.startswith("Error: ")
        return complaint.removeprefix("Error: ")

    return refuses


def status(project: Path) -> dict[str, str]:
    """Return git's two letters for each path that differs from HEAD."""
    command = ["git", "status", "--porcelain", "--untracked-files=all", "-z"]
    listing = subprocess.run(command, cwd=project, check=True, capture_output=True, encoding="utf-8").stdout
    return {entry[3:]: entry[:2] for entry in listing.split("\0") if entry}
