"""`mlscaffold doctor`: what this machine lacks for which part of a project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlscaffold.doctor import ALWAYS, LEAST, LOGINS, VERSIONS, find_calls
from tests.cli.conftest import ROOT, Cli

_BLOCK = re.compile(r"(?ms)^ *```sh\n(.*?)^ *```$")
_COMMENT = re.compile(r"(?m)(^|\s)#.*|\\\n.*")
_CALL = re.compile(r"(?m)(?:^\s*|[|;&(]\s+|\$\(|\bdo |\bthen )([a-z][\w-]+)(?= |$)")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder of stand-ins that tell a version, for all that a project may call."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in {program.split()[0] for program in VERSIONS}:
        install(folder, name, "echo 'Version v99.1.2 (build 3.4)'")
    return folder


def install(folder: Path, name: str, script: str) -> None:
    """Write a stand-in for a program."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    (folder / name).chmod(0o755)


def make(cli: Cli, *answers: str) -> None:
    """Make a project in the folder `churn`."""
    cli("new", "churn", "--defaults", "--no-lock", "--no-git", *(word for a in answers for word in ("--set", a)))


def look(cli: Cli, programs: Path, code: int = 0) -> dict[str, Any]:
    """Return what is said of each program."""
    done = cli("doctor", "-C", "churn", "--json", code=code, PATH=str(programs))
    return {entry["name"]: entry for entry in json.loads(done.stdout)["programs"]}


def test_only_what_the_project_calls_is_looked_for(cli: Cli, programs: Path) -> None:
    make(cli, "deploy=none", "ci=none")
    found = look(cli, programs)
    assert set(found) == {*ALWAYS, "curl"}
    assert found["curl"]["needed_by"] == ["README.md"]


def test_a_machine_with_everything_is_fine(cli: Cli, programs: Path) -> None:
    make(cli, "cloud=aws", "ci=github")
    found = look(cli, programs)
    assert {"aws", "docker", "docker buildx", "docker compose", "gh", "kubectl", "terraform"} <= set(found)
    assert not {"gcloud", "az", "glab"} & set(found)
    assert {entry["state"] for entry in found.values()} == {"ok"}
    assert {entry["version"] for entry in found.values()} == {"99.1.2"}
    shown = cli("doctor", "-C", "churn", PATH=str(programs)).stdout
    assert re.search(r"ok +terraform +99\.1\.2 +.*infra/README\.md", shown)


def test_what_is_missing_old_or_broken_is_told_with_the_files_that_need_it(cli: Cli, programs: Path) -> None:
    make(cli, "cloud=aws", "ci=github")
    (programs / "aws").unlink()
    install(programs, "terraform", "echo Terraform v1.9.8")
    install(programs, "docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    found = look(cli, programs, code=4)
    told = {name: (entry["state"], entry["note"]) for name, entry in found.items() if entry["state"] != "ok"}
    assert told == {
        "docker": ("fails", "Cannot connect to the Docker daemon."),
        "docker buildx": ("fails", "Cannot connect to the Docker daemon."),
        "docker compose": ("fails", "Cannot connect to the Docker daemon."),
        "terraform": ("old", "1.11 or newer is required"),
        "aws": ("missing", "aws is not on the PATH"),
    }
    assert "infra/README.md" in found["terraform"]["needed_by"]
    shown = cli("doctor", "-C", "churn", code=4, PATH=str(programs)).stdout
    assert re.search(r"missing +aws +aws is not on the PATH; needed for infra/README\.md", shown)


def test_who_is_not_logged_in_is_told_if_one_asks(cli: Cli, programs: Path) -> None:
    make(cli, "cloud=aws", "ci=github")
    install(
        programs,
        "aws",
        "echo aws-cli/2.31.0; [ $1 = --version ] || { echo; echo 'Token has expired'; } >&2; [ $1 = --version ]",
    )
    install(programs, "gh", "[ $1 = --version ] || echo 'hush, a token'; echo 'gh version 2.80.0'")
    install(programs, "kubectl", "[ $1 = auth ] && exit 3; echo 'Client Version: v1.36.0'")
    look(cli, programs)
    done = cli("doctor", "-C", "churn", "--logins", code=4, PATH=str(programs))
    assert re.search(r"no login +aws +2\.31\.0 +Token has expired; needed for .*infra/README\.md", done.stdout)
    assert re.search(r"no login +kubectl +1\.36\.0 +kubectl auth whoami ended with 3; needed for", done.stdout)
    assert re.search(r"ok +gh +2\.80\.0", done.stdout)
    assert "hush" not in done.stdout + done.stderr


@pytest.mark.parametrize("program", LOGINS)
def test_every_login_is_of_a_program_that_is_looked_for(program: str) -> None:
    assert LOGINS[program].split()[0] == program
    assert program in VERSIONS


def test_a_folder_that_is_no_project_is_refused(cli: Cli) -> None:
    assert "is no project of ours" in cli.refuses("doctor")


def is_of_every_machine(word: str) -> bool:
    """Whether a word is the shell's own, or a program that this machine has where its system puts them."""
    ask = ["sh", "-c", 'command -v "$1"', "sh", word]
    return subprocess.run(ask, env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False).returncode == 0


def test_every_program_that_a_project_calls_is_known() -> None:
    texts = [path for folder in ("template", "partials") for path in (ROOT / folder).rglob("*") if path.is_file()]
    called = set()
    for path in texts:
        name = path.name.removesuffix(".jinja")
        if path.parent.name == "scripts" or name.endswith("run.sh"):
            code = path.read_text("utf-8")
        elif name.endswith(".md") or path.suffix == ".jinja":
            code = "\n".join(_BLOCK.findall(path.read_text("utf-8")))
        else:
            continue
        functions = set(re.findall(r"(?m)^\s*(\w+)\(\)", code))
        called |= set(_CALL.findall(_COMMENT.sub("", code))) - functions
    called.discard("uvx")  # comes with uv
    assert {"terraform", "kubectl", "docker"} <= called
    assert {word for word in called - VERSIONS.keys() if not is_of_every_machine(word)} == set()


def test_calls_are_found_in_code_alone() -> None:
    text = "Use terraform here.\n\n```sh\n# az is not called\nx=$(gh api x) && my-jq .\n```\n"
    assert set(find_calls("README.md", text)) == {"gh"}


def test_the_oldest_terraform_is_the_one_that_the_template_asks_for() -> None:
    asked = {
        found[1]
        for path in (ROOT / "template").rglob("*.tf")
        if (found := re.search(r'required_version = ">= ([\d.]+)"', path.read_text("utf-8")))
    }
    assert asked == {".".join(map(str, LEAST["terraform"]))}


def test_this_machine_is_read_truly(cli: Cli) -> None:
    make(cli, "deploy=none", "ci=none")
    done = cli("doctor", "-C", "churn", "--json", code=0 if shutil.which("curl") else 4)
    (git, *_) = json.loads(done.stdout)["programs"]
    assert (git["name"], git["state"]) == ("git", "ok")
