"""The project as it was made: clean, installed from its lock, in order by its own standards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof.project import Project


@pytest.mark.parametrize(
    "command",
    ["uv lock --check", "uv run ruff check", "uv run ruff format --check", "uv run mypy", "uv run pytest"],
)
def test_it_passes_its_own_checks(project: Project, command: str) -> None:
    project.tool(*command.split())


def test_working_with_it_leaves_nothing_that_git_sees(project: Project, tmp_path: Path) -> None:
    copy = project.copy(tmp_path / "copy")
    copy.tool("uv", "run", "pytest", "-q", "tests/test_features.py")
    copy("pipeline")
    copy("predict", copy.source, "artifacts/out")
    assert copy.touched == set()


def test_nothing_is_told_to_anybody(champion: Project, tmp_path: Path) -> None:
    """ONNX Runtime prepares its reports in the home folder, and then sends them."""
    private = champion.with_env(HOME=tmp_path, XDG_CACHE_HOME=tmp_path / "cache")
    private("predict", champion.cwd / champion.source, tmp_path / "out")
    assert [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name or "deviceid" in path.name] == []


def test_every_command_explains_itself(project: Project) -> None:
    commands = [line.split()[1] for line in project("--help").stdout.splitlines() if line.startswith("│ ")]
    wanted = {"data", "train", "tune", "evaluate", "promote", "pipeline", "serve", "example", "predict", "monitor"}
    assert wanted <= set(commands)
    for name in wanted:
        assert f"{project.name} {name} [OPTIONS]" in project(name, "--help").stdout


def test_parameters_that_were_found_make_a_model(contest: Project) -> None:
    before = contest.json("evaluate")
    found = contest.json("tune", "--trials", 2, "--write")
    contest("train")
    assert contest.json("evaluate")["bundle"] != before["bundle"]
    assert found["model"]
