"""`mlscaffold explore`, and what `mlscaffold new` takes from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.request import url2pathname

import pytest

from tests.cli.conftest import QUICK, Cli, in_clone, recorded, tree


@pytest.fixture
def with_short_page(clone: Path, cli: Cli) -> Cli:
    """Return the command in a clone that makes a page of one line; the real one takes seconds."""
    builder = 'import sys\nfrom pathlib import Path\n\nPath(sys.argv[1]).write_text("<!doctype html>", "utf-8")\n'
    (clone / "docs/explorer/build.py").write_text(builder, "utf-8")
    return in_clone(clone, cli.cwd)


def test_the_page_is_opened_in_the_browser(with_short_page: Cli, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "firefox"
    browser.write_text(f'#!/bin/sh\nfor last; do :; done\nprintf %s "$last" > {opened}\n', "utf-8")
    browser.chmod(0o755)
    done = with_short_page("explore", BROWSER=str(browser), TMPDIR=str(tmp_path))
    page = Path(done.stdout.strip())
    assert url2pathname(opened.read_text("utf-8").removeprefix("file:")).endswith(str(page))
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert done.stderr == ""


def test_where_there_is_no_browser_the_page_is_named(with_short_page: Cli, tmp_path: Path) -> None:
    lynx = tmp_path / "bin/lynx"  # shows no page that needs a script
    lynx.parent.mkdir()
    lynx.write_text("#!/bin/sh\nexit 0\n", "utf-8")
    lynx.chmod(0o755)
    lynx.with_name("git").symlink_to(str(shutil.which("git")))
    nowhere = {"PATH": str(lynx.parent), "DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
    done = with_short_page.with_env(**nowhere)("explore", TMPDIR=str(tmp_path))
    assert Path(done.stdout.strip()).is_file()
    assert done.stderr == (
        "No browser can be opened from here: open that file with one, or save it with --save FILE.html.\n"
    )


def test_the_page_can_be_saved(cli: Cli, tmp_path: Path) -> None:
    cli("explore", "--save", "page.html", TMPDIR=str(tmp_path))
    page = (cli.cwd / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert len(page) > 100_000


def test_a_page_that_cannot_be_saved_is_one_sentence(with_short_page: Cli, tmp_path: Path) -> None:
    complaint = with_short_page.refuses("explore", "--save", "absent/page.html", TMPDIR=str(tmp_path))
    assert complaint == "The page cannot be saved as absent/page.html: No such file or directory."


def test_a_page_that_cannot_be_made_is_one_sentence(clone: Path, cli: Cli, tmp_path: Path) -> None:
    (clone / "docs/explorer/highlight.py").unlink()  # found before anything is rendered
    complaint = in_clone(clone, cli.cwd).refuses("explore", TMPDIR=str(tmp_path))
    assert complaint.startswith("The explorer cannot be made: ImportError")


def test_new_takes_the_choices_of_a_link(cli: Cli) -> None:
    link = "file:///tmp/explorer.html#project_name=Customer+churn&deploy=docker&ci=none&compare=ci%3Agitlab&file=a"
    cli("new", "by-link", "--no-lock", "--no-git", "--like", link, "--set", "ci=gitlab")
    cli(
        "new", "by-hand", *QUICK, "--set", "project_name=Customer churn", "--set", "deploy=docker", "--set", "ci=gitlab"
    )
    assert tree(cli.cwd / "by-link") == tree(cli.cwd / "by-hand")


def test_a_link_without_choices_gives_the_defaults(cli: Cli) -> None:
    cli("new", "churn", *QUICK, "--like", "https://example.com/explorer/index.html#")
    assert recorded(cli.cwd / "churn")["project_name"] == "churn"


def test_what_is_no_link_of_the_explorer_is_refused(cli: Cli) -> None:
    assert "that is no link of the explorer" in cli("new", "churn", "--like", "https://example.com", code=2).stderr
    assert "'q' is not a question" in cli.refuses("new", "churn", "--like", "https://example.com#q=1")
