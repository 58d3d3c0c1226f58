"""One release makes a project, the next one updates it: both as wheels in empty environments, without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, git, in_clone, recorded, tree
from tests.cli.test_packages import NO_NETWORK, build, built

MODEL = "template/{{ answer_labels }}/src/{{ package }}/metrics.py"


@pytest.fixture(scope="module")
def clone(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    clone = tmp_path_factory.mktemp("releases") / "mlscaffold"
    shutil.copytree(template_repo, clone)
    return clone


@pytest.fixture(scope="module")
def wheels(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the wheels of two releases."""
    place = tmp_path_factory.mktemp("wheels")
    first = built(clone, "wheel", place / "first")
    with (clone / MODEL).open("a", encoding="utf-8") as file:
        file.write("# The second release wrote this.\n")
    (clone / "template/second.txt").write_text("second\n", "utf-8")
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "-m", "More")
    git(clone, "tag", "v1.1.0")
    return {"v1.0.0": first, "v1.1.0": built(clone, "wheel", place / "second")}


@pytest.fixture(scope="module")
def releases(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cli]:
    """Return the commands of two releases, each installed into an environment of its own."""
    place = tmp_path_factory.mktemp("environments")
    uv = os.environ.get("UV", "uv")
    freeze = [uv, "pip", "freeze", "--exclude-editable", "--python", sys.executable]
    versions = subprocess.run(freeze, check=True, capture_output=True, encoding="utf-8").stdout
    (place / "versions.txt").write_text(versions, "utf-8")
    commands = {}
    for tag, wheel in wheels.items():
        venv = place / tag
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, venv], check=True)
        install = [uv, "pip", "install", "-q", "--python", str(venv), "--constraints", str(place / "versions.txt")]
        install.append(str(wheel))
        if subprocess.run([*install, "--offline"], check=False, capture_output=True).returncode:
            subprocess.run(install, check=True)  # something is not in uv's cache
        commands[tag] = Cli((str(venv / "bin/mlscaffold"),), place, {**NO_NETWORK, "PYTHONPATH": "", "UV": ""})
    return commands


def test_a_wheel_makes_a_project_and_the_next_one_updates_it(
    releases: dict[str, Cli], clone: Path, tmp_path: Path
) -> None:
    project = tmp_path / "churn"
    releases["v1.0.0"]("new", project, "--defaults", "--no-lock")
    assert "Up to date." in releases["v1.0.0"]("status", "-C", project).stdout
    with (project / "README.md").open("a", encoding="utf-8") as file:
        file.write("\nMine.\n")
    git(project, "commit", "-q", "-a", "-m", "Mine")
    twin = shutil.copytree(project, tmp_path / "twin/churn")

    behind = json.loads(releases["v1.1.0"]("status", "-C", project, "--json", code=4).stdout)
    assert behind["behind"]["releases"] == ["v1.1.0"]
    done = json.loads(releases["v1.1.0"]("update", "-C", project, "--json").stdout)
    verdicts = {file["path"]: file["verdict"] for file in done["files"]}
    assert verdicts == {
        ".copier-answers.yml": "updated",
        "second.txt": "added",
        "src/churn/metrics.py": "updated",
    }
    assert recorded(project)["_commit"] == "v1.1.0"
    assert (project / "README.md").read_text("utf-8").endswith("\nMine.\n")

    # A clone, and plain Copier that is led to it, come out the same.
    in_clone(clone, tmp_path)("update", "-C", twin)
    assert _files(twin) == _files(project)
    old = releases["v1.0.0"]
    git(project, "commit", "-q", "-a", "-m", "Update")
    refused = old("update", "-C", project, code=1).stderr
    assert "is not known here: it may come from a newer release. Upgrade mlscaffold" in refused


def test_a_source_distribution_has_the_same_history(clone: Path, wheels: dict[str, Path], tmp_path: Path) -> None:
    archive = built(clone, "sdist", tmp_path / "sdist")
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    (root,) = (tmp_path / "unpacked").iterdir()
    again = built(root, "wheel", tmp_path / "again", PATH="/nowhere")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheels["v1.1.0"]) as other:
        name = "mlscaffold/history.bundle"
        assert one.read(name) == other.read(name)


def test_a_shallow_clone_is_not_built(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{clone}", "shallow")
    done = build(tmp_path / "shallow", "wheel", tmp_path / "dist")
    assert done.returncode != 0
    assert "is a shallow clone: projects could not be updated from what is built here" in done.stderr


def _files(project: Path) -> dict[str, tuple[int, bytes]]:
    return {path: state for path, state in tree(project).items() if not path.startswith(".git")}
