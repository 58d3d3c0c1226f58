"""Templates and repositories that mean harm, or are odd: nothing runs, nothing is half done, one sentence says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import git, in_clone, names, tree
from tests.living.conftest import Run, status
from tests.living.house import FILES, QUESTIONS, House, answers_of, lines, repository, save

QUICK = ("--defaults", "--no-lock")
CONFIG = '[core]\n\tfsmonitor = "touch ran; false"\n'


# ── A template is data ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["{{ '.git' }}", "{{ '.GiT' }}", "sub/{{ '.git' }}", "{{ 'git~1' }}", "{{ '.git' }}."])
def test_no_template_brings_a_repository(run: Run, house: House, name: str) -> None:
    House(house.root).release(None, {f"template/{name}/config": CONFIG})
    said = run("new", "churn", *QUICK, code=1).err
    assert "which git would take for a repository" in said
    assert names(Path.cwd()) == []


def test_nor_does_an_update(refuses: Callable[..., str], house: House, project: Path) -> None:
    house.release("v2.0.0", {"template/{{ '.git' }}/config": CONFIG})
    for options in ((), ("--dry-run",)):
        assert "would take for a repository" in refuses(project, "update", "-C", "churn", *options)
    assert not list(project.parent.rglob("ran"))


def test_packages_of_another_template_are_locked_only_if_asked(
    run: Run, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[Path] = []
    monkeypatch.setattr("mlscaffold.system.uv.lock", locked.append)
    git(tmp_path, "clone", "-q", str(house.root), str(tmp_path / "fork"))
    done = run("new", "one", "--defaults", "--no-git", "--template", tmp_path / "fork", "--json").data
    assert any("add --lock" in warning for warning in done["warnings"])
    assert locked == []
    run("new", "two", "--defaults", "--no-git", "--template", tmp_path / "fork", "--lock")
    run("new", "three", "--defaults", "--no-git")
    assert len(locked) == 2


def test_a_token_is_not_recorded(tmp_path: Path) -> None:
    from mlscaffold.template.history import hide_secret

    assert hide_secret("https://user:token@example.org/t.git", "") == "https://example.org/t.git"
    assert hide_secret("git+https://token@example.org/t", "") == "git+https://example.org/t"
    assert hide_secret("git@example.org:t.git", "") == "git@example.org:t.git"


def test_a_token_is_not_shown(run: Run) -> None:
    said = run("new", "churn", *QUICK, "--template", "https://user:SECRET@127.0.0.1:9/t.git", code=1).err
    assert "cannot be fetched" in said
    assert "SECRET" not in said


# ── What is in the way ──────────────────────────────────────────────────────────────────────────────────────────────
def test_a_file_where_a_folder_must_go_is_found_first(run: Run, house: House, project: Path) -> None:
    (project / "scripts").write_text("mine\n", "utf-8")  # not committed
    house.release("v2.0.0", {"template/scripts/deploy": "theirs\n", "template/new.txt": "new\n"})
    done = run("update", "-C", "churn", "--json")
    assert done.verdicts["scripts/deploy"] == "kept"
    assert done.verdicts["new.txt"] == "added"
    assert (project / "scripts").read_text("utf-8") == "mine\n"
    save(project)
    assert run("status", "-C", "churn", "--json").code == 0


# ── The word about the outcome is true ──────────────────────────────────────────────────────────────────────────────
SLOW = """
import sys, time
from mlscaffold.cli import app, update
before = update._conclude
def conclude(*args, **kwargs):
    print("APPLIED", flush=True)
    time.sleep(2)
    before(*args, **kwargs)
update._conclude = conclude
sys.argv = ["mlscaffold", "update", "-C", sys.argv[1]]
app.run()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_after_it_was_applied_it_says_so(
    house: House, project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    cli = in_clone(house.root, tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(project)],
        env=cli.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout
    while "APPLIED" not in process.stdout.readline():
        pass
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "1 added" in out
    assert (project / "new.txt").exists()


# ── Odd repositories and files ──────────────────────────────────────────────────────────────────────────────────────
def test_repositories_with_longer_hashes(run: Run, house: House, project: Path) -> None:
    git(project, "checkout", "-q", "--detach")
    import shutil

    shutil.rmtree(project / ".git")
    git(project, "init", "-q", "--object-format=sha256")
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    save(project)
    house.release("v2.0.0", {"template/src/{{ package }}/model.py": lines("# model", at_3="# theirs")})
    run("update", "-C", "churn", code=3)
    assert status(project)["src/churn/model.py"] == "UU"


def test_another_default_hash_does_not_matter(
    run: Run, house: House, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    run("update", "-C", "churn")


def test_odd_files_do_not_stop_status(run: Run, project: Path, tmp_path: Path) -> None:
    (project / "deploy").rename(tmp_path / "elsewhere")
    (project / "deploy").symlink_to(tmp_path / "elsewhere")
    (project / "README.md").unlink()
    os.mkfifo(project / "README.md")
    (project / "run.sh").unlink()
    (project / "run.sh").symlink_to("nowhere")
    states = {file["path"]: file["state"] for file in run("status", "-C", "churn", "--json").data["files"]}
    assert {"README.md", "run.sh", "deploy/cloud.txt"} <= states.keys()


@pytest.mark.parametrize(("more", "said"), [("r: &r [*r]\n", "alias"), ("a: &a [1]\nb: [*a, *a]\n", "alias")])
def test_answers_that_refer_to_each_other_are_refused(
    refuses: Callable[..., str], project: Path, more: str, said: str
) -> None:
    with (project / ".copier-answers.yml").open("a", encoding="utf-8") as file:
        file.write(more)
    save(project)
    assert said in refuses(project, "status", "-C", "churn", "--json", code=5)


def test_a_date_among_the_answers_is_text_in_json(run: Run, project: Path) -> None:
    with (project / ".copier-answers.yml").open("a", encoding="utf-8") as file:
        file.write("our_note: 2024-01-01\n")
    assert run("status", "-C", "churn", "--json").data["answers"]["our_note"] == "2024-01-01"


@pytest.mark.parametrize("version", ["HEAD", "main"])
def test_a_version_that_moves_is_refused(refuses: Callable[..., str], project: Path, version: str) -> None:
    path = project / ".copier-answers.yml"
    path.write_text(path.read_text("utf-8").replace("v1.0.0", version), "utf-8")
    save(project)
    assert "which moves" in refuses(project, "update", "-C", "churn")


def test_a_filter_whose_program_is_missing_is_named(
    refuses: Callable[..., str], project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (project / ".gitattributes").write_text("*.bin filter=lfs\n", "utf-8")
    (project / "data.bin").write_text("pointer\n", "utf-8")
    save(project)
    config = Path(os.environ["GIT_CONFIG_GLOBAL"]).read_text("utf-8")
    config += '[filter "lfs"]\nrequired = true\nclean = nowhere\nsmudge = nowhere\n'
    (tmp_path / "gitconfig").write_text(config, "utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    os.utime(project / "data.bin", (1, 1))  # git has to look at it again
    assert "clean filter 'lfs' failed" in refuses(project, "update", "-C", "churn")


# ── Machines and clones that have less than others ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("size", ["40k", "400k"])
@pytest.mark.parametrize(
    "words", [("new", "other", *QUICK), ("update", "-C", "churn"), ("status", "-C", "churn"), ("adopt", "-C", "theirs")]
)
def test_a_full_temporary_folder_is_one_sentence(
    house: House, project: Path, tmp_path: Path, words: tuple[str, ...], size: str
) -> None:
    house.release("v2.0.0", {"template/large.txt": lines("large", 100_000)})
    repository(tmp_path / "place/theirs", {"README.md": "mine\n"})
    full = tmp_path / "full"
    full.mkdir()
    mounted = f'mount -t tmpfs -o size={size} tmpfs {full} && exec "$@"'
    cli = in_clone(house.root, tmp_path / "place")
    small = replace(cli, command=("unshare", "--map-root-user", "--mount", "sh", "-c", mounted, "sh", *cli.command))
    before = tree(tmp_path / "place")
    done = small(*words, TMPDIR=str(full), code=1)
    (complaint,) = [line for line in done.stderr.splitlines() if not line.startswith("Note: ")]
    assert complaint.startswith("Error: ")
    assert "No space left on device" in complaint
    assert tree(tmp_path / "place") == before


def test_a_partial_clone_is_updated_or_says_what_it_lacks(
    run: Run, refuses: Callable[..., str], house: House, project: Path, tmp_path: Path
) -> None:
    """What is compared and not here is fetched, unless nobody has it any more."""
    with (project / "deploy/bucket.txt").open("a", encoding="utf-8") as file:
        file.write("mine\n")
    save(project)
    git(project, "config", "uploadpack.allowFilter", "true")
    house.release("v2.0.0", {"template/README.md.jinja": FILES["template/README.md.jinja"] + "more\n"})
    for name in ("here", "gone"):
        git(tmp_path, "clone", "-q", "--filter=blob:none", "--sparse", project.as_uri(), f"place/{name}")
        assert not (tmp_path / "place" / name / "deploy").exists()
    updated = {".copier-answers.yml": "updated", "README.md": "updated"}
    assert run("update", "-C", "here", "--json").verdicts == updated
    save(tmp_path / "place/here")
    project.rename(tmp_path / "elsewhere")
    complaint = refuses(tmp_path / "place/gone", "update", "-C", "gone")
    assert "This is a partial clone" in complaint
    assert "`git fetch --refetch --no-filter`" in complaint
    house.release("v3.0.0", {"template/{{ cloud_aws }}/deploy/bucket.txt": lines("bucket", at_3="theirs")})
    said = run("update", "-C", "here", code=1).err  # what a sparse checkout leaves out is not changed behind its back
    assert "Git was told not to look at deploy/bucket.txt" in said
    assert status(tmp_path / "place/here") == {}


# ── Output ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_piped_output_is_not_folded(run: Run, house: House, project: Path) -> None:
    deep = "/".join(["a-rather-long-folder-name"] * 6)
    house.release("v2.0.0", {f"template/{deep}/dashboard.json": "{}\n"})
    assert f"added    {deep}/dashboard.json  new\n" in run("update", "-C", "churn", "--dry-run").out


def test_errors_are_json_too(run: Run) -> None:
    result = run("update", "--json", code=1)
    assert result.data == {"error": result.err.strip().removeprefix("Error: "), "exit_code": 1}


# ── Layers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
KIND = """
kind: {type: str, when: false, default: "{{ 'far' if cloud == 'gcp' else 'near' }}"}
kind_far: {type: str, when: false, default: "{{ '.' if kind == 'far' else '' }}"}
kind_near: {type: str, when: false, default: "{{ '.' if kind == 'near' else '' }}"}
"""


def test_a_computed_answer_may_own_layers(run: Run, house: House) -> None:
    house.release(
        "v2.0.0",
        {
            "copier.yml": QUESTIONS + KIND,
            "template/{{ kind_far }}/far.txt": "far\n",
            "template/{{ kind_near }}/{{ ci_github }}/near.txt": "near\n",
        },
    )
    files = {file["path"]: file["layers"] for file in run("new", "one", *QUICK, "--json").data["files"]}
    assert files["near.txt"] == ["kind_near", "ci_github"]
    assert "far.txt" not in files
    run("set", "-C", "one", "cloud=gcp")
    assert Path("one/far.txt").exists()
    assert not Path("one/near.txt").exists()
    assert answers_of(Path("one")).keys() >= {"cloud"}
    assert "kind" not in answers_of(Path("one"))


def test_layers_that_are_not_chosen_are_not_rendered(run: Run, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte as Copier renders it with all of them, the answers file included."""
    clouds = [f"c{number}" for number in range(30)]
    more = "".join(
        f"cloud_{name}: {{type: str, when: false, default: \"{{{{ '.' if cloud == '{name}' else '' }}}}\"}}\n"
        for name in clouds
    )
    choices = ", ".join(f'"{name}: x": {name}' for name in clouds)
    questions = QUESTIONS.replace('"GCP: Google": gcp', f'"GCP: Google": gcp, {choices}') + more
    files = {f"template/{{{{ cloud_{name} }}}}/deploy/file{n}.txt": "x\n" for name in clouds for n in range(10)}
    house.release("v2.0.0", {"copier.yml": questions, **files})
    import copier._main

    seen: list[Path] = []
    before = copier._main.Worker._render_path

    def count(self: copier._main.Worker, path: Path) -> object:
        seen.append(path)
        return before(self, path)

    monkeypatch.setattr(copier._main.Worker, "_render_path", count)
    run("new", "churn", *QUICK, "--no-git", "--set", "cloud=c7")
    assert 0 < len(seen) < 60
    monkeypatch.undo()
    monkeypatch.chdir(house.root.parent.parent)
    subprocess.run(
        [sys.executable, "-m", "copier", "copy", "-q", "--defaults", "-d", "cloud=c7", "-d", "project_name=churn",
         str(house.root), "plain/churn"],
        check=True,
        env={**os.environ, "PATH": os.environ["PATH"]},
    )  # fmt: skip
    ours, plain = tree(Path("place/churn")), tree(Path("plain/churn"))
    for result in (ours, plain):
        result.pop(".copier-answers.yml")
    assert {path: content for path, (_, content) in ours.items()} == {
        path: content for path, (_, content) in plain.items()
    }


def test_edits_in_core_are_spoken_of(run: Run, house: House) -> None:
    house.release("v2.0.0", {"template/src/{{ package }}/core/a.py": "# a\n", "template/tests/core/b.py": "# b\n"})
    run("new", "churn", *QUICK, "--set", "project_name=Churn")
    assert run("status", "-C", "churn", "--json").data["core_edits"] == []
    assert "Edits in core: none." in run("status", "-C", "churn").out
    Path("churn/tests/core/b.py").write_text("# mine\n", "utf-8")
    assert run("status", "-C", "churn", "--json").data["core_edits"] == ["tests/core/b.py"]
