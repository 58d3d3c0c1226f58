"""`--dry-run` and `--json`: looking before writing, and results for scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import QUICK, TAG, URL, Cli, git, in_clone, names


def described(cli: Cli, *arguments: str) -> dict[str, Any]:
    """Run `new --json` and return what it prints."""
    result = json.loads(cli("new", "churn", "--json", *arguments).stdout)
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_dry_run_writes_nothing(cli: Cli, tmp_path: Path, options: tuple[str, ...]) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    cli("new", "churn", "--defaults", "--dry-run", *options, TMPDIR=str(scratch))
    assert names(cli.cwd) == []
    assert names(scratch) == []


def test_a_dry_run_shows_every_file(cli_inside: Cli) -> None:
    shown = cli_inside("new", "churn", "--defaults", "--dry-run").stdout
    cli_inside("new", "churn", *QUICK)
    for path in (cli_inside.cwd / "churn").rglob("*"):
        assert f"── {path.name}" in shown
    assert shown.endswith("files; nothing was written.\n")


def test_a_dry_run_announces_what_then_is_written(cli_inside: Cli) -> None:
    announced = described(cli_inside, "--dry-run")
    made = described(cli_inside, *QUICK)
    project = cli_inside.cwd / "churn"
    written = {
        path.relative_to(project).as_posix(): path.stat().st_size for path in project.rglob("*") if path.is_file()
    }
    assert {file["path"]: file["size"] for file in announced["files"]} == written
    assert announced == {**made, "written": False}


def test_a_dry_run_refuses_what_new_refuses(cli_inside: Cli) -> None:
    (cli_inside.cwd / "churn").write_text("precious", "utf-8")
    assert cli_inside.refuses("new", "churn", "--dry-run").startswith("churn exists")
    assert cli_inside.refuses("new", "7up", "--dry-run").startswith("'7up' cannot be")


def test_each_file_tells_the_layers_that_it_comes_from(cli_inside: Cli, template_repo: Path) -> None:
    result = described(cli_inside, "--dry-run")
    layers = {file["path"]: file["layers"] for file in result["files"]}
    assert layers["pyproject.toml"] == []
    assert layers["src/churn/schema.py"] == ["task_tabular_classification"]
    assert "framework_sklearn" in layers["src/churn/model.py"]
    folders = {f"{{{{ {layer} }}}}" for path in layers.values() for layer in path}
    named = {part for path in (template_repo / "template").rglob("*") for part in path.parts if part.startswith("{{ ")}
    asked = named & {f"{{{{ {name}_{answer} }}}}" for name, answer in result["answers"].items()}
    computed = ("answer_labels", "boosts_yes", "containers_yes", "cuts_no", "example_row", "kind_tabular", "ranks_yes")
    assert folders == asked | {f"{{{{ {layer} }}}}" for layer in computed}


def test_json_tells_all_about_the_project(cli_inside: Cli) -> None:
    result = described(cli_inside, "--defaults", "--no-lock")
    project = cli_inside.cwd / "churn"
    assert result["path"] == str(project)
    assert result["written"] is True
    assert result["template"] == {"url": URL, "commit": TAG}
    assert result["commit"] == git(project, "rev-parse", "HEAD")
    assert result["locked"] is False
    assert result["answers"]["project_name"] == "churn"
    assert not [name for name in result["answers"] if name.startswith("_")]
    assert result["warnings"] == []
    assert result["next"] == ["cd churn", "uv run churn pipeline", "uv run churn serve"]


def test_warnings_are_part_of_the_json(clone: Path, tmp_path: Path) -> None:
    (clone / "copier.yml").open("a", encoding="utf-8").write("# changed\n")
    place = tmp_path / "place"
    place.mkdir()
    (warning,) = described(in_clone(clone, place), *QUICK)["warnings"]
    assert warning.startswith("The template has changes")


def test_a_refusal_leaves_stdout_to_nobody(cli_inside: Cli) -> None:
    (cli_inside.cwd / "churn").write_text("precious", "utf-8")
    cli_inside.refuses("new", "churn", "--json")  # which insists that stdout is empty
