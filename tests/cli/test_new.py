"""What `mlscaffold new` makes, where it is run in the ordinary and in odd surroundings."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import QUICK, TAG, URL, Cli, git, in_clone, recorded, tree


def test_a_project_is_whole_and_committed(cli_inside: Cli) -> None:
    done = cli_inside("new", "churn", "--defaults", "--no-lock")
    project = cli_inside.cwd / "churn"
    assert list(cli_inside.cwd.iterdir()) == [project]
    assert (project / "src/churn/model.py").is_file()
    assert git(project, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(project, "rev-list", "--count", "HEAD") == "1"
    assert git(project, "status", "--porcelain", "--ignored") == ""
    assert done.stderr == ""


def test_it_ends_with_a_short_tree_and_three_commands(cli_inside: Cli) -> None:
    lines = cli_inside("new", "churn", *QUICK).stdout.splitlines()
    assert lines[-4:] == ["Next:", "  cd churn", "  uv run churn pipeline", "  uv run churn serve"]
    assert len(lines) < 20
    assert any("src/churn/" in line for line in lines)


def test_the_origin_is_recorded_without_a_trace_of_this_machine(cli_inside: Cli) -> None:
    cli_inside("new", "churn", *QUICK)
    answers = recorded(cli_inside.cwd / "churn")
    assert (answers["_src_path"], answers["_commit"]) == (URL, TAG)
    assert str(cli_inside.cwd.parent) not in (cli_inside.cwd / "churn/.copier-answers.yml").read_text("utf-8")


def test_later_commits_are_described_as_copier_describes_them(clone: Path, tmp_path: Path) -> None:
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "More")
    in_clone(clone, tmp_path)("new", "churn", *QUICK)
    assert recorded(tmp_path / "churn")["_commit"] == git(clone, "describe", "--tags", "--always")


def test_a_changed_template_is_used_and_confessed(clone: Path, tmp_path: Path) -> None:
    (clone / "template/NEWS.txt").write_text("Not committed\n", "utf-8")
    done = in_clone(clone, tmp_path)("new", "churn", *QUICK)
    assert (tmp_path / "churn/NEWS.txt").is_file()
    assert recorded(tmp_path / "churn")["_commit"] == TAG
    assert done.stderr == f"Note: The template has changes that are not in {TAG}, which is what the project records.\n"


def test_a_change_beside_the_template_is_none_of_it(clone: Path, tmp_path: Path) -> None:
    (clone / "NEWS.txt").write_text("Not committed\n", "utf-8")
    assert in_clone(clone, tmp_path)("new", "churn", *QUICK).stderr == ""


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_path_gives_the_name(cli_inside: Cli) -> None:
    cli_inside("new", "Customer churn", *QUICK)
    assert recorded(cli_inside.cwd / "Customer churn")["project_name"] == "Customer churn"
    assert (cli_inside.cwd / "Customer churn/src/customer_churn").is_dir()


def test_a_given_name_wins_over_the_path(cli_inside: Cli) -> None:
    cli_inside("new", "7up", *QUICK, "--set", "project_name=Churn")
    assert recorded(cli_inside.cwd / "7up")["project_name"] == "Churn"


def test_set_wins_over_a_file_and_may_hold_equals_signs(cli_inside: Cli) -> None:
    (cli_inside.cwd / "answers.yml").write_text("description: of the file\nauthor_name: Grace Hopper\n", "utf-8")
    cli_inside("new", "churn", *QUICK, "--answers", "answers.yml", "--set", "description=a=b")
    answers = recorded(cli_inside.cwd / "churn")
    assert (answers["description"], answers["author_name"]) == ("a=b", "Grace Hopper")


def test_another_projects_answers_will_do(cli_inside: Cli) -> None:
    cli_inside("new", "first", *QUICK, "--set", "description=One of two", "--set", "project_name=Twin")
    cli_inside("new", "second", *QUICK, "--answers", "first/.copier-answers.yml")
    assert tree(cli_inside.cwd / "first") == tree(cli_inside.cwd / "second")


def test_git_says_who_the_author_is(cli_inside: Cli) -> None:
    cli_inside("new", "churn", *QUICK)
    answers = recorded(cli_inside.cwd / "churn")
    assert (answers["author_name"], answers["author_email"]) == ("Ada Lovelace", "ada@example.org")


@pytest.mark.parametrize("name", ["Ada\u202eLovelace", "A" * 200])
def test_what_the_template_would_not_take_from_git_is_left_out(cli: Cli, name: str, tmp_path: Path) -> None:
    config = tmp_path / "gitconfig"
    config.write_text(f"[user]\nname = {name}\nemail = root@localhost\n", "utf-8")
    cli("new", "churn", *QUICK, GIT_CONFIG_GLOBAL=str(config))
    answers = recorded(cli.cwd / "churn")
    assert (answers["author_name"], answers["author_email"]) == ("The authors", "")


def test_copiers_own_settings_do_not_leak_in(cli: Cli, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults: {description: Leaked}\n", "utf-8")
    cli("new", "churn", *QUICK, COPIER_SETTINGS_PATH=str(settings))
    assert recorded(cli.cwd / "churn")["description"] != "Leaked"


# ── Git ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_no_git_means_no_repository(cli_inside: Cli) -> None:
    assert cli_inside("new", "churn", *QUICK).stderr == ""
    assert not (cli_inside.cwd / "churn/.git").exists()


def test_the_users_hooks_key_and_ignore_list_do_not_break_the_first_commit(cli: Cli, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n", "utf-8")
        (hooks / name).chmod(0o755)
    (tmp_path / "ignore").write_text("*.py\n", "utf-8")
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\nhooksPath = {hooks}\nexcludesFile = {tmp_path}/ignore\n[commit]\ngpgSign = true\n"
        "[gpg]\nprogram = false\n[user]\nname = Ada\nemail = ada@example.org\n",
        "utf-8",
    )
    cli("new", "churn", "--defaults", "--no-lock", GIT_CONFIG_GLOBAL=str(config))
    project = cli.cwd / "churn"
    files = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    assert set(git(project, "ls-files").splitlines()) == {name for name in files if not name.startswith(".git/")}
    assert not (tmp_path / "ran").exists()


def test_without_a_name_all_is_staged_and_said(cli: Cli, tmp_path: Path) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nuseConfigOnly = true\n", "utf-8")
    done = cli("new", "churn", "--defaults", "--no-lock", GIT_CONFIG_GLOBAL=str(config))
    project = cli.cwd / "churn"
    (note,) = done.stderr.splitlines()
    assert note.startswith("Note: Git does not know who you are")
    assert {line[:2] for line in git(project, "status", "--porcelain").splitlines()} == {"A "}
    command = note.split("`")[3]
    subprocess.run(command, shell=True, cwd=project, check=True, capture_output=True)  # with the session's identity
    assert git(project, "status", "--porcelain") == ""


def test_inside_another_repository_none_is_started(cli_inside: Cli) -> None:
    git(cli_inside.cwd, "init", "--quiet")
    before = tree(cli_inside.cwd / ".git")
    done = cli_inside("new", "churn", "--defaults", "--no-lock")
    assert not (cli_inside.cwd / "churn/.git").exists()
    assert tree(cli_inside.cwd / ".git") == before
    assert done.stderr == (
        f"Note: {cli_inside.cwd} is a repository already, so none was started inside it, and its CI is the one that has"
        " to call the project's scripts.\n"
    )
    assert recorded(cli_inside.cwd / "churn")["ci"] == "none"


def test_inside_another_repository_ci_would_be_ignored_and_is_refused(cli_inside: Cli) -> None:
    git(cli_inside.cwd, "init", "--quiet")
    done = cli_inside("new", "churn", *QUICK, "--set", "ci=gitlab", code=1)
    assert done.stderr.startswith(f"Error: ci: CI reads the files of {cli_inside.cwd} only")
    assert not (cli_inside.cwd / "churn").exists()


def test_the_callers_repository_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    """Git sets these while it runs a hook."""
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", "other")
    before = tree(other)
    cli("new", "churn", "--defaults", "--no-lock", GIT_DIR=f"{other}/.git", GIT_INDEX_FILE=f"{other}/.git/index")
    assert tree(other) == before
    assert git(cli.cwd / "churn", "rev-list", "--count", "HEAD") == "1"


def test_a_clone_cannot_be_used_without_git(cli: Cli) -> None:
    assert cli.refuses("new", "churn", *QUICK, PATH="/nowhere").endswith("cannot be read without git: install git.")


# ── Locking ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_without_a_network_it_says_so_and_goes_on(cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "new",
        "churn",
        "--defaults",
        UV_OFFLINE="",
        UV_NO_CONFIG="1",
        UV_DEFAULT_INDEX="http://127.0.0.1:9/simple",
        UV_INDEX="",
        UV_EXTRA_INDEX_URL="",
        UV_FIND_LINKS="",
        UV_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert done.stderr == (
        "Note: No uv.lock was written: the package index at 127.0.0.1:9 cannot be reached. `uv lock` in the project"
        " makes up for it.\n"
    )
    assert not (cli.cwd / "churn/uv.lock").exists()
    assert git(cli.cwd / "churn", "rev-list", "--count", "HEAD") == "1"


def test_what_uv_says_is_passed_on(clone: Path, tmp_path: Path) -> None:
    pyproject = clone / "template/pyproject.toml.jinja"
    text = re.sub(r"(?m)^requires-python = .*$", 'requires-python = ">=99"', pyproject.read_text("utf-8"))
    pyproject.write_text(text, "utf-8")
    done = in_clone(clone, tmp_path)("new", "churn", "--defaults", "--no-git")
    (note,) = [line for line in done.stderr.splitlines() if "uv.lock" in line]
    assert note.startswith("Note: No uv.lock was written: The requested interpreter resolved to Python 3.")
    assert ">=99" in note


def test_inside_a_workspace_its_lock_file_is_left_alone(cli: Cli) -> None:
    (cli.cwd / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["*"]\n', "utf-8")
    done = cli("new", "churn", "--defaults", "--no-git")
    assert done.stderr.startswith(f"Note: {cli.cwd} is a uv workspace")
    assert sorted(path.name for path in cli.cwd.iterdir()) == ["churn", "pyproject.toml"]
    assert not (cli.cwd / "churn/uv.lock").exists()


# ── Modes ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_files_have_the_modes_of_new_files(clone: Path, tmp_path: Path) -> None:
    script = clone / "template/hello.sh"
    script.write_text("#!/bin/sh\necho hello\n", "utf-8")
    script.chmod(0o755)
    for path in (clone / "template").rglob("*"):
        if path.is_file():
            path.chmod(path.stat().st_mode & ~0o222)  # as in a read-only install
    place = tmp_path / "place"
    place.mkdir()
    umask = os.umask(0o027)
    try:
        in_clone(clone, place)("new", "churn", *QUICK)
    finally:
        os.umask(umask)
    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in (place / "churn").rglob("*")
        if path.is_file() and path.name != "hello.sh"
    }
    assert modes <= {0o640, 0o750}
    assert stat.S_IMODE((place / "churn/hello.sh").stat().st_mode) == 0o750
    assert stat.S_IMODE((place / "churn").stat().st_mode) == 0o750


# ── What comes next ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_next_commands_work_when_pasted(cli: Cli, tmp_path: Path) -> None:
    """Started by a uv that is not on the user's PATH, from a folder with blanks, as the README's first line does."""
    tools = tmp_path / "my tools"
    tools.mkdir()
    uv = tools / "uv"
    uv.write_text(f'#!/bin/sh\necho "$PWD: $*" >> "{tmp_path}/ran"\n', "utf-8")
    uv.chmod(0o755)
    scripts = Path(sys.executable).parent  # `uv run` puts this first, and it has a uv
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("git", "sh"):
        (bare / name).symlink_to(shutil.which(name) or name)
    lines = cli(
        "new",
        "my churn",
        *QUICK,
        UV=str(uv),
        VIRTUAL_ENV=str(scripts.parent),
        PATH=f"{scripts}:{bare}",
    ).stdout.splitlines()
    commands = lines[lines.index("Next:") + 1 :]
    subprocess.run(["sh"], input="\n".join(commands), cwd=cli.cwd, env={"PATH": str(bare)}, check=True, text=True)
    project = cli.cwd / "my churn"
    ran = (tmp_path / "ran").read_text("utf-8")
    assert ran == f"{project}: run my-churn pipeline\n{project}: run my-churn serve\n"


def test_a_uv_on_the_path_is_called_by_its_name(cli: Cli, tmp_path: Path) -> None:
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.touch(mode=0o755)
    scripts = Path(sys.executable).parent
    path = f"{scripts}:{uv.parent}:{os.environ['PATH']}"
    done = cli("new", "churn", *QUICK, UV=str(uv), VIRTUAL_ENV=str(scripts.parent), PATH=path)
    assert done.stdout.endswith("\n  uv run churn serve\n")


# ── A template with a mistake ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.toml", "a = ", "The template made a broken file, broken.toml"),
        ("broken.yaml", "a: [", "The template made a broken file, broken.yaml"),
        ("broken.json", "{", "The template made a broken file, broken.json"),
        ("broken.py", "def", "The template made a broken file, broken.py"),
        ("broken.txt.jinja", "{% if %}", "The template cannot be rendered: "),
        ("unknown.txt.jinja", "{{ nobody }}", "The template cannot be rendered: 'nobody' is undefined"),
    ],
)
def test_a_mistake_in_the_template_leaves_nothing(clone: Path, cli: Cli, name: str, content: str, said: str) -> None:
    (clone / "template" / name).write_text(content, "utf-8")
    assert in_clone(clone, cli.cwd).refuses("new", "churn", *QUICK).startswith(said)


def test_tags_that_only_one_tool_knows_are_fine(clone: Path, tmp_path: Path) -> None:
    (clone / "template/tags.yml").write_text("script: !reference [.setup, script]\n", "utf-8")
    in_clone(clone, tmp_path)("new", "churn", *QUICK)
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load((tmp_path / "churn/tags.yml").read_text("utf-8"))
