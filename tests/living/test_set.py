"""`mlscaffold set`: other answers for a project that exists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import tree
from tests.living.conftest import Run, status
from tests.living.house import House, answers_of, lines, save


def test_an_option_is_switched_and_the_rest_stays(run: Run, project: Path) -> None:
    (project / "README.md").write_text((project / "README.md").read_text("utf-8") + "mine\n", "utf-8")
    save(project)
    dry = run("set", "-C", "churn", "ci=gitlab", "cloud=gcp", "size=large", "--dry-run", "--json")
    assert dry.verdicts == {
        ".copier-answers.yml": "updated",
        ".gitlab-ci.yml": "added",
        "ci.yml": "removed",
        "deploy/bucket.txt": "removed",
        "deploy/cloud.txt": "updated",
    }
    assert status(project) == {}
    run("set", "-C", "churn", "ci=gitlab", "cloud=gcp", "size=large")
    assert {name: answers_of(project)[name] for name in ("ci", "cloud", "size")} == {
        "ci": "gitlab",
        "cloud": "gcp",
        "size": "large",
    }
    assert (project / "deploy/cloud.txt").read_text("utf-8").startswith("size large\n")
    save(project)
    run("set", "-C", "churn", "ci=github", "cloud=aws")
    save(project)
    assert run("status", "-C", "churn", "--json").data["files"] == [{"path": "README.md", "state": "edited"}]


def test_it_stays_at_the_projects_version(run: Run, house: House, project: Path) -> None:
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    done = run("set", "-C", "churn", "ci=none", "--json")
    assert (done.data["from"], done.data["to"]) == ("v1.0.0", "v1.0.0")
    assert not (project / "new.txt").exists()
    assert answers_of(project)["_commit"] == "v1.0.0"


def test_an_edited_file_of_a_dropped_option_is_the_users_to_decide(run: Run, project: Path) -> None:
    """Copier removes it without a word."""
    (project / "ci.yml").write_text(lines("# github", at_3="# mine"), "utf-8")
    save(project)
    assert run("set", "-C", "churn", "ci=gitlab", "--json", code=3).verdicts["ci.yml"] == "conflict"
    assert status(project)["ci.yml"] == "UD"
    assert (project / "ci.yml").read_text("utf-8") == lines("# github", at_3="# mine")


def test_a_project_is_renamed_with_all_edits(run: Run, project: Path) -> None:
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    (project / "src/churn/own.py").write_text("# own\n", "utf-8")
    (project / "src/churn/data.py").unlink()
    readme = project / "README.md"
    readme.write_text(readme.read_text("utf-8") + "mine\n", "utf-8")
    save(project)
    done = run("set", "-C", "churn", "project_name=Leavers", "--json")
    assert done.verdicts == {
        ".copier-answers.yml": "updated",
        "README.md": "merged",
        "pyproject.toml": "updated",
        "src/churn/model.py": "removed",
        "src/churn/old.py": "removed",
        "src/churn/own.py": "removed",
        "src/leavers/data.py": "kept",
        "src/leavers/model.py": "merged",
        "src/leavers/old.py": "added",
        "src/leavers/own.py": "added",
    }
    assert not (project / "src/leavers/data.py").exists()
    assert (project / "src/leavers/model.py").read_text("utf-8") == lines("# model", at_3="# mine")
    assert (project / "src/leavers/own.py").read_text("utf-8") == "# own\n"
    assert readme.read_text("utf-8").startswith("# Leavers\n")
    assert readme.read_text("utf-8").endswith("\nmine\n")
    assert not (project / "src/churn").exists()
    save(project)
    run("set", "-C", "churn", "project_name=Churn")
    assert (project / "src/churn/model.py").read_text("utf-8") == lines("# model", at_3="# mine")


def test_the_same_answer_is_nothing_to_do(run: Run, project: Path) -> None:
    before = tree(project)
    assert "Nothing to do" in run("set", "-C", "churn", "ci=github").out
    assert tree(project) == before


def test_without_a_path_the_project_around_is_meant(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "src")
    run("set", "ci=none")
    assert answers_of(project)["ci"] == "none"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("ci=jenkins", "ci cannot be 'jenkins'; it must be one of github, gitlab, none."),
        ("colour=red", "'colour' is not a question"),
        ("package=other", "'package' cannot be set: it is computed"),
        ("ci_github=.", "'ci_github' cannot be set: it is computed"),
    ],
)
def test_what_cannot_be_set_is_refused(refuses: Callable[..., str], project: Path, word: str, reason: str) -> None:
    complaint = refuses(project, "set", "-C", "churn", word)
    assert reason in complaint
    assert "v1.0.0" in complaint


@pytest.mark.parametrize("words", [["-C", "churn"], ["-C", "churn", "ci"], []])
def test_wrong_usage(run: Run, project: Path, words: list[str]) -> None:
    assert run("set", *words, code=2).err
