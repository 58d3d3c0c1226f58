"""Every release updates to the working tree; while there is none, some earlier commits stand in for releases."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
from plumbum import local

from mlscaffold.template import source
from mlscaffold.update.plan import Request, open_plan
from tests.cli.conftest import git
from tests.conftest import ROOT
from tests.living.house import URL, House, answers_of, save
from tests.living.trials import no_step

STAND_INS = 4


@pytest.fixture(scope="module")
def clone(isolated_machine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of this repository with the working tree committed on top."""
    if git(ROOT, "rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("this is a shallow clone, without the releases")
    clone = tmp_path_factory.mktemp("clone") / "mlscaffold"
    git(ROOT, "clone", "-q", str(ROOT), str(clone))
    for name in git(clone, "ls-files", "-z").rstrip("\0").split("\0"):
        (clone / name).unlink()
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    save(clone, "The working tree")
    return clone


def versions(clone: Path) -> list[str]:
    """Return the tags of all releases or, without any, commits of the template spread over its history, tagged."""
    tags = [tag for tag in git(clone, "tag", "--merged", "HEAD").splitlines() if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    if tags:
        return tags
    commits = git(clone, "log", "--format=%H", "--first-parent", "HEAD~1", "--", "template").splitlines()
    step = max(1, len(commits) // STAND_INS)
    chosen = commits[::step][:STAND_INS]
    for number, commit in enumerate(reversed(chosen)):
        git(clone, "tag", f"v0.0.{number}", commit)
    return [f"v0.0.{number}" for number in range(len(chosen))]


def test_every_release_updates_to_the_working_tree(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(source, "_REPOSITORY", clone)
    monkeypatch.setattr(source, "_EMBEDDED", tmp_path / "nowhere")
    house = House(clone)
    kept = 0
    for version in versions(clone):
        project = tmp_path / version / "churn"
        with local.env(**house.redirect(tmp_path / "cache")):
            copier.run_copy(URL, project, vcs_ref=version, defaults=True, quiet=True, settings=copier.Settings())
        git(project, "init", "-q")
        marks: dict[str, str] = {}
        for path in sorted(project.rglob("*")):
            if path.suffix in (".py", ".md", ".yml", ".yaml", ".toml") and ".git" not in path.parts:
                name = path.relative_to(project).as_posix()
                if name != ".copier-answers.yml":
                    marks[name] = f"# mark {len(marks)} #"
                    path.write_text(path.read_text("utf-8") + marks[name] + "\n", "utf-8")
        save(project)
        with open_plan(Request(str(project)), no_step, print) as plan:
            plan.apply()
        everything = b"\n".join(
            path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts
        )
        for name, mark in marks.items():
            assert mark.encode() in everything, f"a line of {name} was lost, from {version}"
            kept += 1
        assert answers_of(project)["_commit"] == git(clone, "describe", "--tags", "--always")
        counts = f"{version}: {len(plan.files)} files, {len(plan.conflicts)} conflicts"
        print(counts)
        record_property(version, counts)
    print(f"{kept} lines kept")
    assert kept > 0
