"""`mlscaffold new --template` and `--ref`: forks, other versions, and templates that are not made for us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import git, names
from tests.living.conftest import Run
from tests.living.house import FILES, QUESTIONS, URL, House, answers_of
from tests.template import plain_copier

QUICK = ("--defaults", "--no-lock", "--no-git")
ANSWERS = "template/{{ _copier_conf.answers_file }}.jinja"


@pytest.fixture
def fork(house: House, tmp_path: Path) -> House:
    """Return a fork that is ahead of its newest release."""
    git(tmp_path, "clone", "-q", str(house.root), str(tmp_path / "fork"))
    fork = House(tmp_path / "fork")
    fork.release("v1.1.0", {"template/fork.txt": "fork\n"})
    fork.release(None, {"template/later.txt": "later\n"})
    return fork


def refused(run: Run, *arguments: str | Path) -> str:
    """Return why nothing was made."""
    result = run("new", "churn", *QUICK, *arguments, code=1)
    assert names(Path.cwd()) == []
    return result.err


def test_a_project_is_made_from_a_forks_newest_commit_and_updated_from_there(run: Run, fork: House) -> None:
    done = run("new", "churn", "--defaults", "--no-lock", "--template", fork.root, "--json").data
    project = Path("churn")
    assert done["template"] == {"url": str(fork.root), "commit": git(fork.root, "describe", "--tags")}
    assert (answers_of(project)["_src_path"], answers_of(project)["_commit"]) == tuple(done["template"].values())
    assert (project / "later.txt").read_text("utf-8") == "later\n"
    assert "means nothing on other machines" in done["warnings"][0]
    fork.release("v1.2.0", {"template/last.txt": "last\n"})
    assert run("update", "-C", "churn", "--json").verdicts == {".copier-answers.yml": "updated", "last.txt": "added"}


def test_an_address_is_recorded_as_it_was_given(run: Run, fork: House) -> None:
    address = f"git+file://{fork.root}"
    done = run("new", "churn", "--template", address, *QUICK, "--json").data
    assert done["template"]["url"] == answers_of(Path("churn"))["_src_path"] == address
    assert done["warnings"] == []


def test_a_version_can_be_named(run: Run, fork: House) -> None:
    run("new", "churn", *QUICK, "--template", fork.root, "--ref", "v1.1.0")
    assert Path("churn/fork.txt").exists()
    assert not Path("churn/later.txt").exists()
    assert answers_of(Path("churn"))["_commit"] == "v1.1.0"
    dry = run("new", "again", *QUICK, "--template", fork.root, "--ref", "1.0.0", "--dry-run", "--json").data
    assert "fork.txt" not in {file["path"] for file in dry["files"]}
    assert names(Path.cwd()) == ["churn"]


def test_an_older_version_of_our_own_template(run: Run, house: House) -> None:
    house.release("v2.0.0", {"template/new.txt": "new\n"})
    run("new", "churn", *QUICK, "--ref", "v1.0.0")
    assert not Path("churn/new.txt").exists()
    assert (answers_of(Path("churn"))["_src_path"], answers_of(Path("churn"))["_commit"]) == (URL, "v1.0.0")


@pytest.mark.parametrize("form", ["bare", "bundle", "url"])
def test_other_forms_of_a_repository(run: Run, fork: House, tmp_path: Path, form: str) -> None:
    place = tmp_path / form
    if form == "bare":
        git(tmp_path, "clone", "-q", "--bare", str(fork.root), str(place))
    elif form == "bundle":
        git(fork.root, "bundle", "create", "-q", str(place), "HEAD", "v1.1.0", "v1.0.0")
    address = f"file://{fork.root}" if form == "url" else place
    done = run("new", "churn", *QUICK, "--template", address, "--json").data
    assert done["template"]["url"] == str(fork.root if form == "url" else place)
    assert Path("churn/later.txt").exists()


def test_what_is_not_committed_is_no_part_of_it(run: Run, fork: House) -> None:
    (fork.root / "template/draft.txt").write_text("draft\n", "utf-8")
    done = run("new", "churn", *QUICK, "--template", fork.root, "--json").data
    assert "has changes that are not in" in done["warnings"][1]
    assert not Path("churn/draft.txt").exists()


def test_templates_that_cannot_be_had(run: Run, fork: House) -> None:
    assert "cannot be fetched from" in refused(run, "--template", "nowhere")
    assert "There is no version v9 of the template" in refused(run, "--template", fork.root, "--ref", "v9")
    assert "There is no version v9 of the template" in refused(run, "--ref", "v9")


@pytest.mark.parametrize(
    ("setting", "feature"),
    [
        ("_tasks: ['touch ran']", "tasks"),
        ("_migrations: [{version: v2.0.0, after: ['touch ran']}]", "migrations"),
        ("_jinja_extensions: [os.path]", "jinja_extensions"),
    ],
)
def test_templates_that_want_to_run_code(run: Run, fork: House, setting: str, feature: str) -> None:
    fork.release(None, {"copier.yml": f"{setting}\n{QUESTIONS}"})
    if feature == "migrations":  # of no use to a new project
        run("new", "churn", "--defaults", "--no-lock", "--template", fork.root)
        fork.release("v2.0.0", {"template/new.txt": "new\n"})
        said = run("update", "-C", "churn", code=1).err
    else:
        said = refused(run, "--template", fork.root)
    assert f"wants to run code of its own ({feature}), which mlscaffold lets no template do" in said
    assert "--trust" in said


def test_templates_that_are_not_made_for_us(run: Run, fork: House) -> None:
    plain = "{{ _copier_answers | to_nice_yaml -}}\n"
    fork.release(None, {ANSWERS: plain})
    assert "does not write mlscaffold_origin" in refused(run, "--template", fork.root)
    fork.release(None, {ANSWERS: f"_src_path: {URL}\n_commit: v1.0.0\n"})
    assert "does not write mlscaffold_origin" in refused(run, "--template", fork.root)
    fork.release(None, {ANSWERS: FILES[ANSWERS], "partials/empty.jinja": None})
    assert "it has no partials" in refused(run, "--template", fork.root)


def test_layers_are_rendered_as_copier_renders_them(run: Run, fork: House, tmp_path: Path) -> None:
    """They are put together before, but for links, which would lead elsewhere."""
    (fork.root / "template/{{ ci_github }}/docs").mkdir(parents=True)
    (fork.root / "template/{{ ci_github }}/docs/link.md").symlink_to("../../README.md.jinja")
    changes = {
        "template/{{ ci_github }}/src/{{ package }}/{{ cloud_aws }}/login.py.jinja": "NAME = '{{ package }}'\n",
        "template/{{ ci_github }}/src/{{ package }}/{{ cloud_gcp }}/login.py": "NAME = None\n",
        "template/src/{{ cloud_aws }}/bucket/region.py": "REGION = None\n",
    }
    fork.release(None, changes)
    plain = plain_copier.run("copy", "--defaults", "--vcs-ref=HEAD", fork.root, tmp_path / "plain")
    assert plain.returncode == 0, plain.stderr
    run("new", "churn", *QUICK, "--set=project_name=Churn", "--template", fork.root)
    ours, theirs = (plain_copier.read_files(folder) for folder in (Path("churn"), tmp_path / "plain"))
    assert ours == theirs
    assert ours["src/churn/login.py"].content == b"NAME = 'churn'\n"


def test_a_repository_can_be_adopted_by_a_fork(run: Run, fork: House) -> None:
    project = Path("churn")
    project.mkdir()
    (project / "own.txt").write_text("own\n", "utf-8")
    git(project, "init", "-q")
    git(project, "add", "own.txt")
    git(project, "commit", "-q", "-m", "Start")
    done = run("adopt", "-C", "churn", "--template", fork.root, "--ref", "v1.1.0", "--json").data
    assert done["template"] == {"url": str(fork.root), "commit": "v1.1.0"}
    assert "later.txt" not in {file["path"] for file in done["files"]}
