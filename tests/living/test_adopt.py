"""`mlscaffold adopt`: a repository that others have begun, under the template from then on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import git, in_clone, tree
from tests.living.conftest import Run, status
from tests.living.house import FILES, QUESTIONS, House, answers_of, lines, repository, save

BRANCH = "mlscaffold/adopt"
README = "# Ours\n\nNothing like the template's.\n"
MINE = {
    "pyproject.toml": '[project]\nname = "Churn"\ndependencies = ["boto3"]\n',
    "README.md": README,
    "src/churn/model.py": lines("# ours", 20),
    "src/churn/own.py": "own\n",
    ".gitlab-ci.yml": "ours\n",
    ".gitignore": ".env\ndeploy/\n",
}


@pytest.fixture
def theirs(run: Run, tmp_path: Path) -> Path:
    """Return a repository without an answers file."""
    return repository(tmp_path / "place/churn", MINE)


def fates(data: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """Return what becomes of each file."""
    return {file["path"]: file["verdict"] for file in data["files"]}


def test_it_adds_what_is_missing_in_one_commit_on_a_branch(run: Run, theirs: Path) -> None:
    before = tree(theirs)
    dry = run("adopt", "-C", "churn", "--dry-run", "--json").data
    assert tree(theirs) == before
    assert dry["commit"] is None
    assert dry["answers"] == {"ci": "gitlab", "cloud": "aws", "project_name": "Churn"}
    assert dry["inferred"] == {
        "ci": ".gitlab-ci.yml",
        "cloud": "boto3 in pyproject.toml",
        "project_name": "pyproject.toml",
    }
    kept = {".gitlab-ci.yml", "README.md", "pyproject.toml", "src/churn/model.py"}
    added = {
        ".copier-answers.yml", ".gitattributes", ".mlscaffold-keep", "run.sh", "deploy/bucket.txt", "deploy/cloud.txt",
    }  # fmt: skip
    left_out = {"src/churn/data.py", "src/churn/old.py"}
    assert fates(dry) == {
        **dict.fromkeys(kept, "kept"),
        **dict.fromkeys(added, "added"),
        **dict.fromkeys(left_out, "left out"),
        ".gitignore": "merged",
    }

    done = run("adopt", "-C", "churn", "--json").data
    assert fates(done) == fates(dry)
    after = tree(theirs)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert all(path.startswith((".git/objects/", ".git/refs/heads/mlscaffold", ".git/logs/")) for path in changed)
    assert git(theirs, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(theirs, "rev-parse", BRANCH) == done["commit"]
    assert git(theirs, "rev-parse", f"{BRANCH}^@") == git(theirs, "rev-parse", "main")
    diff = git(theirs, "diff", "--name-status", "--no-renames", "main", BRANCH).splitlines()
    assert {line.partition("\t")[2] for line in diff if line.startswith("A\t")} == added
    assert len(diff) == len(added) + 1
    assert git(theirs, "show", f"{BRANCH}:.gitignore").endswith("\n*.log")
    message = git(theirs, "show", "-s", "--format=%B", BRANCH)
    assert all(f"\n  {path}" in message for path in kept)
    git(theirs, "fsck", "--strict")


def test_what_is_given_is_not_looked_for(run: Run, theirs: Path) -> None:
    (theirs / ".github/workflows").mkdir(parents=True)
    (theirs / ".github/workflows/test.yml").write_text("ours\n", "utf-8")
    save(theirs)
    (warning,) = run("adopt", "-C", "churn", "--dry-run", "--json").data["warnings"]
    assert "ci can be read in more than one way" in warning
    done = run("adopt", "-C", "churn", "--set", "ci=none", "--dry-run", "--json").data
    assert done["warnings"] == []
    assert done["answers"]["ci"] == "none"
    assert "ci" not in {**done["inferred"], **dict.fromkeys(done["defaults"])}


def test_it_shows_people_what_it_does(run: Run, theirs: Path) -> None:
    shown = run("adopt", "-C", "churn").out
    assert "from boto3 in pyproject.toml" in shown
    assert "Kept, although the template has such a file:\n  .gitlab-ci.yml\n" in shown
    assert "Left out, as it would not work beside what is kept:\n  src/churn/  2 files  your src/churn has" in shown
    assert "6 added" in shown
    assert "git merge mlscaffold/adopt" in shown
    assert "mlscaffold diff pyproject.toml" in shown


def test_after_the_merge_it_is_a_project_like_any_other(run: Run, house: House, theirs: Path) -> None:
    run("adopt", "-C", "churn")
    git(theirs, "merge", "-q", BRANCH)
    assert run("status", "-C", "churn", "--json").data["files"] == []
    assert "-# model 3\n" in run("diff", "-C", "churn", "src/churn/model.py").out
    assert "Nothing to do" in run("update", "-C", "churn").out
    (theirs / "run.sh").unlink()  # not wanted
    save(theirs)

    house.release(
        "v2.0.0",
        {
            "template/src/{{ package }}/model.py": lines("# model", at_25="# theirs"),
            "template/src/{{ package }}/data.py": lines("# data", at_25="# theirs"),
            "template/README.md.jinja": FILES["template/README.md.jinja"] + "more\n",
            "template/run.sh": FILES["template/run.sh"] + "# more\n",
            "template/{{ cloud_aws }}/deploy/bucket.txt": lines("bucket", at_25="theirs"),
            "template/new.txt": "new\n",
            "template/src/{{ package }}/own.py": "theirs\n",
            "template/src/{{ package }}/more.py": "theirs\n",
        },
    )
    assert run("status", "-C", "churn", code=4)
    done = run("update", "-C", "churn", "--json")
    assert done.verdicts == {
        ".copier-answers.yml": "updated",
        "README.md": "kept",
        "deploy/bucket.txt": "updated",
        "new.txt": "added",
        "run.sh": "kept",
        "src/churn/data.py": "kept",
        "src/churn/model.py": "kept",
        "src/churn/own.py": "kept",
    }
    for name in ("README.md", "src/churn/model.py", "src/churn/own.py"):
        assert (theirs / name).read_text("utf-8") == MINE[name]
    assert (theirs / "deploy/bucket.txt").read_text("utf-8") == lines("bucket", at_25="theirs")
    save(theirs)
    assert answers_of(theirs)["_commit"] == "v2.0.0"
    assert "Nothing to do" in run("update", "-C", "churn").out
    assert run("set", "-C", "churn", "cloud=gcp", "--json").data["conflicts"] == []


def test_what_is_kept_can_be_given_to_the_template_later(run: Run, house: House, theirs: Path) -> None:
    """By taking it out of the list of what is the user's: then both are merged."""
    run("adopt", "-C", "churn")
    git(theirs, "merge", "-q", BRANCH)
    keep = theirs / ".mlscaffold-keep"
    keep.write_text(keep.read_text("utf-8").replace("/README.md\n", ""), "utf-8")
    save(theirs)
    house.release("v2.0.0", {"template/README.md.jinja": FILES["template/README.md.jinja"] + "more\n"})
    assert run("update", "-C", "churn", "--json", code=3).data["conflicts"] == ["README.md"]


def test_a_kept_file_that_the_template_drops_stays(run: Run, house: House, theirs: Path) -> None:
    run("adopt", "-C", "churn")
    git(theirs, "merge", "-q", BRANCH)
    house.release("v2.0.0", {"template/src/{{ package }}/model.py": None})
    house.move("template/README.md.jinja", "template/READ.md.jinja")
    house.release("v3.0.0")
    run("update", "-C", "churn")
    for name in ("README.md", "src/churn/model.py"):
        assert (theirs / name).read_text("utf-8") == MINE[name]


def test_a_link_is_kept_and_nothing_is_written_through_it(run: Run, house: House, theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("precious\n", "utf-8")
    for name, target in ("README.md", tmp_path / "outside.md"), ("run.sh", Path("notes.md")):
        (theirs / name).unlink(missing_ok=True)
        (theirs / name).symlink_to(target)
    (theirs / "notes.md").write_text("notes\n", "utf-8")
    save(theirs)
    run("adopt", "-C", "churn")
    git(theirs, "merge", "-q", BRANCH)
    house.release(
        "v2.0.0",
        {
            "template/README.md.jinja": FILES["template/README.md.jinja"] + "more\n",
            "template/run.sh": FILES["template/run.sh"] + "# more\n",
        },
    )
    verdicts = run("update", "-C", "churn", "--json").verdicts
    assert verdicts == {".copier-answers.yml": "updated", "README.md": "kept", "run.sh": "kept"}
    assert (tmp_path / "outside.md").read_text("utf-8") == "precious\n"
    assert (theirs / "notes.md").read_text("utf-8") == "notes\n"
    assert (theirs / "run.sh").readlink() == Path("notes.md")
    assert status(theirs) == {".copier-answers.yml": " M"}


def test_a_binary_file_is_kept(run: Run, house: House, theirs: Path) -> None:
    (theirs / "run.sh").write_bytes(b"\0mine\n")
    save(theirs)
    run("adopt", "-C", "churn")
    git(theirs, "merge", "-q", BRANCH)
    house.release("v2.0.0", {"template/run.sh": FILES["template/run.sh"] + "# more\n"})
    run("update", "-C", "churn")
    assert (theirs / "run.sh").read_bytes() == b"\0mine\n"


def test_what_is_to_be_replaced_is_said(run: Run, refuses: Callable[..., str], theirs: Path) -> None:
    assert "no file of yours" in refuses(theirs, "adopt", "-C", "churn", "--replace", "run.sh")
    assert "not in the project" in refuses(theirs, "adopt", "-C", "churn", "--replace", "../other")
    done = fates(run("adopt", "-C", "churn", "--replace", "README.md", "--replace", "src", "--json").data)
    assert [path for path, fate in done.items() if fate == "replaced"] == ["README.md", "src/churn/model.py"]
    assert git(theirs, "show", f"{BRANCH}:src/churn/model.py") + "\n" == FILES["template/src/{{ package }}/model.py"]
    assert git(theirs, "show", f"{BRANCH}:src/churn/own.py") == "own"
    assert (theirs / "README.md").read_text("utf-8") == README


def test_files_that_git_does_not_know_stay_in_place(run: Run, house: House, theirs: Path) -> None:
    """Git would overwrite an ignored file, and an ignored link to a folder, when the branch is merged."""
    (theirs / "deploy").symlink_to(theirs.parent)
    (theirs / ".gitignore").write_text("run.sh\ndeploy\n", "utf-8")
    save(theirs)
    (theirs / "run.sh").write_text("local\n", "utf-8")
    done = fates(run("adopt", "-C", "churn", "--json").data)
    assert {path for path, fate in done.items() if fate == "kept"} >= {
        "run.sh",
        "deploy/cloud.txt",
        "deploy/bucket.txt",
    }
    git(theirs, "merge", "-q", BRANCH)
    house.release("v2.0.0", {"template/run.sh": FILES["template/run.sh"] + "# more\n"})
    assert run("update", "-C", "churn", "--json").verdicts["run.sh"] == "kept"
    assert (theirs / "run.sh").read_text("utf-8") == "local\n"
    assert (theirs / "deploy").is_symlink()


def test_a_name_in_other_letters_is_the_same_file(run: Run, theirs: Path) -> None:
    git(theirs, "mv", "README.md", "Readme.md")
    save(theirs)
    done = run("adopt", "-C", "churn", "--json").data
    assert {"path": "README.md", "verdict": "kept", "note": "yours is Readme.md, which some systems take for the same"
            " name"} in done["files"]  # fmt: skip
    assert git(theirs, "ls-tree", "--name-only", BRANCH, "README.md", "Readme.md") == "Readme.md"


def test_what_the_users_attributes_say_holds(run: Run, theirs: Path) -> None:
    (theirs / ".gitattributes").write_text("*.txt filter=upper\n", "utf-8")
    git(theirs, "config", "filter.upper.clean", "tr a-z A-Z")
    save(theirs)
    run("adopt", "-C", "churn")
    assert git(theirs, "show", f"{BRANCH}:deploy/bucket.txt").startswith("BUCKET 1\n")
    git(theirs, "merge", "-q", BRANCH)
    assert status(theirs) == {}


def test_executables_are_executable(run: Run, house: House, theirs: Path) -> None:
    (house.root / "template/run.sh").chmod(0o755)
    run("adopt", "-C", "churn")
    assert git(theirs, "ls-tree", BRANCH, "run.sh").startswith("100755 ")


def test_a_folder_of_a_monorepo(run: Run, refuses: Callable[..., str], house: House, theirs: Path) -> None:
    top = theirs.parent
    shutil.rmtree(theirs / ".git")
    git(top, "init", "-q")
    (top / "neighbour.txt").write_text("one\n", "utf-8")
    save(top)
    (top / "neighbour.txt").write_text("not committed\n", "utf-8")
    assert "ci=none here" in refuses(top, "adopt", "-C", "churn", "--set", "ci=gitlab")
    done = run("adopt", "-C", "churn", "--json").data
    assert done["answers"]["ci"] == "none"
    diff = git(top, "diff", "--name-status", "--no-renames", "main", BRANCH).splitlines()
    assert "A\tchurn/.copier-answers.yml" in diff
    assert all(line.partition("\t")[2].startswith("churn/") for line in diff)
    git(top, "merge", "-q", BRANCH)
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    assert run("update", "-C", "churn", "--json").verdicts["new.txt"] == "added"


def test_without_a_path_the_whole_repository_is_meant(
    run: Run, refuses: Callable[..., str], theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(theirs / "src")
    assert "say which of them is meant" in refuses(theirs, "adopt")
    monkeypatch.chdir(theirs)
    assert run("adopt", "--json").data["path"] == str(theirs)


def test_linked_worktrees_and_detached_heads_are_fine(run: Run, theirs: Path) -> None:
    git(theirs, "worktree", "add", "-q", "--detach", "../linked")
    linked = theirs.parent / "linked"
    done = run("adopt", "-C", linked, "--json").data
    assert git(theirs, "rev-parse", BRANCH) == done["commit"]
    assert status(linked) == status(theirs) == {}


def test_the_users_git_settings_do_not_decide(
    run: Run, theirs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-checkout", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran; exit 1\n", "utf-8")
        (hooks / name).chmod(0o755)
    (tmp_path / "ignore").write_text("*.txt\n*.py\n", "utf-8")
    settings = {"core.hooksPath": str(hooks), "core.excludesFile": str(tmp_path / "ignore"), "core.safecrlf": "true",
                "core.autocrlf": "true", "commit.gpgSign": "true", "core.sparseCheckout": "true"}  # fmt: skip
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for number, (key, value) in enumerate(settings.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    run("adopt", "-C", "churn")
    assert git(theirs, "show", f"{BRANCH}:deploy/bucket.txt") + "\n" == lines("bucket")
    assert not (tmp_path / "ran").exists()


# ── What it refuses ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_project_that_follows_a_template_already(refuses: Callable[..., str], theirs: Path) -> None:
    (theirs / ".copier-answers.yml").write_text("_src_path: gh:somebody/else\n", "utf-8")
    assert "follows a template" in refuses(theirs, "adopt", "-C", "churn")
    save(theirs)
    assert "follows a template" in refuses(theirs, "adopt", "-C", "churn")


def test_uncommitted_changes(refuses: Callable[..., str], theirs: Path) -> None:
    (theirs / "README.md").write_text("mine\n", "utf-8")
    assert "not committed, in README.md" in refuses(theirs, "adopt", "-C", "churn")


def test_no_repository_and_nothing_committed(refuses: Callable[..., str], theirs: Path) -> None:
    shutil.rmtree(theirs / ".git")
    assert "is not in a git repository" in refuses(theirs, "adopt", "-C", "churn")
    git(theirs, "init", "-q")
    assert "Nothing is committed" in refuses(theirs, "adopt", "-C", "churn")
    assert "is not a folder" in refuses(theirs, "adopt", "-C", "nowhere")
    save(theirs)
    (theirs / "new").mkdir()
    assert "churn/new is committed yet" in refuses(theirs, "adopt", "-C", "churn/new")


def test_branches_that_cannot_be_made(run: Run, refuses: Callable[..., str], theirs: Path) -> None:
    git(theirs, "branch", BRANCH)
    assert "There is a branch mlscaffold/adopt already" in refuses(theirs, "adopt", "-C", "churn")
    assert "cannot be the name of a branch" in refuses(theirs, "adopt", "-C", "churn", "--branch", "a..b")
    run("adopt", "-C", "churn", "--branch", "other")
    assert git(theirs, "rev-parse", "other^") == git(theirs, "rev-parse", "main")
    git(theirs, "branch", "taken")
    assert "The branch taken/x cannot be made" in run("adopt", "-C", "churn", "--branch", "taken/x", code=1).err


def test_git_must_know_who_commits(
    refuses: Callable[..., str], theirs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[user]\n    useConfigOnly = true\n", "utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    complaint = refuses(theirs, "adopt", "-C", "churn", "--json")
    assert "Git does not know who you are" in complaint


@pytest.mark.parametrize(
    ("mine", "reason"),
    [
        ({"deploy": "a file\n"}, "deploy is no folder in the project and a folder in the template"),
        ({"run.sh/inside": "x\n"}, "run.sh is a folder in the project and a file in the template"),
    ],
)
def test_files_and_folders_of_one_name(
    refuses: Callable[..., str], theirs: Path, mine: dict[str, str], reason: str
) -> None:
    repository(theirs, mine)
    git(theirs, "add", "--all", "--force")
    save(theirs)
    assert reason in refuses(theirs, "adopt", "-C", "churn", "--set", "cloud=aws")


def test_wrong_answers(refuses: Callable[..., str], theirs: Path) -> None:
    assert "it must be one of github, gitlab, none" in refuses(theirs, "adopt", "-C", "churn", "--set", "ci=jenkins")


def test_answers_that_the_template_does_not_take(
    run: Run, refuses: Callable[..., str], house: House, theirs: Path
) -> None:
    names = """default: Churn, validator: "{% if project_name == 'Churn' %}another, please{% endif %}"}"""
    more = """note: {type: str, default: "", validator: "{% if note | length > 9 %}too long{% endif %}"}\npackage:"""
    described = more.replace("note", "description")
    questions = QUESTIONS.replace("package:", described, 1)
    (theirs / "pyproject.toml").write_text('[project]\nname = "Churn"\ndescription = "Who will leave?"\n', "utf-8")
    save(theirs)
    house.release("v1.1.0", {"copier.yml": questions})
    done = run("adopt", "-C", "churn", "--dry-run", "--json").data
    assert done["answers"]["description"] == ""
    assert done["defaults"] == ["cloud", "description"]
    assert done["warnings"] == ["pyproject.toml has a description that is not taken: description: too long."]
    house.release("v1.2.0", {"copier.yml": questions.replace("default: Churn}", names, 1)})
    complaint = refuses(theirs, "adopt", "-C", "churn", "--json")
    assert "'Churn' cannot be the project's name: another, please. Give it another one with --set" in complaint


# ── The real template ───────────────────────────────────────────────────────────────────────────────────────────────
def test_a_project_of_others_lives_on_with_the_real_template(template_repo: Path, tmp_path: Path) -> None:
    house = House(shutil.copytree(template_repo, tmp_path / "mlscaffold"))
    cli = in_clone(house.root, tmp_path)
    model = "from sklearn.linear_model import LogisticRegression\n\nMODEL = LogisticRegression()\n"
    pyproject = '[project]\nname = "churn"\ndescription = "Who?"\ndependencies = ["scikit-learn", "gcsfs"]\n'
    mine = {
        "pyproject.toml": pyproject,
        "README.md": README,
        "src/churn/model.py": model,
        ".github/workflows/test.yml": "on: push\n",
        ".gitignore": "data/\n.venv/\n",
    }
    root = repository(tmp_path / "theirs", mine)
    done = json.loads(cli("adopt", "-C", root, "--json").stdout)
    assert done["inferred"] == {
        "ci": ".github/workflows/test.yml",
        "cloud": "gcsfs in pyproject.toml",
        "description": "pyproject.toml",
        "framework": "scikit-learn in pyproject.toml",
        "project_name": "pyproject.toml",
    }
    assert done["warnings"] == []
    assert ["left out" in note for note in done["missing"]] == [True, True]
    kept = {path for path, fate in fates(done).items() if fate == "kept"}
    assert kept == mine.keys() - {".github/workflows/test.yml", ".gitignore"}
    git(root, "merge", "-q", BRANCH)
    found = json.loads(cli("status", "-C", root, "--json").stdout)
    assert found["files"] == []
    assert found["behind"]["commits"] == 0

    layer = "template/{{ task_tabular_classification }}"
    changed = (
        "template/pyproject.toml.jinja",
        f"{layer}/{{{{ framework_sklearn }}}}/src/{{{{ package }}}}/model.py",
        f"{layer}/data/README.md",
    )
    end = "\n# the next version\n"
    house.release("v1.1.0", {name: (house.root / name).read_text("utf-8") + end for name in changed})
    verdicts = json.loads(cli("update", "-C", root, "--json").stdout)["files"]
    assert {file["path"]: file["verdict"] for file in verdicts} == {
        ".copier-answers.yml": "updated",
        "data/README.md": "updated",
        "pyproject.toml": "kept",
        "src/churn/model.py": "kept",
    }
    for name in ("pyproject.toml", "src/churn/model.py"):
        assert (root / name).read_text("utf-8") == mine[name]


# ── What would not work beside what is kept ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("mine", "left_out", "note"),
    [
        (
            {"setup.py": "setup()\n"},
            {"pyproject.toml", "tests/a.py", ".github/workflows/pipeline.yml"},
            "Your setup.py",
        ),
        (
            {"setup.cfg": "[tool:pytest]\n"},
            {"pyproject.toml", "tests/a.py", ".github/workflows/pipeline.yml"},
            "setup.cfg",
        ),
        ({"setup.cfg": "[flake8]\n"}, set(), ""),
        (
            {"Pipfile": "", "Readme.rst": ""},
            {"pyproject.toml", "tests/a.py", ".github/workflows/pipeline.yml", "README.md"},
            "Your Pipfile stays",
        ),
        ({"tests/test_mine.py": ""}, {"tests/a.py"}, "`mlscaffold adopt --replace tests`"),
        ({"core/mine_test.py": ""}, {"tests/a.py"}, "`mlscaffold adopt --replace tests`"),
        ({"params.yaml": "mine: 1\n"}, {"tests/a.py"}, "--replace params.yaml"),
        ({"requirements.txt": "pandas\n"}, set(), "`uv add -r requirements.txt`"),
        ({"clean.py": ""}, set(), "run `scripts/check` on the branch"),
        ({"notes.md": ""}, set(), ""),
    ],
)
def test_what_would_not_work_is_left_out_and_the_way_to_it_is_said(
    run: Run, house: House, tmp_path: Path, mine: dict[str, str], left_out: set[str], note: str
) -> None:
    more = {"tests/a.py": "", "params.yaml": "ours: 1\n", ".github/workflows/pipeline.yml": "on: push\n"}
    house.release("v1.1.0", {f"template/{path}": text for path, text in more.items()})
    repository(tmp_path / "place/churn", mine)
    done = run("adopt", "-C", "churn", "--dry-run", "--json").data
    assert {path for path, fate in fates(done).items() if fate == "left out"} == left_out
    assert note in " ".join(done["missing"])
    assert bool(done["missing"]) is bool(note)


# ── Where packages lie ──────────────────────────────────────────────────────────────────────────────────────────────
def test_a_package_in_another_place_is_spoken_of(run: Run, theirs: Path) -> None:
    assert run("adopt", "-C", "churn", "--dry-run", "--json").data["warnings"] == []
    git(theirs, "mv", "src/churn", "src/leaving")
    save(theirs)
    (warning,) = run("adopt", "-C", "churn", "--dry-run", "--json").data["warnings"]
    assert "Your code is in src/leaving, the template's goes to src/churn" in warning
    git(theirs, "mv", "src/leaving", "churn")
    (theirs / "churn/__init__.py").write_text("", "utf-8")
    save(theirs)
    done = run("adopt", "-C", "churn", "--dry-run", "--json").data
    assert "`git mv churn src/churn`" in done["missing"][0]
    assert fates(done)["src/churn/data.py"] == "left out"
