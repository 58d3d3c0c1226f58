"""The command as its users have it: in a clone of the template's repository, and installed from a wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from mlscaffold.cli import app
from mlscaffold.template import source

ROOT = Path(__file__).parents[2]
URL = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]
TAG = "v1.0.0"  # of the snapshot
QUICK = ("--defaults", "--no-lock", "--no-git")


@dataclass(frozen=True)
class Cli:
    """Runs `mlscaffold` in a folder, as a process of its own, without a terminal and without a network."""

    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it and insist on its exit code; variables that are "" are unset."""
        done = subprocess.run(
            [*self.command, *map(str, arguments)],
            cwd=self.cwd,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, f"{done.args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def refuses(self, *arguments: str | Path, **env: str) -> str:
        """Run it, insist on exit code 1 and that nothing was written, and return the one sentence that says why."""
        before = tree(self.cwd)
        done = self(*arguments, code=1, **env)
        assert tree(self.cwd) == before
        if "--json" in arguments:
            assert json.loads(done.stdout)["exit_code"] == 1
        else:
            assert done.stdout == ""
        (complaint,) = [line for line in done.stderr.splitlines() if not line.startswith("Note: ")]
        assert complaint.startswith("Error: ")
        return complaint.removeprefix("Error: ")

    def with_env(self, **env: str) -> Cli:
        """Return the same command with more variables."""
        return replace(self, env={**self.env, **env})

    def environment(self, **env: str) -> dict[str, str]:
        """Return the environment of its process."""
        everything = {**os.environ, **self.env, **env}
        return {name: value for name, value in everything.items() if value}


@dataclass(frozen=True)
class CliInside(Cli):
    """Runs `mlscaffold` in the tests' own process: its start costs more than most commands. Takes no variables."""

    patch: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)
    captured: pytest.CaptureFixture[str] | None = None

    def __call__(self, *arguments: str | Path, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it and insist on its exit code."""
        assert self.captured
        assert not env, "variables are for a process of its own"
        words = ["mlscaffold", *map(str, arguments)]
        self.captured.readouterr()
        with self.patch.context() as patch:
            patch.setattr(sys, "argv", words)
            patch.chdir(self.cwd)
            with pytest.raises(SystemExit) as ended:
                app.run()
        said = self.captured.readouterr()
        done = subprocess.CompletedProcess(words, int(ended.value.code or 0), said.out, said.err)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr, done.stderr
        return done


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of all that is below a folder, whatever its name; links are not followed."""
    result = {}
    for path in sorted(folder.rglob("*")):
        content = b"" if path.is_dir() and not path.is_symlink() else _content(path)
        result[path.relative_to(folder).as_posix()] = (path.lstat().st_mode, content)
    return result


def names(folder: Path) -> list[str]:
    """Return the names of what lies in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def _content(path: Path) -> bytes:
    return os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()


def git(repository: Path, *arguments: str) -> str:
    """Run git in a repository and return what it prints."""
    done = subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, encoding="utf-8")
    return done.stdout.strip()


def recorded(project: Path) -> dict[str, str]:
    """Return what a project's answers file says."""
    content = yaml.safe_load((project / ".copier-answers.yml").read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def in_clone(clone: Path, cwd: Path) -> Cli:
    """Return the command as an editable install of a clone has it."""
    return Cli(
        (sys.executable, "-m", "mlscaffold"), cwd, {"PYTHONPATH": str(clone / "src"), "UV": "", "UV_OFFLINE": "1"}
    )


@pytest.fixture
def cli(template_repo: Path, tmp_path: Path) -> Cli:
    """Return the command in a clone, run in an empty folder."""
    place = tmp_path / "place"
    place.mkdir()
    return in_clone(template_repo, place)


@pytest.fixture
def cli_inside(
    template_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Cli:
    """Return the command in a clone, run in an empty folder by this process."""
    monkeypatch.setattr(source, "_REPOSITORY", template_repo)
    monkeypatch.setattr(source, "_EMBEDDED", tmp_path / "nowhere")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.delenv("UV", raising=False)
    place = tmp_path / "place"
    place.mkdir()
    return CliInside((), place, patch=monkeypatch, captured=capfd)


@pytest.fixture
def clone(template_repo: Path, tmp_path: Path) -> Path:
    """Return a clone to be changed: the snapshot with its tag."""
    copy = tmp_path / "clone"
    shutil.copytree(template_repo, copy)
    return copy
