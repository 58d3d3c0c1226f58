"""The guide holds what it says: it builds without a dead link, and its commands are there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer.main

from docs.build import build
from docs.deployment import PAGES
from docs.reference import PACKAGE, commands_of_a_project
from mlscaffold.cli.app import app
from mlscaffold.template.source import read_url
from mlscaffold.update.status import MEANING as STATES
from mlscaffold.update.verdicts import MEANING as VERDICTS
from tests.conftest import ROOT, Copier
from tests.proof.kinds import KINDS, Kind, name_of
from tests.proof.tasks import WEAK
from tests.template.combinations import Template

GUIDE = ROOT / "docs/guide"
OTHERS = {
    "airflow dags test churn",
    "cd churn",
    "cd mlscaffold",
    f"git clone {read_url()}",
    f"uv tool install git+{read_url()}",
    "python3 -m pip install -qq --target .uv uv",
    ".uv/bin/uv run pytest",
    "uv add --group train 'adbc-driver-postgresql>=1.8'",
    "dagster job execute -f definitions.py -j retraining",
    "export PYICEBERG_CATALOG__LAKE__URI=https://catalog.example.com",
    "uv add --group train 'deltalake>=1.1'",
    "uv add --group train 'psycopg[binary]>=3.2'",
    "uv run --with jupyterlab jupyter lab",
    "uv run pytest",
    "uv run torchrun --nproc-per-node 2 -m churn.distributed train",
    "uv sync",
}
"""Commands that are neither ours nor a project's."""
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FETCHED = re.compile(r'(?:src="|<link[^>]* href="|url\()["\']?(?:https?:)?//')


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the shell blocks of README and guide with the page that it is on."""
    for page in (ROOT / "README.md", *sorted(GUIDE.glob("*.md"))):
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in block.splitlines():
                for command in line.split(" && "):
                    yield page.name, shlex.split(command.partition(" | ")[0], comments=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site."""
    site = tmp_path_factory.mktemp("site")
    build(site)
    return site


def test_the_site_has_the_guide_the_reference_and_the_explorer(site: Path) -> None:
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    written = {page.with_suffix(".html").name for page in GUIDE.glob("*.md")}
    assert written | {"explorer/index.html", "search.html"} <= pages
    assert {f"reference/{name}.html" for name in ("options", "commands", "project")} <= pages


def test_coding_agents_find_every_page(site: Path) -> None:
    text = (site / "llms.txt").read_text("utf-8")
    head, _, items = text.partition("\n\n## Guide\n\n")
    assert re.fullmatch(r"# mlscaffold\n\n> .+", head)
    found = [re.fullmatch(r"- \[[^]]+\]\(([^)]+)\)(: .+)?", line) for line in items.splitlines()]
    links = [match[1] for match in found if match]
    assert len(links) == len(found), "each item is one link, with what is said of it"
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.md")} - {"index.md"}
    assert pages <= set(links)
    assert all((site / link).is_file() for link in links)


def test_no_page_asks_another_server(site: Path) -> None:
    found = [str(page) for page in site.rglob("*.html") if _FETCHED.search(page.read_text("utf-8"))]
    assert found == []


def test_the_reference_names_every_choice_and_every_command(site: Path) -> None:
    options = (site / "reference/options.html").read_text("utf-8")
    for question in Template(ROOT).questions:
        if not question.computed:
            assert f'id="{question.name.replace("_", "-")}"' in options
            assert all(f">{choice.value}</span>" in options for choice in question.choices)
    commands = (site / "reference/commands.html").read_text("utf-8")
    group: Any = typer.main.get_command(app)
    assert all(f"mlscaffold {name}<" in commands for name in group.commands)
    project = (site / "reference/project.html").read_text("utf-8")
    assert {"train", "promote", "serve"} <= commands_of_a_project(ROOT / "template").keys()
    assert all(f">{verdict.value}<" in commands for verdict in (*VERDICTS, *STATES))
    assert "STORE_URI" in project


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_reference_has_the_parameters_of_each_task_and_framework(kind: Kind, site: Path, copier: Copier) -> None:
    shown = unescape(re.sub("<[^>]+>", "", (site / "reference/project.html").read_text("utf-8")))
    made = copier.copy(site.parent / name_of(kind), {"project_name": "churn", **kind})
    assert (made / "params.yaml").read_text("utf-8").strip() in shown


def test_nobody_is_sent_to_the_package_index_where_the_name_is_another_projects() -> None:
    told = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    told += [path for folder in ("docs", "template", "partials", "src") for path in (ROOT / folder).rglob("*")]
    wrong = re.compile(r"(uvx( --from)?|(pip|pipx|tool) install( [\w-]+)*) mlscaffold\b")
    found = [str(path) for path in told if path.is_file() and wrong.search(path.read_text("utf-8", "ignore"))]
    assert found == []


def test_every_command_of_readme_and_guide_is_there() -> None:
    ours: Any = typer.main.get_command(app)
    theirs = commands_of_a_project(ROOT / "template")
    source = (ROOT / "template" / PACKAGE / "cli.py").read_text("utf-8")
    seen = 0
    for page, words in _commands():
        if words[:2] == ["uvx", f"git+{read_url()}"] or words[:3] == [".uv/bin/uv", "run", "mlscaffold"]:
            words = ["mlscaffold", *words[words.index("new") :]]
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        if words[0] == "mlscaffold":
            known = {name for parameter in ours.commands[words[1]].params for name in parameter.opts}
            assert set(options) <= known, (page, words)
        elif words[:3] == ["uv", "run", "churn"]:
            assert words[3] in theirs, (page, words)
            assert all(f'"{option}"' in source or f"{option[2:].replace('-', '_')}: " in source for option in options)
        else:
            assert shlex.join(words) in OTHERS, (page, words)
        seen += 1
    assert seen


def test_the_refusal_that_the_first_hour_shows_is_the_one_that_is_proven() -> None:
    told = (GUIDE / "first-hour.md").read_text("utf-8")
    assert all(f"`{name}: {value}`" in told for name, value in WEAK["tabular_classification", "sklearn"].items())


@pytest.mark.parametrize("command", ["options", "new churn --dry-run"])
def test_what_the_first_hour_begins_with_works(command: str, tmp_path: Path) -> None:
    assert f"\nmlscaffold {command}\n" in (GUIDE / "first-hour.md").read_text("utf-8")
    run = [sys.executable, "-m", "mlscaffold", *command.split()]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("page", PAGES)
def test_each_page_on_deployment_has_the_commands_of_its_project(page: str, site: Path, copier: Copier) -> None:
    shown = unescape(re.sub("<[^>]+>", "", (site / f"deploy/{page}.html").read_text("utf-8")))
    _, answers = PAGES[page]
    project = copier.copy(site.parent / f"project-{page}", {"project_name": "churn", "ci": "github", **answers})
    names = {"none": ["deploy/README.md"], "sagemaker": ["infra/README.md", "deploy/README.md"]}.get(
        page, ["infra/README.md", "deploy/components/cloud/README.md"]
    )
    texts = [(project / name).read_text("utf-8") for name in names]
    blocks = [dedent(block) for text in texts for block in re.findall(r"(?ms)^ *```sh\n(.*?)^ *```$", text)]
    assert blocks
    assert [block for block in blocks if block.strip() not in shown] == []


def test_every_choice_of_the_cloud_has_a_page() -> None:
    (cloud,) = (question for question in Template(ROOT).questions if question.name == "cloud")
    assert {choice.value for choice in cloud.choices} <= set(PAGES)
