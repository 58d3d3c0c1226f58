"""Where a project may be put: what is refused before the first byte, and what others do meanwhile."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, Cli, names, tree


def test_a_folder_with_something_in_it_is_refused(cli_inside: Cli) -> None:
    (cli_inside.cwd / "churn").mkdir()
    (cli_inside.cwd / "churn/mine.txt").write_text("precious", "utf-8")
    assert cli_inside.refuses("new", "churn", *QUICK).startswith("churn exists and is not empty")


def test_a_file_in_the_way_is_refused(cli_inside: Cli) -> None:
    (cli_inside.cwd / "churn").write_text("precious", "utf-8")
    assert cli_inside.refuses("new", "churn", *QUICK).startswith("churn exists and is not a folder")


@pytest.mark.parametrize("dangling", [False, True])
def test_a_symbolic_link_is_refused(cli_inside: Cli, dangling: bool) -> None:
    (cli_inside.cwd / "churn").symlink_to("elsewhere")
    if not dangling:
        (cli_inside.cwd / "elsewhere").mkdir()
    assert cli_inside.refuses("new", "churn", *QUICK).startswith("churn is a symbolic link")


@pytest.mark.parametrize("path", [".", "../place", "sub/.."])
def test_the_current_folder_is_refused(cli_inside: Cli, path: str) -> None:
    if path == "sub/..":
        (cli_inside.cwd / "sub").mkdir()
    assert "is the folder that you are in" in cli_inside.refuses("new", path, *QUICK)


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="no mount point that is always there")
def test_a_mount_point_is_refused(cli_inside: Cli) -> None:
    assert cli_inside.refuses("new", "/proc", *QUICK).startswith("/proc is a mount point")


def test_the_root_is_refused(cli_inside: Cli) -> None:
    assert cli_inside.refuses("new", "/", *QUICK).startswith("/ is a mount point")


def test_missing_parents_are_made(cli_inside: Cli) -> None:
    """As `copier copy`, `uv init` and `cargo new` do."""
    cli_inside("new", "team/models/churn", *QUICK)
    assert (cli_inside.cwd / "team/models/churn/pyproject.toml").is_file()
    assert names(cli_inside.cwd / "team/models") == ["churn"]


def test_parents_are_not_left_behind_for_nothing(cli_inside: Cli) -> None:
    cli_inside.refuses("new", "team/models/churn", *QUICK, "--set", "project_name=7up")
    cli_inside("new", "team/models/churn", *QUICK, "--dry-run")
    assert names(cli_inside.cwd) == []


def test_a_parent_that_is_a_file_is_refused(cli_inside: Cli) -> None:
    (cli_inside.cwd / "team").write_text("precious", "utf-8")
    assert "team" in cli_inside.refuses("new", "team/churn", *QUICK)


def test_a_parent_that_cannot_be_written_is_refused(cli_inside: Cli) -> None:
    if os.geteuid() == 0:  # nothing is forbidden to root but what the kernel keeps
        assert cli_inside.refuses("new", "/proc/churn", *QUICK).startswith("Nothing can be written to /proc")
        return
    (cli_inside.cwd / "team").mkdir(mode=0o555)
    assert cli_inside.refuses("new", "team/churn", *QUICK).startswith(f"You may not write to {cli_inside.cwd}/team")


def test_a_name_that_no_file_system_takes_is_refused(cli_inside: Cli) -> None:
    assert "cannot be used" in cli_inside.refuses("new", "c" * 300, *QUICK, "--set", "project_name=Churn")


def test_a_name_that_is_no_text_is_refused_readably(cli_inside: Cli) -> None:
    complaint = cli_inside.refuses("new", "ch\udcffrn\x1b[31m", *QUICK)
    assert complaint.isprintable()
    assert "project's name" in complaint


def test_a_name_that_would_steer_the_terminal_is_shown_harmlessly(cli_inside: Cli) -> None:
    (cli_inside.cwd / "red\x1b[31m").write_text("precious", "utf-8")
    assert cli_inside.refuses("new", "red\x1b[31m", *QUICK).startswith("red\\x1b[31m exists")


def test_an_empty_folder_is_filled(cli_inside: Cli) -> None:
    (cli_inside.cwd / "churn").mkdir()
    cli_inside("new", "churn", *QUICK)
    assert (cli_inside.cwd / "churn/pyproject.toml").is_file()
    assert names(cli_inside.cwd) == ["churn"]


@pytest.mark.parametrize("path", ["sub/../churn", "./churn/", "../place/churn"])
def test_a_path_is_taken_as_the_shell_takes_it(cli_inside: Cli, path: str) -> None:
    (cli_inside.cwd / "sub").mkdir()
    cli_inside("new", path, *QUICK)
    assert (cli_inside.cwd / "churn/pyproject.toml").is_file()


def test_a_link_in_the_middle_of_the_path_is_followed(cli_inside: Cli) -> None:
    (cli_inside.cwd / "real/deep").mkdir(parents=True)
    (cli_inside.cwd / "link").symlink_to("real/deep")
    cli_inside("new", "link/../churn", *QUICK)
    assert (cli_inside.cwd / "real/churn/pyproject.toml").is_file()


@pytest.mark.parametrize("name", ["template", "project", "mlscaffold.lock", "traced"])
def test_no_name_collides_with_what_is_made_on_the_way(cli_inside: Cli, name: str) -> None:
    cli_inside("new", name, *QUICK, "--json", "--set", "project_name=Churn")
    assert (cli_inside.cwd / name / "src/churn/model.py").is_file()
    assert names(cli_inside.cwd) == [name]


# ── What appears meanwhile ──────────────────────────────────────────────────────────────────────────────────────────
def test_two_at_once_do_not_disturb_each_other(cli: Cli) -> None:
    command = [*cli.command, "new"]
    together = [
        subprocess.Popen([*command, f"churn{n}", *QUICK], cwd=cli.cwd, env=cli.environment(), stdout=subprocess.PIPE)
        for n in range(4)
    ]
    for process in together:
        process.communicate()
        assert process.returncode == 0
    trees = [{name.replace(f"churn{n}", "churn") for name in tree(cli.cwd / f"churn{n}")} for n in range(4)]
    assert trees[0]
    assert all(one == trees[0] for one in trees)
    assert names(cli.cwd) == [f"churn{n}" for n in range(4)]


def test_what_appears_meanwhile_is_not_overwritten(cli: Cli, tmp_path: Path) -> None:
    """Git, which is called last, makes the target while we work."""
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\nmkdir -p {cli.cwd}/churn && echo precious > {cli.cwd}/churn/mine.txt\n", "utf-8")
    fake.chmod(0o755)
    path = f"{fake.parent}:{os.environ['PATH']}"
    done = cli("new", "churn", "--defaults", "--no-lock", "--set", "project_name=Churn", code=1, PATH=path)
    assert "Error: " in done.stderr
    assert set(tree(cli.cwd)) == {"churn", "churn/mine.txt"}
