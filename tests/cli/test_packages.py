"""The template inside a wheel: what travels, what it says about its origin, that it works on an empty machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, TAG, URL, Cli, git, names, recorded

# Nobody answers there: as good as a pulled cable for all that honours them.
NO_NETWORK = {
    "ALL_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "UV_OFFLINE": "1",
}


def build(root: Path, target: str, into: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel or a source distribution with the Hatchling of this environment."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=root,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def built(root: Path, target: str, into: Path, **env: str) -> Path:
    """Build one and return it."""
    done = build(root, target, into, **env)
    assert done.returncode == 0, done.stderr
    (path,) = into.iterdir()
    return path


@pytest.fixture(scope="session")
def prepared(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone whose template has an executable file, committed and tagged, and lies beside byte code."""
    clone = tmp_path_factory.mktemp("prepared") / "clone"
    shutil.copytree(template_repo, clone)
    script = clone / "template/hello.sh"
    script.write_text("#!/bin/sh\necho hello\n", "utf-8")
    script.chmod(0o755)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add a script")
    git(clone, "tag", "v1.1.0")
    for place in ("template", "template/src/{{ package }}", "partials"):
        (clone / place / "__pycache__").mkdir()
        (clone / place / "__pycache__/left.cpython-311.pyc").write_bytes(b"\0")
        (clone / place / "stray.pyc").write_bytes(b"\0")
    return clone


@pytest.fixture(scope="session")
def wheel(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built in the clone."""
    return built(prepared, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the unpacked source distribution that was built in the clone."""
    archive = built(prepared, "sdist", tmp_path_factory.mktemp("sdist"))
    place = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(archive, place)
    (root,) = place.iterdir()
    return root


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty virtual environment into which the wheel was installed, byte code included."""
    place = tmp_path_factory.mktemp("installed") / "venv"

    def uv(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [os.environ.get("UV", "uv"), *map(str, arguments)]
        return subprocess.run(command, check=check, capture_output=True, encoding="utf-8")

    versions = place.parent / "versions.txt"  # those of this environment
    versions.write_text(uv("pip", "freeze", "--exclude-editable", "--python", sys.executable).stdout, "utf-8")
    uv("venv", "--python", sys.executable, place)
    install = ("pip", "install", "--compile-bytecode", "--python", place, "--constraints", versions, wheel)
    if uv(*install, "--offline", check=False).returncode:  # something is not in uv's cache
        uv(*install)
    return place


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Cli:
    """Return the command as the wheel installs it."""
    place = tmp_path / "place"
    place.mkdir()
    return Cli((str(environment / "bin/mlscaffold"),), place, {**NO_NETWORK, "PYTHONPATH": "", "UV": ""})


# ── What is in it ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_wheel_holds_the_template_as_it_is_committed(prepared: Path, wheel: Path) -> None:
    parts = git(prepared, "ls-files", "-z", "copier.yml", "partials", "template").rstrip("\0").split("\0")
    with zipfile.ZipFile(wheel) as archive:
        prefix = "mlscaffold/_template/"
        embedded = {i.filename.removeprefix(prefix): i for i in archive.infolist() if i.filename.startswith(prefix)}
        assert set(embedded) == {*parts, "origin.json"}
        for part in parts:
            assert archive.read(embedded[part]) == (prepared / part).read_bytes()
            executable = bool(embedded[part].external_attr >> 16 & 0o111)
            assert executable == os.access(prepared / part, os.X_OK), part
        assert embedded["template/hello.sh"].external_attr >> 16 & 0o777 == 0o755
        assert json.loads(archive.read(prefix + "origin.json")) == {"url": URL, "commit": "v1.1.0", "modified": False}


def test_a_wheel_from_a_source_distribution_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    # Git may not be asked: an unpacked source distribution may well lie in somebody's repository.
    second = built(sdist, "wheel", tmp_path / "dist", PATH="/nowhere")
    assert second.read_bytes() == wheel.read_bytes()


def test_somebody_elses_repository_around_a_source_distribution_is_not_asked(
    sdist: Path, wheel: Path, tmp_path: Path
) -> None:
    packaging = tmp_path / "packaging"
    shutil.copytree(sdist, packaging)
    git(packaging, "init", "--quiet")
    git(packaging, "add", "--all", "--force")
    git(packaging, "commit", "--quiet", "--message", "Import")
    git(packaging, "tag", "debian/1.0")
    second = built(packaging, "wheel", tmp_path / "dist")
    assert second.read_bytes() == wheel.read_bytes()


def test_an_archive_without_history_cannot_be_built(sdist: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(sdist, archive)
    (archive / "origin.json").unlink()
    done = build(archive, "wheel", tmp_path / "dist")
    assert done.returncode != 0
    assert "is neither a clone nor a release of mlscaffold" in done.stderr
    assert f"clone {URL} or install a release." in done.stderr


def test_a_source_distribution_can_be_used_as_it_is(sdist: Path, tmp_path: Path) -> None:
    """As an editable install of it does."""
    cli = Cli((sys.executable, "-m", "mlscaffold"), tmp_path, {"PYTHONPATH": str(sdist / "src")})
    cli("new", "churn", *QUICK)
    assert recorded(tmp_path / "churn")["_commit"] == "v1.1.0"


def test_uncommitted_changes_are_confessed_by_a_wheel_too(clone: Path, tmp_path: Path) -> None:
    (clone / "template/NEWS.txt").write_text("Not committed\n", "utf-8")
    path = built(clone, "wheel", tmp_path / "dist")
    with zipfile.ZipFile(path) as archive:
        origin = json.loads(archive.read("mlscaffold/_template/origin.json"))
    assert origin == {"url": URL, "commit": TAG, "modified": True}


# ── That it works ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_installed_wheel_makes_a_project_without_a_network(installed: Cli) -> None:
    installed("new", "churn", "--defaults", "--no-lock")
    project = installed.cwd / "churn"
    assert (recorded(project)["_src_path"], recorded(project)["_commit"]) == (URL, "v1.1.0")
    assert git(project, "rev-list", "--count", "HEAD") == "1"
    assert not list(project.rglob("*.pyc"))
    assert os.access(project / "hello.sh", os.X_OK)


def test_an_installed_wheel_has_the_explorer(installed: Cli, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        page = archive.getinfo("mlscaffold/explorer.html")
        assert page.compress_size < 1_500_000
        installed("explore", "--save", "page.html", PATH="/nowhere")
        assert (installed.cwd / "page.html").read_bytes() == archive.read(page)


def test_and_without_git(installed: Cli) -> None:
    done = installed("new", "churn", "--defaults", "--no-lock", PATH="/nowhere")
    assert recorded(installed.cwd / "churn")["_commit"] == "v1.1.0"
    (note,) = done.stderr.splitlines()
    assert note.startswith("Note: There is no git on the PATH")


def test_it_is_not_fooled_by_a_repository_around_it(installed: Cli, environment: Path) -> None:
    """A virtual environment lies in somebody's repository more often than not."""
    git(environment, "init", "--quiet")
    try:
        installed("new", "churn", *QUICK)
    finally:
        shutil.rmtree(environment / ".git")
    assert recorded(installed.cwd / "churn")["_commit"] == "v1.1.0"


def test_a_dry_run_traces_layers_from_a_wheel_too(installed: Cli) -> None:
    files = json.loads(installed("new", "churn", "--dry-run", "--json").stdout)["files"]
    assert {tuple(file["layers"]) for file in files} > {(), ("task_tabular_classification",)}


def test_the_command_of_this_environment_makes_projects(tmp_path: Path) -> None:
    """The one that a clone installs for those who work on it; what it makes depends on the state of their clone."""
    command = Path(sys.executable).with_name("mlscaffold")
    if not command.exists():
        pytest.skip("mlscaffold is not installed here")
    Cli((str(command),), tmp_path, {"UV_OFFLINE": "1"})("new", "churn", *QUICK)
    assert names(tmp_path) == ["churn"]


# ── Three ways, one result ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("way", ["wheel", "clone"])
def test_new_and_copier_copy_give_the_same(installed: Cli, prepared: Path, way: str, tmp_path: Path) -> None:
    """Byte for byte, with the same modes, the answers file included; git is told where the canonical URL is today."""
    from tests.cli.conftest import in_clone, tree

    answers = {
        "project_name": "Customer churn",
        "description": "Who leaves? \"quoted\" & {{ braced }} # 100 % 'sure'",
        "author_name": "Ada Lovelace",
        "author_email": "ada@example.org",
    }
    given = [argument for name, value in answers.items() for argument in ("--set", f"{name}={value}")]
    cli = installed if way == "wheel" else in_clone(prepared, installed.cwd)
    cli("new", "churn", *QUICK, *given)

    redirect = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{prepared}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"{URL}.git",  # what Copier makes of it
        "GIT_CONFIG_KEY_1": "protocol.file.allow",
        "GIT_CONFIG_VALUE_1": "always",
        "COPIER_CACHE_DIR": str(tmp_path / "cache"),
    }
    other = tmp_path / "other"
    other.mkdir()
    copier = Cli((sys.executable, "-m", "copier", "copy", "--quiet", "--defaults"), other, redirect)
    data = [argument for name, value in answers.items() for argument in ("--data", f"{name}={value}")]
    copier(*data, URL, "churn")

    assert recorded(other / "churn")["_commit"] == "v1.1.0"
    assert tree(installed.cwd / "churn") == tree(other / "churn")
