"""What `mlscaffold update` does to files, says about them and refuses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
from plumbum import local

from mlscaffold.template import source
from tests.cli.conftest import git, tree
from tests.living.conftest import Run, status
from tests.living.house import FILES, QUESTIONS, House, answers_of, lines, save

MODEL = "template/src/{{ package }}/model.py"
OLD = "template/src/{{ package }}/old.py"
DATA = "template/src/{{ package }}/data.py"


def test_it_merges_and_gives_a_verdict_on_each_file(run: Run, house: House, project: Path) -> None:
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    (project / "run.sh").unlink()
    (project / "notes.txt").write_text("mine\n", "utf-8")
    save(project)
    house.release(
        "v2.0.0",
        {
            MODEL: lines("# model", at_25="# theirs"),
            DATA: lines("# data", at_25="# theirs"),
            OLD: None,
            "template/new.txt": "new\n",
            "template/run.sh": FILES["template/run.sh"] + "# more\n",
        },
    )
    before = tree(project)
    dry = run("update", "-C", "churn", "--dry-run", "--json")
    assert tree(project) == before
    assert dry.data["applied"] is False
    assert dry.verdicts == {
        ".copier-answers.yml": "updated",
        "new.txt": "added",
        "run.sh": "kept",
        "src/churn/data.py": "updated",
        "src/churn/model.py": "merged",
        "src/churn/old.py": "removed",
    }
    assert (dry.data["from"], dry.data["to"]) == ("v1.0.0", "v2.0.0")

    done = run("update", "-C", "churn", "--json")
    assert done.data["applied"] is True
    assert done.verdicts == dry.verdicts
    assert (project / "src/churn/model.py").read_text("utf-8") == lines("# model", at_3="# mine", at_25="# theirs")
    assert not (project / "run.sh").exists()
    assert (project / "notes.txt").read_text("utf-8") == "mine\n"
    assert answers_of(project)["_commit"] == "v2.0.0"
    assert answers_of(project)["_src_path"] == "https://github.com/mlscaffold/mlscaffold"
    assert status(project) == {
        ".copier-answers.yml": " M",
        "new.txt": "??",
        "src/churn/data.py": " M",
        "src/churn/model.py": " M",
        "src/churn/old.py": " D",
    }
    save(project)
    assert "Nothing to do" in run("update", "-C", "churn").out


def test_it_shows_people_each_file_and_the_lines(run: Run, house: House, project: Path) -> None:
    house.release("v2.0.0", {MODEL: lines("# model", at_25="# theirs"), OLD: None})
    shown = run("update", "-C", "churn", "--dry-run", "--diff").out
    assert "v1.0.0 → v2.0.0" in shown
    assert "updated  src/churn/model.py" in shown
    assert "removed  src/churn/old.py" in shown
    assert "\n-# model 25\n+# theirs\n" in shown
    assert "nothing was changed" in shown


def test_edits_follow_a_file_that_the_template_moves(run: Run, house: House, project: Path) -> None:
    """Plain Copier loses them."""
    (project / "src/churn/data.py").write_text(lines("# data", at_3="# mine"), "utf-8")
    save(project)
    house.move(DATA, "template/src/{{ package }}/deep/data.py")
    house.release("v2.0.0", {"template/src/{{ package }}/deep/data.py": lines("# data", at_25="# theirs")})
    done = run("update", "-C", "churn", "--json").data
    assert {(file["path"], file["verdict"], file["note"]) for file in done["files"]} == {
        (".copier-answers.yml", "updated", ""),
        ("src/churn/data.py", "removed", "moved to src/churn/deep/data.py"),
        ("src/churn/deep/data.py", "merged", "moved from src/churn/data.py"),
    }
    merged = lines("# data", at_3="# mine", at_25="# theirs")
    assert (project / "src/churn/deep/data.py").read_text("utf-8") == merged
    assert not (project / "src/churn/data.py").exists()


def test_a_file_that_the_user_moved_keeps_receiving_changes(run: Run, house: House, project: Path) -> None:
    """Wherever the template moves its own."""
    for name in ("data", "old", "model"):
        (project / f"src/churn/{name}.py").write_text(lines(f"# {name}", at_3="# mine"), "utf-8")
        (project / "mine").mkdir(exist_ok=True)
        (project / f"src/churn/{name}.py").rename(project / f"mine/{name}.py")
    save(project)
    house.move(DATA, "template/src/{{ package }}/deep/data.py")
    house.release(
        "v2.0.0",
        {
            "template/src/{{ package }}/deep/data.py": lines("# data", at_25="# theirs"),
            MODEL: lines("# model", at_25="# theirs"),
            OLD: None,
        },
    )
    done = run("update", "-C", "churn", "--json")
    assert done.verdicts == {
        ".copier-answers.yml": "updated",
        "mine/data.py": "merged",
        "mine/model.py": "merged",
        "src/churn/deep/data.py": "kept",
    }
    assert '"note": "you moved it to mine/data.py"' in done.out
    for name in ("data", "model"):
        merged = lines(f"# {name}", at_3="# mine", at_25="# theirs")
        assert (project / f"mine/{name}.py").read_text("utf-8") == merged
    assert (project / "mine/old.py").read_text("utf-8") == lines("# old", at_3="# mine")
    assert not list((project / "src/churn").iterdir())


def test_a_package_that_the_user_renamed_keeps_receiving_changes(run: Run, house: House, project: Path) -> None:
    """New files, too."""
    (project / "src/churn").rename(project / "src/leavers")
    (project / "src/leavers/data.py").write_text(lines("# data", at_3="# mine"), "utf-8")
    (project / "src/leavers/old.py").unlink()
    save(project)
    house.release(
        "v2.0.0",
        {
            DATA: lines("# data", at_25="# theirs"),
            OLD: lines("# old", at_25="# theirs"),
            "template/src/{{ package }}/more.py": "# more\n",
        },
    )
    assert run("update", "-C", "churn", "--json").verdicts == {
        ".copier-answers.yml": "updated",
        "src/churn/old.py": "kept",
        "src/leavers/data.py": "merged",
        "src/leavers/more.py": "added",
    }
    merged = lines("# data", at_3="# mine", at_25="# theirs")
    assert (project / "src/leavers/data.py").read_text("utf-8") == merged
    assert not (project / "src/churn").exists()


def test_a_file_that_the_template_drops_and_the_user_edited_is_theirs_to_decide(
    run: Run, house: House, project: Path
) -> None:
    """Plain Copier removes it."""
    (project / "src/churn/old.py").write_text(lines("# old", at_3="# mine"), "utf-8")
    save(project)
    house.release("v2.0.0", {OLD: None, MODEL: None})
    done = run("update", "-C", "churn", "--json", code=3)
    assert done.verdicts == {
        ".copier-answers.yml": "updated",
        "src/churn/model.py": "removed",
        "src/churn/old.py": "conflict",
    }
    assert status(project)["src/churn/old.py"] == "UD"
    assert (project / "src/churn/old.py").read_text("utf-8") == lines("# old", at_3="# mine")
    git(project, "rm", "-q", "src/churn/old.py")
    assert not (project / "src/churn/old.py").exists()


def test_both_changed_a_binary_file(run: Run, house: House, project: Path) -> None:
    """Plain Copier takes the template's."""
    house.release("v2.0.0", {"template/logo.bin": "\0one\n"})
    run("update", "-C", "churn")
    (project / "logo.bin").write_bytes(b"\0mine\n")
    save(project)
    house.release("v3.0.0", {"template/logo.bin": "\0three\n"})
    assert run("update", "-C", "churn", "--json", code=3).verdicts["logo.bin"] == "conflict"
    assert (project / "logo.bin").read_bytes() == b"\0mine\n"
    assert git(project, "show", ":3:logo.bin") == "\0three"


def test_similar_files_are_not_taken_for_each_other(run: Run, house: House, project: Path) -> None:
    """The template drops some of many small files and adds others: edits of one never end in another."""
    names = [f"part{number}.yaml" for number in range(12)]
    content = {name: f"kind: Part\nname: {name}\n" + lines("value", 8) for name in names}
    house.release("v2.0.0", {f"template/{name}": content[name] for name in names[:8]})
    run("update", "-C", "churn")
    for name in names[:8:2]:
        (project / name).write_text(content[name] + f"# my {name}\n", "utf-8")
    (project / names[1]).rename(project / "own.yaml")
    (project / "own.yaml").write_text("kind: Own\nname: own\nmine: yes\n" + lines("value", 8), "utf-8")
    save(project)
    changed = {f"template/{name}": content[name].replace("value 4", "value four") for name in names[1:8:2]}
    house.release(
        "v3.0.0",
        {
            **changed,
            **{f"template/{name}": None for name in names[:8:2]},
            **{f"template/{name}": content[name] for name in names[8:]},
        },
    )
    done = run("update", "-C", "churn", "--json", code=3)
    assert {name: done.verdicts.get(name) for name in names} == {
        **dict.fromkeys(names[:8:2], "conflict"),
        names[1]: "kept",
        **dict.fromkeys(names[3:8:2], "updated"),
        **dict.fromkeys(names[8:], "added"),
    }
    for name in names[8:]:
        assert (project / name).read_text("utf-8") == content[name]
    assert "four" not in (project / "own.yaml").read_text("utf-8")


def test_line_ends_are_the_users(run: Run, house: House, project: Path) -> None:
    """Theirs are compared with ours as they are, and files that are not the template's are no business of it."""
    (project / "own.csv").write_bytes(b"a,b\r\n1,2\r\n")
    model = lines("# model", at_3="# mine").replace("\n", "\r\n").encode()
    (project / "src/churn/model.py").write_bytes(model)
    (project / ".gitattributes").write_text("* -text\n", "utf-8")
    save(project)
    (project / ".gitattributes").write_text("* text=auto eol=lf\n", "utf-8")
    git(project, "commit", "-q", "-a", "-m", "As the template has it")
    git(project, "-c", "core.autocrlf=false", "status")
    house.release("v2.0.0", {MODEL: lines("# model", at_25="# theirs")})
    done = run("update", "-C", "churn", "--json")
    assert done.verdicts == {".copier-answers.yml": "updated", "src/churn/model.py": "merged"}
    assert (project / "own.csv").read_bytes() == b"a,b\r\n1,2\r\n"
    merged = lines("# model", at_3="# mine", at_25="# theirs").replace("\n", "\r\n")
    assert (project / "src/churn/model.py").read_bytes() == merged.encode()
    assert set(status(project)) == {".copier-answers.yml", "src/churn/model.py"}


def test_what_is_written_once_stays_as_it_is(run: Run, house: House, project: Path) -> None:
    """Patterns of _skip_if_exists, which may ask for answers."""
    questions = QUESTIONS + "_skip_if_exists: ['deploy/{{ cloud }}-*.txt']\n"
    house.release("v2.0.0", {"copier.yml": questions, "template/deploy/aws-once.txt": "one\n"})
    run("update", "-C", "churn")
    (project / "deploy/aws-once.txt").write_text("mine\n", "utf-8")
    save(project)
    house.release("v3.0.0", {"template/deploy/aws-once.txt": "three\n", "template/new.txt": "new\n"})
    done = run("update", "-C", "churn", "--json")
    assert done.verdicts == {".copier-answers.yml": "updated", "deploy/aws-once.txt": "kept", "new.txt": "added"}
    assert (project / "deploy/aws-once.txt").read_text("utf-8") == "mine\n"


def test_nothing_to_do_is_said_without_rendering(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copier, "run_copy", None)
    assert "Nothing to do" in run("update", "-C", "churn").out
    assert "Nothing to do" in run("set", "-C", "churn", "ci=github").out


def test_a_conflict_ends_as_git_leaves_one(run: Run, house: House, project: Path) -> None:
    model = project / "src/churn/model.py"
    model.write_text(lines("# model", at_3="# mine"), "utf-8")
    save(project)
    house.release("v2.0.0", {MODEL: lines("# model", at_3="# theirs"), "template/new.txt": "new\n"})
    assert run("update", "-C", "churn", "--dry-run", code=3)
    done = run("update", "-C", "churn", code=3)
    assert "src/churn/model.py" in done.out.split("Resolve the conflicts")[1]
    assert status(project)["src/churn/model.py"] == "UU"
    assert status(project)["new.txt"] == "??"
    for stage, line in (1, "# model 3"), (2, "# mine"), (3, "# theirs"):
        assert git(project, "show", f":{stage}:src/churn/model.py").splitlines()[2] == line
    text = model.read_text("utf-8")
    assert "<<<<<<< before updating\n# mine\n=======\n# theirs\n>>>>>>> after updating\n" in text
    git(project, "checkout", "--ours", "src/churn/model.py")  # needs the stages
    assert model.read_text("utf-8") == lines("# model", at_3="# mine")

    git(project, "checkout", "-m", "src/churn/model.py")
    assert "src/churn/model.py" in run("status", "-C", "churn", code=5).out
    assert "not resolved yet, in src/churn/model.py" in run("update", "-C", "churn", code=5).err


def test_a_new_question_takes_its_default_and_is_listed(run: Run, house: House, project: Path) -> None:
    questions = QUESTIONS.replace("package:", "docs: {type: str, help: Docs, default: mkdocs}\npackage:", 1)
    house.release("v2.0.0", {"copier.yml": questions, "template/docs.txt.jinja": "{{ docs }}\n"})
    dry = run("update", "-C", "churn", "--dry-run", "--json")
    assert dry.data["new_answers"] == {"docs": "mkdocs"}
    assert "New question: docs, answered 'mkdocs'" in run("update", "-C", "churn", "--dry-run").out
    run("update", "-C", "churn", "--set", "docs=sphinx")
    assert (project / "docs.txt").read_text("utf-8") == "sphinx\n"
    assert answers_of(project)["docs"] == "sphinx"


def test_an_answer_that_is_no_longer_valid_stops_it(
    run: Run, refuses: Callable[..., str], house: House, project: Path
) -> None:
    """Copier itself would take the default without a word."""
    changed = QUESTIONS.replace('"AWS: Amazon": aws, ', "").replace("default: aws", "default: gcp")
    house.release("v2.0.0", {"copier.yml": changed})
    complaint = refuses(project, "update", "-C", "churn")
    assert "The recorded answer cloud: aws is no longer accepted by version v2.0.0" in complaint
    assert "it must be gcp" in complaint
    assert "--set cloud=VALUE" in complaint
    run("update", "-C", "churn", "--set", "cloud=gcp")
    assert answers_of(project)["cloud"] == "gcp"


def test_an_answer_that_a_new_validator_refuses_stops_it(
    refuses: Callable[..., str], house: House, project: Path
) -> None:
    stricter = QUESTIONS.replace(
        "default: Churn}",
        """default: Other, validator: "{% if project_name == 'Churn' %}another name, please{% endif %}"}""",
    )
    house.release("v2.0.0", {"copier.yml": stricter})
    complaint = refuses(project, "update", "-C", "churn")
    assert "project_name: Churn is no longer accepted" in complaint
    assert "another name, please" in complaint


def test_a_renamed_question_keeps_its_answer(run: Run, house: House, project: Path) -> None:
    run("set", "-C", "churn", "ci=gitlab")
    save(project)
    renamed = (
        QUESTIONS.replace("\nci:\n", "\npipeline:\n", 1)
        .replace("default: github", "default: \"{{ ci | default('github') }}\"")
        .replace("ci_git", "pipeline_git")
        .replace("if ci ==", "if pipeline ==")
    )
    for name in ("github", "gitlab"):
        folder = house.root / "template" / f"{{{{ ci_{name} }}}}"
        folder.rename(folder.with_name(f"{{{{ pipeline_{name} }}}}"))
    house.release("v2.0.0", {"copier.yml": renamed})
    run("update", "-C", "churn")
    assert answers_of(project)["pipeline"] == "gitlab"
    assert "ci" not in answers_of(project)
    assert (project / ".gitlab-ci.yml").is_file()
    assert status(project) == {".copier-answers.yml": " M"}


def test_a_version_can_be_named(run: Run, refuses: Callable[..., str], house: House, project: Path) -> None:
    house.release("v2.0.0", {"template/two.txt": "two\n"})
    house.release("v3.0.0", {"template/three.txt": "three\n"})
    assert "no version 9.9" in refuses(project, "update", "-C", "churn", "--to", "9.9")
    run("update", "-C", "churn", "--to", "2.0.0")
    assert (project / "two.txt").exists()
    assert not (project / "three.txt").exists()
    save(project)
    assert "newer than v1.0.0" in refuses(project, "update", "-C", "churn", "--to", "v1.0.0")
    run("update", "-C", "churn")
    assert (project / "three.txt").exists()


def test_a_project_of_a_newer_release_is_refused(refuses: Callable[..., str], house: House, project: Path) -> None:
    house.release("v2.0.0", {"template/two.txt": "two\n"})
    git(house.root, "checkout", "-q", "v1.0.0")
    (project / ".copier-answers.yml").write_text(
        (project / ".copier-answers.yml").read_text("utf-8").replace("v1.0.0", "v2.0.0"), "utf-8"
    )
    save(project)
    assert "comes from a newer release (v2.0.0) than this one has (v1.0.0)" in refuses(project, "update", "-C", "churn")
    git(house.root, "tag", "-d", "v2.0.0")
    git(house.root, "branch", "-D", "main")
    git(house.root, "reflog", "expire", "--expire=now", "--all")
    git(house.root, "gc", "-q", "--prune=now")
    assert "is not known here: it may come from a newer release" in refuses(project, "update", "-C", "churn")


# ── Where it runs ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_in_a_monorepo_nothing_around_the_project_is_touched(run: Run, house: House, tmp_path: Path) -> None:
    """Plain Copier reverts the dirty neighbour because of the .rej file beside it, and overwrites the ignored file."""
    top = tmp_path / "place"
    git(top, "init", "-q")
    (top / "apps").mkdir()
    run("new", "apps/churn", "--defaults", "--no-lock", "--set", "project_name=Churn")
    project = top / "apps/churn"
    (top / "neighbour.txt").write_text("one\n", "utf-8")
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    save(top)
    (top / "neighbour.txt").write_text("one\nPRECIOUS\n", "utf-8")
    (top / "neighbour.txt.rej").write_text("stray\n", "utf-8")
    (project / "src/churn/model.py.rej").write_text("stray\n", "utf-8")
    (project / ".env").write_text("SECRET=1\n", "utf-8")
    house.release("v2.0.0", {MODEL: lines("# model", at_25="# theirs"), "template/.env": "A=1\n", "template/a.txt": ""})
    precious = {path: content for path, content in tree(top).items() if path.endswith((".rej", ".env", "bour.txt"))}
    done = run("update", "-C", "apps/churn", "--json")
    assert done.verdicts[".env"] == "kept"
    after = tree(top)
    assert {path: after[path] for path in precious} == precious
    assert len(precious) == 4
    merged = lines("# model", at_3="# mine", at_25="# theirs")
    assert (project / "src/churn/model.py").read_text("utf-8") == merged
    assert (project / "a.txt").exists()


def test_conflicts_in_a_monorepo_are_marked_at_their_place(run: Run, house: House, tmp_path: Path) -> None:
    top = tmp_path / "place"
    git(top, "init", "-q")
    run("new", "churn", "--defaults", "--no-lock", "--set", "project_name=Churn")
    (top / "churn/src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    save(top)
    house.release("v2.0.0", {MODEL: lines("# model", at_3="# theirs")})
    run("update", "-C", "churn", code=3)
    assert status(top)["churn/src/churn/model.py"] == "UU"


def test_the_project_around_the_current_folder_is_meant(
    run: Run, house: House, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    monkeypatch.chdir(project / "src/churn")
    run("update")
    assert (project / "new.txt").exists()


def test_linked_worktrees_and_detached_heads_are_fine(run: Run, house: House, project: Path) -> None:
    house.release("v2.0.0", {MODEL: lines("# model", at_3="# theirs")})
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    save(project)
    git(project, "worktree", "add", "-q", "--detach", "../linked")
    linked = project.parent / "linked"
    run("update", "-C", linked, code=3)
    assert status(linked)["src/churn/model.py"] == "UU"
    assert status(project) == {}


def test_untracked_files_may_lie_about_and_win(run: Run, house: House, project: Path) -> None:
    (project / "new.txt").write_text("mine\n", "utf-8")
    house.release("v2.0.0", {"template/new.txt": "theirs\n", "template/other.txt": "theirs\n"})
    done = run("update", "-C", "churn", "--json")
    assert done.verdicts["new.txt"] == "kept"
    assert (project / "new.txt").read_text("utf-8") == "mine\n"
    assert (project / "other.txt").read_text("utf-8") == "theirs\n"


def test_the_users_git_settings_do_not_decide(
    run: Run, house: House, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house.release("v2.0.0", {"template/new.txt": "new  \n", MODEL: lines("# model", at_3="# theirs  ")})
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "post-checkout", "commit-msg"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran; exit 1\n", "utf-8")
        (hooks / name).chmod(0o755)
    (tmp_path / "ignore").write_text("*.txt\n*.py\n", "utf-8")
    settings = {
        "core.hooksPath": str(hooks),
        "core.excludesFile": str(tmp_path / "ignore"),
        "commit.gpgSign": "true",
        "protocol.file.allow": "never",
        "diff.noprefix": "true",
        "diff.external": "/nowhere",
        "apply.whitespace": "error",
        "color.ui": "always",
        "core.autocrlf": "true",
    }
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for number, (key, value) in enumerate(settings.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    with local.env(**{name: value for name, value in os.environ.items() if name.startswith("GIT_CONFIG_")}):
        run("update", "-C", "churn")
    assert (project / "new.txt").read_bytes() == b"new  \n"
    assert (project / "src/churn/model.py").read_text("utf-8") == lines("# model", at_3="# theirs  ")
    assert not (tmp_path / "ran").exists()


# ── What it refuses ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "has no `question: answer` lines"),
        ("- a\n", "has no `question: answer` lines"),
        ("a: [\n", "cannot be read"),
        ("a: \xff".encode("latin-1").decode("latin-1"), "_src_path"),
        ("ci: github\n", "does not say in _src_path"),
        ("_src_path: x\nci: github\n", "does not say in _commit"),
        ("_src_path: x\n_commit: 1234567\n", "does not say in _commit"),
        ('_src_path: x\n_commit: "a\\nb"\n', "does not say in _commit"),
        ("_src_path: x\n<<<<<<< HEAD\n_commit: v1\n=======\n_commit: v2\n>>>>>>> other\n", "has a conflict"),
        ("!!python/object:os.system {}\n", "cannot be read"),
    ],
)
def test_a_broken_answers_file(refuses: Callable[..., str], project: Path, content: str, reason: str) -> None:
    (project / ".copier-answers.yml").write_text(content, "utf-8")
    save(project)
    for command in ("update", "status", "diff"):
        assert reason in refuses(project, command, "-C", "churn", code=5)
    assert reason in refuses(project, "set", "-C", "churn", "ci=gitlab", code=5)


def test_an_answers_file_that_is_no_text(refuses: Callable[..., str], project: Path) -> None:
    (project / ".copier-answers.yml").write_bytes(b"a: \xff\n")
    save(project)
    assert "cannot be read" in refuses(project, "update", "-C", "churn", code=5)


def test_uncommitted_changes(refuses: Callable[..., str], project: Path) -> None:
    (project / "README.md").write_text("mine\n", "utf-8")
    assert "not committed, in README.md" in refuses(project, "update", "-C", "churn")
    git(project, "add", "README.md")
    assert "not committed, in README.md" in refuses(project, "update", "-C", "churn")


def test_no_repository(refuses: Callable[..., str], project: Path) -> None:
    shutil.rmtree(project / ".git")
    assert "is not in a git repository" in refuses(project, "update", "-C", "churn")


def test_no_git(refuses: Callable[..., str], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "no git on the PATH" in refuses(project, "update", "-C", "churn")


def test_nothing_committed(refuses: Callable[..., str], project: Path) -> None:
    shutil.rmtree(project / ".git")
    git(project, "init", "-q")
    assert "Nothing is committed" in refuses(project, "update", "-C", "churn")


def test_an_answers_file_that_git_does_not_have(refuses: Callable[..., str], project: Path) -> None:
    git(project, "rm", "-q", "--cached", ".copier-answers.yml")
    git(project, "commit", "-q", "-m", "Forget")
    assert "is not in git" in refuses(project, "update", "-C", "churn")


def test_no_project(refuses: Callable[..., str], project: Path) -> None:
    assert "no project of ours" in refuses(project, "update", "-C", "churn/src")
    assert "is not a folder" in refuses(project, "update", "-C", "nowhere")


def test_a_template_that_means_nothing_elsewhere(refuses: Callable[..., str], project: Path) -> None:
    path = project / ".copier-answers.yml"
    path.write_text(path.read_text("utf-8").replace("https://github.com/mlscaffold/mlscaffold", "../tpl"), "utf-8")
    save(project)
    assert "the folder ../tpl, which means nothing elsewhere" in refuses(project, "update", "-C", "churn")


def test_files_that_git_was_told_not_to_look_at(run: Run, house: House, project: Path) -> None:
    git(project, "update-index", "--skip-worktree", "src/churn/model.py")
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# hidden"), "utf-8")
    house.release("v2.0.0", {MODEL: lines("# model", at_25="# theirs")})
    assert "Git was told not to look at src/churn/model.py" in run("update", "-C", "churn", code=1).err
    assert (project / "src/churn/model.py").read_text("utf-8") == lines("# model", at_3="# hidden")
    assert answers_of(project)["_commit"] == "v1.0.0"


def test_a_shallow_clone_has_no_versions(
    refuses: Callable[..., str], house: House, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{house.root}", "shallow")
    monkeypatch.setattr(source, "_REPOSITORY", tmp_path / "shallow")
    assert "is a shallow clone" in refuses(project, "update", "-C", "churn")


@pytest.mark.parametrize(
    ("mine", "theirs", "reason"),
    [
        ("shared", "shared/x.txt", "shared is no folder in the project and a folder in the template"),
        ("shared/x.txt", "shared", "shared is a folder in the project and a file in the template"),
        ("link", "link/x.txt", "link is no folder in the project and a folder in the template"),
    ],
)
def test_files_and_folders_of_one_name(
    refuses: Callable[..., str], house: House, project: Path, mine: str, theirs: str, reason: str
) -> None:
    (project / mine).parent.mkdir(exist_ok=True)
    if mine == "link":
        (project / mine).symlink_to(project.parent)
    else:
        (project / mine).write_text("mine\n", "utf-8")
    save(project)
    house.release("v2.0.0", {f"template/{theirs}": "theirs\n"})
    assert reason in refuses(project, "update", "-C", "churn")
    assert not (project.parent / "x.txt").exists()


# ── Other templates ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_another_place_can_be_named_for_the_template(run: Run, house: House, project: Path, tmp_path: Path) -> None:
    """To try what is being developed; the recorded address stays."""
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "-q", str(house.root), str(fork))
    House(fork).release(None, {"template/tried.txt": "tried\n"})
    done = run("update", "-C", "churn", "--template", fork, "--json")
    assert done.verdicts["tried.txt"] == "added"
    assert answers_of(project)["_src_path"] == "https://github.com/mlscaffold/mlscaffold"
    assert answers_of(project)["_commit"] == git(fork, "describe", "--tags", "--always")


def test_a_fork_is_updated_from_where_it_was_made(run: Run, house: House, project: Path, tmp_path: Path) -> None:
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "-q", str(house.root), str(fork))
    path = project / ".copier-answers.yml"
    path.write_text(path.read_text("utf-8").replace("https://github.com/mlscaffold/mlscaffold", str(fork)), "utf-8")
    save(project)
    House(fork).release("v1.1.0", {"template/fork.txt": "fork\n"})
    House(fork).release(None, {"template/later.txt": "later\n"})
    house.release("v2.0.0", {"template/upstream.txt": "upstream\n"})
    run("update", "-C", "churn")
    assert (project / "fork.txt").exists()
    assert not (project / "upstream.txt").exists()
    assert not (project / "later.txt").exists()  # the newest release, not the newest commit
    assert answers_of(project)["_commit"] == "v1.1.0"


def test_a_project_ahead_of_its_forks_newest_release_has_nothing_to_do(run: Run, house: House, tmp_path: Path) -> None:
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "-q", str(house.root), str(fork))
    House(fork).release(None, {"template/later.txt": "later\n"})
    run("new", "churn", "--defaults", "--no-lock", "--template", fork)
    assert "Nothing to do" in run("update", "-C", "churn").out
    assert "Up to date" in run("status", "-C", "churn").out
