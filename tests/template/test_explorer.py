"""The explorer cannot lie: what it shows and downloads is what Copier writes, byte for byte."""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import zipfile
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from docs.explorer.build import build
from docs.explorer.data import UnsuitableError, collect
from docs.explorer.marks import NAME, UnknownFormError, mark
from docs.explorer.samples import CARD, DESCRIPTION, FOLDER
from docs.samples import SAMPLES, TERMINAL, Sample
from mlscaffold.cli.arguments import parse_link
from mlscaffold.template.source import Origin
from tests.conftest import Copier, commit
from tests.template import small
from tests.template.assembly import File, covering, differences, read_project
from tests.template.combinations import Answer, Combination, RefusedError, Template
from tests.tools import need

SEED = 20
COVERING = 4
RANDOM = 3
NAMES = ("Customer churn", "churn_2.model-x", "No", "z" * 50)
"""An ordinary name; one of every separator; one that YAML would read as false; the longest, which clouds cut."""
REFUSED = ("", " churn", "churn ", "2churn", "cust  churn", "a" * 51, "naïve", "a/b", "Lambda", "Email", "con", "numpy")
MOST_BYTES = 2_000_000
SAMPLE = "home-sales"
MOST_BYTES_OF_SAMPLES = 1_500_000


@dataclass(frozen=True)
class Session:
    """What was done with the page in a browser: see explorer.cjs."""

    visits: list[Combination]
    seen: dict[str, Any]


@pytest.fixture(scope="module")
def page(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of this template."""
    page = tmp_path_factory.mktemp("explorer") / "index.html"
    build(page, template_repo, Origin(str(template_repo), "v1.0.0"))
    return page


@pytest.fixture(scope="module")
def session(page: Path, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Return what came of visits by link, and of clicks."""
    need("browse")
    combinations = template.combinations
    sample = random.Random(SEED).sample(combinations, min(RANDOM, len(combinations)))
    visits = [*covering(template)[:COVERING], *sample]
    names = [NAMES[-1] if c.answers["cloud"] != "none" else NAMES[i % len(NAMES)] for i, c in enumerate(visits)]
    links = ["#" + urlencode({**c.asked, "project_name": name}) for c, name in zip(visits, names, strict=True)]
    folder = tmp_path_factory.mktemp("downloads")
    return Session(visits, _browse(page, folder, visits=links, clicks=_clicks(template), names=REFUSED, sample=SAMPLE))


@pytest.fixture(scope="module")
def made(copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what makes, with Copier, the project of a command that the page shows, once for each command."""

    @cache
    def make(command: str) -> dict[str, File]:
        path, answers = _answers_in(command)
        project = tmp_path_factory.mktemp("made") / path
        return read_project(copier.copy(project, {"project_name": path, **answers}))

    return make


def test_every_shared_link_downloads_what_copier_writes(session: Session, made: Any) -> None:
    for combination, visited in zip(session.visits, session.seen["visited"], strict=True):
        _, answers = _answers_in(visited["command"])
        assert answers.items() - {("project_name", answers.get("project_name"))} <= combination.asked.items()
        assert differences(made(visited["command"]), _unpack(visited)) == [], visited["command"]


def test_every_click_downloads_what_copier_writes(session: Session, made: Any) -> None:
    assert session.seen["clicked"]
    for clicked in session.seen["clicked"]:
        assert "--set project_name='Ada_s churn 2'" in clicked["command"]
        assert clicked["suggested"] == "ada-s-churn-2.zip"
        assert differences(made(clicked["command"]), _unpack(clicked)) == [], clicked["command"]


def test_new_takes_the_link_of_what_was_clicked(session: Session) -> None:
    _, answers = _answers_in(session.seen["clicked"][-1]["command"])
    assert parse_link(session.seen["link"]) == answers


def test_a_comparison_names_the_files_that_differ(session: Session, made: Any) -> None:
    after = made(session.seen["clicked"][-1]["command"])
    before = made("uvx git+x new ada-s-churn-2 --defaults --set project_name='Ada_s churn 2'")
    expected = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(path for path in after.keys() & before.keys() if after[path] != before[path]),
    }
    assert {kind: sorted(paths) for kind, paths in session.seen["marked"].items()} == expected
    same = len(after.keys() & before.keys()) - len(expected["changed"])
    counts = f"{len(expected['added'])} added, {len(expected['removed'])} removed, {len(expected['changed'])} changed"
    assert session.seen["comparison"] == f"Against the defaults: {counts}, {same} the same"


def test_a_comparison_shows_the_lines_that_differ(session: Session, made: Any) -> None:
    after = made(session.seen["clicked"][-1]["command"])["README.md"].content.decode().splitlines()
    before = made("uvx git+x new ada-s-churn-2 --defaults --set project_name='Ada_s churn 2'")
    old = before["README.md"].content.decode().splitlines()
    shown = session.seen["changes"]
    assert [line for sign, line in shown if sign == "-"]
    assert {line for sign, line in shown if sign == "-"} <= set(old)
    assert {line for sign, line in shown if sign == "+"} <= set(after)
    assert {line for line in after if line not in old} <= {line for sign, line in shown if sign == "+"}
    assert {line for line in old if line not in after} <= {line for sign, line in shown if sign == "-"}


def test_steps_between_two_texts_lead_from_one_to_the_other_and_are_few(session: Session) -> None:
    for case in session.seen["steps"]:
        old, fresh, steps = case["old"], case["fresh"], case["steps"]
        assert len(old) == len(steps) - steps.count("+")
        lines, walked = iter(old), []
        added = iter(_added(fresh, steps))
        for step in steps:
            line = next(added) if step == "+" else next(lines)
            walked += [] if step == "-" else [line]
        assert walked == fresh
        matched = sum(block.size for block in SequenceMatcher(a=old, b=fresh, autojunk=False).get_matching_blocks())
        assert steps.count(" ") >= matched


def test_a_search_finds_names_and_texts_by_keyboard(session: Session, made: Any) -> None:
    defaults = made("uvx git+x new my-model --defaults --set project_name='My model'")
    wanted = {path for path, file in defaults.items() if b"onnxruntime" in (path.encode() + file.content).lower()}
    assert wanted
    assert set(session.seen["found"]) == wanted
    assert session.seen["opened"].split("  ")[0] == session.seen["reached"]
    assert "Made fromtemplate/" in session.seen["why"]


def test_a_sample_shows_its_card_its_pictures_and_the_terminal(session: Session) -> None:
    shown, folder = session.seen["shown"], FOLDER / SAMPLE
    assert shown["card"] == CARD
    assert shown["headings"] == headings_in((folder / CARD).read_text("utf-8"))
    assert len(shown["pictures"]) == len(list(folder.rglob("*.svg")))
    assert sorted(shown["left"]) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != DESCRIPTION
    )
    assert shown["picture"].endswith(".svg")
    assert shown["terminal"] == (folder / TERMINAL).read_text("utf-8").splitlines()
    assert shown["after"] == 0, "another choice is another project, which nobody has run"


def test_a_sample_is_downloaded_without_what_its_run_left(session: Session, made: Any) -> None:
    download = session.seen["shown"]["download"]
    assert differences(made(download["command"]), _unpack(download)) == []
    _, answers = _answers_in(download["command"])
    assert parse_link(session.seen["shown"]["link"]) == {"project_name": SAMPLE, **answers}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_a_project_that_is_offered_and_was_run(sample: Sample, template: Template, made: Any) -> None:
    folder = FOLDER / sample.name
    answers = json.loads((folder / DESCRIPTION).read_text("utf-8"))["answers"]
    assert answers == {"project_name": sample.name, **sample.answers}
    assert any(sample.answers.items() <= combination.asked.items() for combination in template.combinations)
    terminal = (folder / TERMINAL).read_text("utf-8")
    assert [line[2:] for line in terminal.splitlines() if line.startswith("$ ")] == [
        shown for shown, *_ in sample.commands
    ]
    assert " is the champion\n" in terminal
    settings = " ".join(f"--set {name}={value}" for name, value in sample.answers.items())
    words = made(f"uvx git+x new {sample.name} --defaults {settings}")[f"src/{sample.name.replace('-', '_')}/card.md"]
    recorded = headings_in((folder / CARD).read_text("utf-8"))
    assert set(headings_in(words.content.decode())[1:]) <= set(recorded), "`python -m docs.samples` records it again"


def test_the_samples_are_those_that_are_recorded_and_are_small() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {sample.name for sample in SAMPLES}
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < MOST_BYTES_OF_SAMPLES


def test_the_page_refuses_the_names_that_the_template_refuses(session: Session, template: Template) -> None:
    for name, said in session.seen["refusals"].items():
        assert said == _refusal(template, name), name


def test_the_page_is_accessible_on_every_screen(session: Session) -> None:
    assert session.seen["judged"]
    assert {screen: found for screen, found in session.seen["judged"].items() if found} == {}


def test_the_page_asks_no_server_and_meets_no_error(session: Session) -> None:
    assert session.seen["said"] == []


def test_a_question_that_is_not_asked_is_not_answered(tmp_path: Path) -> None:
    need("browse")
    template = _small_template(tmp_path / "template")
    build(tmp_path / "index.html", template, Origin(str(template), "v1"))
    links = ["#project_name=Churn&cloud=aws&size=large", "#project_name=Churn&cloud=gcp&size=large&docs=true&ci=none"]
    seen = _browse(tmp_path / "index.html", tmp_path, visits=links)
    commands = [visited["command"] for visited in seen["visited"]]
    start = f"uvx git+{template} new churn --defaults --set project_name=Churn"
    assert commands == [start, f"{start} --set ci=none --set cloud=gcp --set docs=true --set size=large"]
    for number, visited in enumerate(seen["visited"]):
        project = Copier(template).copy(tmp_path / str(number), _answers_in(visited["command"])[1])
        assert differences(read_project(project), _unpack(visited)) == []
    assert seen["said"] == []


def test_the_page_is_one_small_file_and_the_same_each_time(page: Path, template_repo: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.html", template_repo, Origin(str(template_repo), "v1.0.0"))
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()
    assert page.stat().st_size < MOST_BYTES


def test_a_form_of_the_name_that_the_page_does_not_know_is_an_error() -> None:
    with pytest.raises(UnknownFormError, match="ZQX"):
        mark(f"{NAME} as {NAME.upper()}")


def test_an_answer_that_the_page_cannot_compute_is_an_error(tmp_path: Path) -> None:
    loud = 'loud: {type: str, when: false, default: "{{ project_name | upper }}"}\n'
    small.write(tmp_path, {"copier.yml": small.QUESTIONS.replace("title", "project_name") + loud})
    with pytest.raises(UnsuitableError, match="loud"):
        collect(tmp_path, Origin("url", "v1"))


def headings_in(text: str) -> list[str]:
    """Return the headings of a text in Markdown."""
    return [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]


def _browse(page: Path, folder: Path, **what: Any) -> dict[str, Any]:
    """Let explorer.cjs do *what* with *page*, and return what it saw; downloads go into *folder*."""
    script = Path(__file__).with_name("explorer.cjs")
    argument = json.dumps({"address": page.as_uri(), "folder": str(folder), **what})
    run = subprocess.run([need("browse"), script, argument], capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def _small_template(root: Path) -> Path:
    """Write the small template as one that asks for a name as ours does."""
    files = {name: text.replace("title", "project_name") for name, text in small.FILES.items()}
    files["copier.yml"] = files["copier.yml"].replace("| lower }}", "| lower | replace(' ', '_') }}")
    files["partials/reserved.jinja"] = "{% set keywords = ['lambda'] %}"
    small.write(root, files)
    commit(root, "v1")
    return root


def _clicks(template: Template) -> list[tuple[str, int]]:
    """Return one choice of each question, by its number: the last that can be chosen after those before it."""
    clicks: list[tuple[str, int]] = []
    chosen: dict[str, Answer] = {}
    for question in template.questions:
        if not question.choices or question.computed:
            continue
        for number, choice in reversed(list(enumerate(question.choices))):
            given = {**chosen, question.name: choice.value}
            if any(given.items() <= combination.asked.items() for combination in template.combinations):
                clicks.append((question.name, number))
                chosen = given
                break
    return clicks


def _answers_in(command: str) -> tuple[str, dict[str, str]]:
    """Return the folder and the answers of a command that the page shows."""
    words = shlex.split(command)
    assert [words[0], words[1][:4], words[2]] == ["uvx", "git+", "new"]
    assert words[4] == "--defaults"
    assert words[5::2] == ["--set"] * len(words[6::2])
    return words[3], dict(setting.split("=", 1) for setting in words[6::2])


def _unpack(download: dict[str, str]) -> dict[str, File]:
    """Return the files of a downloaded archive, without the folder that holds all of them."""
    folder = download["suggested"].removesuffix(".zip") + "/"
    with zipfile.ZipFile(download["zip"]) as archive:
        assert archive.testzip() is None
        return {
            (path := entry.filename.removeprefix(folder)): File(
                path, archive.read(entry), bool(entry.external_attr >> 16 & 0o100)
            )
            for entry in archive.infolist()
            if entry.filename.startswith(folder)
        }


def _refusal(template: Template, name: str) -> str:
    try:
        template.answer({"project_name": name})
    except RefusedError as refusal:
        return str(refusal)
    return ""


def _added(fresh: list[str], steps: list[str]) -> list[str]:
    kept = [step for step in steps if step != "-"]
    return [line for line, step in zip(fresh, kept, strict=True) if step == "+"]
