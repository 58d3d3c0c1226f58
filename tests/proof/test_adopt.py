"""Repositories of every shape, adopted: they work as before, nothing half works, and they live on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlscaffold.project.files import Verdict
from tests.cli.conftest import git
from tests.living.conftest import Run, status
from tests.living.conftest import run as run  # the fixture
from tests.living.house import House, repository, save
from tests.living.shapes import SHAPES, Shape

BRANCH = "mlscaffold/adopt"


@pytest.fixture
def house(template_repo: Path, tmp_path: Path) -> House:
    """Return a clone of the real template, to be changed."""
    return House(shutil.copytree(template_repo, tmp_path / "house/mlscaffold"))


def run_own_tests(shape: Shape, place: Path) -> None:
    """Run the repository's own tests as its users do."""
    environment = {**os.environ, **shape.env, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *shape.tests], cwd=place, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SHAPES)
def test_it_works_as_before_and_lives_on(run: Run, house: House, tmp_path: Path, name: str) -> None:
    shape = SHAPES[name]
    root = repository(tmp_path / "place" / name.lower().replace(" ", "-"), shape.files)
    place = root / shape.project
    if shape.tests:
        run_own_tests(shape, place)
    done = run("adopt", "-C", place, "--json").data
    fates = {file["path"]: Verdict(file["verdict"]) for file in done["files"]}
    added = {path for path, fate in fates.items() if fate is Verdict.ADDED}
    git(root, "merge", "-q", BRANCH)

    if shape.tests:
        run_own_tests(shape, place)
    assert done["answers"]["framework"] == shape.framework
    assert done["answers"]["ci"] == shape.ci
    assert "framework" in done["inferred"]
    ours = {path for path in added if path.startswith((".github/", ".gitlab", ".azuredevops/", "azure-pipelines"))}
    assert not ours or shape.ci != "none"
    if any(path.startswith("tests/") for path in added):  # so it is what `new` makes, whose tests pass
        assert {path for path, fate in fates.items() if fate is not Verdict.ADDED} <= {"README.md", ".gitignore"}
    for path in ("artifacts/models/x", ".env"):
        git(place, "check-ignore", "-q", path)
    for path in {path for path, fate in fates.items() if fate is Verdict.LEFT_OUT}:
        assert not (place / path).exists()
    if Verdict.LEFT_OUT in fates.values():
        assert any("mlscaffold adopt --replace" in note for note in done["missing"])
    assert run("status", "-C", place, "--json").data["files"] == []

    house.release("v99.0.0", _change_all(house))
    for command in (("update",), ("set", "deploy=none", "cloud=none")):
        result = run(*command, "-C", place, "--json")
        assert result.data["conflicts"] == []
        save(root)
    prefix = f"{shape.project}/" if shape.project else ""
    for path, text in shape.files.items():
        now = (root / path).read_text("utf-8")
        assert now == text or (path.removeprefix(prefix) == ".gitignore" and now.startswith(text))
    assert status(root) == {}


def _change_all(house: House) -> dict[str, str | None]:
    """Another line in each file of the template that has comments of this kind."""
    files = [path for path in (house.root / "template").rglob("*") if path.is_file()]
    commented = [path for path in files if path.name.removesuffix(".jinja").endswith((".py", ".toml", ".yml", ".md"))]
    plain = [path for path in commented if "_copier_conf" not in path.name]
    return {path.relative_to(house.root).as_posix(): path.read_text("utf-8") + "\n# later\n" for path in plain}


@pytest.mark.parametrize(
    ("name", "words", "taken", "left_out"),
    [
        ("flat scripts", ["tests"], {"pyproject.toml", "tests/conftest.py"}, set()),
        ("setup.py", ["pyproject.toml"], {"pyproject.toml"}, {"tests/conftest.py"}),
        ("src layout with Poetry", ["pyproject.toml"], {"pyproject.toml"}, {"src/leads/cli.py"}),
    ],
)
def test_what_is_left_out_comes_with_the_command_that_is_named(
    run: Run, tmp_path: Path, name: str, words: list[str], taken: set[str], left_out: set[str]
) -> None:
    root = repository(tmp_path / "place/theirs", SHAPES[name].files)
    replace = [word for path in words for word in ("--replace", path)]
    files = run("adopt", "-C", root, "--json", "--dry-run", *replace).data["files"]
    fates = {file["path"]: Verdict(file["verdict"]) for file in files}
    assert {fates[path] for path in taken} <= {Verdict.ADDED, Verdict.REPLACED}
    assert {path for path in left_out if fates[path] is Verdict.LEFT_OUT} == left_out
