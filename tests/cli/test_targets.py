"""Where a project may be put: what is refused before the first byte, and what others do meanwhile."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, Cli, names, tree


def test_a_folder_with_something_in_it_is_refused(cli: Cli) -> None:
    (cli.cwd / "churn").mkdir()
    (cli.cwd / "churn/mine.txt").write_text("precious", "utf-8")
    assert cli.refuses("new", "churn", *QUICK).startswith("churn exists and is not empty")


def test_a_file_in_the_way_is_refused(cli: Cli) -> None:
    (cli.cwd / "churn").write_text("precious", "utf-8")
    assert cli.refuses("new", "churn", *QUICK).startswith("churn exists and is not a folder")


@pytest.mark.parametrize("dangling", [False, True])
def test_a_symbolic_link_is_refused(cli: Cli, dangling: bool) -> None:
    (cli.cwd / "churn").symlink_to("elsewhere")
    if not dangling:
        (cli.cwd / "elsewhere").mkdir()
    assert cli.refuses("new", "churn", *QUICK).startswith("churn is a symbolic link")


@pytest.mark.parametrize("path", [".", "../place", "sub/.."])
def test_the_current_folder_is_refused(cli: Cli, path: str) -> None:
    if path == "sub/..":
        (cli.cwd / "sub").mkdir()
    assert "is the folder that you are in" in cli.refuses("new", path, *QUICK)


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="no mount point that is always there")
def test_a_mount_point_is_refused(cli: Cli) -> None:
    assert cli.refuses("new", "/proc", *QUICK).startswith("/proc is a mount point")


def test_the_root_is_refused(cli: Cli) -> None:
    assert cli.refuses("new", "/", *QUICK).startswith("/ is a mount point")


def test_missing_parents_are_made(cli: Cli) -> None:
    """As `copier copy`, `uv init` and `cargo new` do."""
    cli("new", "team/models/churn", *QUICK)
    assert (cli.cwd / "team/models/churn/pyproject.toml").is_file()
    assert names(cli.cwd / "team/models") == ["churn"]


def test_parents_are_not_left_behind_for_nothing(cli: Cli) -> None:
    cli.refuses("new", "team/models/churn", *QUICK, "--set", "project_name=7up")
    cli("new", "team/models/churn", *QUICK, "--dry-run")
    assert names(cli.cwd) == []


def test_a_parent_that_is_a_file_is_refused(cli: Cli) -> None:
    (cli.cwd / "team").write_text("precious", "utf-8")
    assert "team" in cli.refuses("new", "team/churn", *QUICK)


def test_a_parent_that_cannot_be_written_is_refused(cli: Cli) -> None:
    if os.geteuid() == 0:  # nothing is forbidden to root but what the kernel keeps
        assert cli.refuses("new", "/proc/churn", *QUICK).startswith("Nothing can be written to /proc")
        return
    (cli.cwd / "team").mkdir(mode=0o555)
    assert cli.refuses("new", "team/churn", *QUICK).startswith(f"You may not write to {cli.cwd}/team")


def test_a_name_that_no_file_system_takes_is_refused(cli: Cli) -> None:
    assert "cannot be used" in cli.refuses("new", "c" * 300, *QUICK, "--set", "project_name=Churn")


def test_a_name_that_is_no_text_is_refused_readably(cli: Cli) -> None:
    complaint = cli.refuses("new", "ch\udcffrn\x1b[31m", *QUICK)
    assert complaint.isprintable()
    assert "project's name" in complaint


def test_a_name_that_would_steer_the_terminal_is_shown_harmlessly(cli: Cli) -> None:
    (cli.cwd / "red\x1b[31m").write_text("precious", "utf-8")
    assert cli.refuses("new", "red\x1b[31m", *QUICK).startswith("red\\x1b[31m exists")


def test_an_empty_folder_is_filled(cli: Cli) -> None:
    (cli.cwd / "churn").mkdir()
    cli("new", "churn", *QUICK)
    assert (cli.cwd / "churn/pyproject.toml").is_file()
    assert names(cli.cwd) == ["churn"]


@pytest.mark.parametrize("path", ["sub/../churn", "./churn/", "../place/churn"])
def test_a_path_is_taken_as_the_shell_takes_it(cli: Cli, path: str) -> None:
    (cli.cwd / "sub").mkdir()
    cli("new", path, *QUICK)
    assert (cli.cwd / "churn/pyproject.toml").is_file()


def test_a_link_in_the_middle_of_the_path_is_followed(cli: Cli) -> None:
    (cli.cwd / "real/deep").mkdir(parents=True)
    (cli.cwd / "link").symlink_to("real/deep")
    cli("new", "link/../churn", *QUICK)
    assert (cli.cwd / "real/churn/pyproject.toml").is_file()


@pytest.mark.parametrize("name", ["template", "project", "mlscaffold.lock", "traced"])
def test_no_name_collides_with_what_is_made_on_the_way(cli: Cli, name: str) -> None:
    cli("new", name, *QUICK, "--json", "--set", "project_name=Churn")
    assert (cli.cwd / name / "src/churn/model.py").is_file()
    assert names(cli.cwd) == [name]


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
