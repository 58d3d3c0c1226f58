"""`mlscaffold status` and `mlscaffold diff`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import git, tree
from tests.living.conftest import Run
from tests.living.house import FILES, House, lines, save


def test_a_fresh_project_is_up_to_date(run: Run, project: Path) -> None:
    before = tree(project)
    assert run("status", "-C", "churn", "--json").data == {
        "path": str(project),
        "template": {"url": "https://github.com/mlscaffold/mlscaffold", "commit": "v1.0.0", "newest": "v1.0.0"},
        "behind": {"commits": 0, "releases": []},
        "broken": False,
        "answers": {"ci": "github", "cloud": "aws", "project_name": "Churn"},
        "files": [],
        "core_edits": None,
        "conflicts": [],
        "rejects": [],
        "warnings": [],
    }
    assert "Up to date." in run("status", "-C", "churn").out
    assert run("diff", "-C", "churn").out == ""
    assert tree(project) == before


def test_it_tells_how_far_behind_a_project_is(run: Run, house: House, project: Path) -> None:
    house.release("v1.1.0", {"template/new.txt": "new\n"})
    house.release("v2.0.0", {"template/new.txt": "newer\n"})
    found = run("status", "-C", "churn", "--json", code=4).data
    assert found["behind"] == {"commits": 2, "releases": ["v1.1.0", "v2.0.0"]}
    assert "2 releases behind v2.0.0" in run("status", "-C", "churn", code=4).out


def test_commits_beside_the_template_do_not_count(run: Run, house: House, project: Path) -> None:
    house.release(None, {"README.md": "ours\n"})
    house.release("v1.0.1", {"tests/test_it.py": "ours\n"})
    found = run("status", "-C", "churn", "--json").data
    assert found["behind"] == {"commits": 0, "releases": []}
    for name in ("copier.yml", "partials/empty.jinja", "template/run.sh"):
        house.release(None, {name: f"{FILES[name]}# more\n"})
        house.release(None, {"README.md": f"ours, too, after {name}\n"})
    found = run("status", "-C", "churn", "--json", code=4).data
    assert found["behind"] == {"commits": 3, "releases": ["v1.0.1"]}


def test_it_tells_what_differs(run: Run, project: Path) -> None:
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    (project / "run.sh").chmod(0o644)
    (project / "src/churn/data.py").unlink()
    (project / ".gitlab-ci.yml").write_text("mine\n", "utf-8")
    (project / "own.py").write_text("mine\n", "utf-8")
    assert run("status", "-C", "churn", "--json").data["files"] == [
        {"path": ".gitlab-ci.yml", "state": "restored"},
        {"path": "run.sh", "state": "edited"},
        {"path": "src/churn/data.py", "state": "deleted"},
        {"path": "src/churn/model.py", "state": "edited"},
    ]


def test_conflicts_and_rejections_are_broken(run: Run, project: Path) -> None:
    model = project / "src/churn/model.py"
    model.write_text(lines("# model", at_3="<<<<<<< ours\n# mine\n=======\n# theirs\n>>>>>>> theirs"), "utf-8")
    (project / "run.sh.rej").write_text("rejected\n", "utf-8")
    save(project)
    found = run("status", "-C", "churn", "--json", code=5).data
    assert found["broken"] is True
    assert found["conflicts"] == ["src/churn/model.py"]
    assert found["rejects"] == ["run.sh.rej"]


def test_it_needs_no_repository(run: Run, project: Path) -> None:
    shutil.rmtree(project / ".git")
    (project / "run.sh").unlink()
    assert run("status", "-C", "churn", "--json").data["files"] == [{"path": "run.sh", "state": "deleted"}]


def test_diff_shows_the_users_lines(
    run: Run, project: Path, refuses: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    (project / "src/churn/data.py").write_text(lines("# data", at_3="# mine"), "utf-8")
    (project / "own.py").write_text("own\n", "utf-8")
    git(project, "add", "src/churn/data.py")
    everything = run("diff", "-C", "churn").out
    assert everything.count("+# mine") == 2
    assert "own" not in everything
    one = run("diff", "-C", "churn", "src/churn/model.py").out
    assert "-# model 3\n+# mine\n" in one
    assert "data.py" not in one
    monkeypatch.chdir(project / "src/churn")
    assert run("diff", "model.py").out == one
    assert "is not a file that the template makes" in refuses(project, "diff", "../../own.py")
    assert "is not in the project" in refuses(project, "diff", "/etc/passwd")
