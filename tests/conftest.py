"""What every test shares: a machine of its own, and the template as a committed, tagged snapshot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from copier import Settings, run_copy, run_update
from copier._main import Worker
from plumbum import local

from mlscaffold.template.jinja import compile_once

ROOT = Path(__file__).parents[1]
GIT_CONFIG = """\
[user]
    name = Ada Lovelace
    email = ada@example.org
[init]
    defaultBranch = main
"""


LONG = ("test_kubernetes.py", "test_explorer.py", "test_packages.py", "test_new.py", "test_kubernetes_defects.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest, so that no worker is left with one of them when the others are done.

    None of them is of the proof, which has an order of its own.
    """
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="session", autouse=True)
def isolated_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the session a home of its own, so that nobody's settings decide a result, and return it.

    It is as wide as the session because the snapshots, which live as long, must not see the real home either.
    """
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(GIT_CONFIG, encoding="utf-8")
    (home / "copier-settings.yml").write_text("defaults: {}\n", encoding="utf-8")
    places = {
        "HOME": home,
        "USERPROFILE": home,
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
        "GIT_CONFIG_GLOBAL": home / ".gitconfig",
        "COPIER_SETTINGS_PATH": home / "copier-settings.yml",
        "COPIER_CACHE_DIR": home / "copier-cache",
        **_places_of_uv(),
    }
    environment = {name: str(place) for name, place in places.items()} | {"GIT_CONFIG_NOSYSTEM": "1"}
    with pytest.MonkeyPatch.context() as patch:
        # Set while git runs a hook, the first three would send every git command to the repository around us. With the
        # last, every program in Python would compile all that it imports whenever it starts.
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "PYTHONDONTWRITEBYTECODE"):
            patch.delenv(name, raising=False)
            if name in local.env:
                del local.env[name]
        for name, value in environment.items():
            patch.setenv(name, value)
        # Copier runs git with the environment that plumbum copied when it was imported.
        with local.env(**environment):
            yield home


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Let Jinja compile each text once in a session."""
    with compile_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def modes_are_kept() -> Iterator[None]:
    """Let Copier not ask git about the mode of each file: it does nothing then, for git keeps modes on these machines.

    The question is a process for each file, a third of what a project costs.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.name == "posix":
            patch.setattr(Worker, "_sync_git_index_executable_bit", lambda *_: None)
        yield


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of this run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def template_repo(isolated_machine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose only commit, tagged v1.0.0, is the working tree with all that is not ignored.

    Copier looks at commits and tags only: the real repository would hide what is being worked on.
    """
    snapshot = tmp_path_factory.mktemp("template") / "mlscaffold"
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():  # not deleted since the last commit
            target = snapshot / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    commit(snapshot, "v1.0.0")
    return snapshot


def commit(repository: Path, tag: str | None = None) -> None:
    """Commit everything in *repository*, which is made one if it is none, and tag it."""
    commands = ["init -q", "add --all --force", "commit -q --allow-empty -m State", *([f"tag {tag}"] if tag else [])]
    for command in commands:
        subprocess.run(["git", *command.split()], cwd=repository, check=True)


@dataclass(frozen=True)
class Copier:
    """`copier copy` and `copier update` as someone runs them who trusts no template and is asked nothing.

    pytest-copie trusts every template, passes answers as mere defaults and reads the user's own settings, so it could
    not show a need for trust, nor switch an answer.
    """

    template: Path

    def copy(self, project: Path, answers: Mapping[str, object] | None = None, ref: str | None = None) -> Path:
        """Render *project* with *answers*; raises what Copier raises."""
        run_copy(
            str(self.template),
            project,
            data=dict(answers or {}),
            vcs_ref=ref,
            settings=Settings(),
            defaults=True,
            quiet=True,
            unsafe=False,
        )
        return project

    def update(self, project: Path, answers: Mapping[str, object] | None = None, ref: str | None = None) -> Path:
        """Update *project*, which is committed, to *ref* or the newest tag, with changed *answers*."""
        run_update(
            project,
            data=dict(answers or {}),
            vcs_ref=ref,
            settings=Settings(),
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=False,
        )
        return project


@pytest.fixture(scope="session")
def copier(template_repo: Path) -> Copier:
    """Return what renders and updates projects from the snapshot."""
    return Copier(template_repo)


def _places_of_uv() -> dict[str, str]:
    """Return where uv keeps downloads and Pythons: those are no settings, and fetching them again takes minutes."""
    uv = shutil.which("uv")
    if uv is None:
        return {}
    asked = {"UV_CACHE_DIR": "cache", "UV_PYTHON_INSTALL_DIR": "python"}
    return {
        name: subprocess.run([uv, topic, "dir"], check=True, capture_output=True, encoding="utf-8").stdout.strip()
        for name, topic in asked.items()
    }
