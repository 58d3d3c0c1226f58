"""The gate through the command line, as a pipeline in CI sees it: by exit codes."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.proof import tasks
from tests.proof.project import Project


def weaken(project: Project) -> None:
    """Let the next model learn little."""
    path = project.cwd / "params.yaml"
    for name, value in tasks.WEAK[project.task, project.framework].items():
        text = path.read_text("utf-8")
        changed, count = re.subn(rf"(?m)^( +{name}:) \S+", rf"\1 {value}", text, count=1)
        if not count:  # a default that params.yaml does not say
            changed, count = re.subn(r"(?m)^model:.*$", rf"\g<0>\n  {name}: {value}", text, count=1)
        assert count, f"{path} has no section for the model"
        path.write_text(changed, "utf-8")


def change_contract(schema: Path) -> None:
    """Answer with shorter lists or labels in another order, take out a request's last column, or make it a category."""
    text = schema.read_text("utf-8")
    changed, count = re.subn(r"(?m)^TOP = 20$", "TOP = 10", text)
    if not count:
        changed, count = re.subn(r'(?m)^LABELS = \("0", "1", ', 'LABELS = ("1", "0", ', text)
    if not count:
        changed, count = re.subn(r'\n    \w+\(.*\),(?=\n\)\n"""What a request carries)', "", text)
    if not count:
        changed, count = re.subn(r"= \(Text\((.*), max_length=.*\),\)", r"= (Category(\1),)", text)
        changed = changed.replace("import Column", "import Category, Column")
    assert count == 1
    schema.write_text(changed, "utf-8")


def champion_of(project: Project) -> str:
    """Return the id of the champion."""
    return str(json.loads((project.cwd / "artifacts/store/champion.json").read_text())["bundle"])


def remake(project: Project, make: Callable[[tasks.Rows], tasks.Rows]) -> None:
    """Replace the rows of the sample."""
    path = project.cwd / project.source
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *make(rows)])


def test_an_equal_model_passes(contest: Project) -> None:
    before = champion_of(contest)
    contest("pipeline")
    assert contest.json("promote")["decision"]["gain"] == {"value": 0, "low": 0, "high": 0}
    assert champion_of(contest) == before


def test_a_better_model_becomes_the_champion(champion: Project, tmp_path: Path) -> None:
    project = champion.elsewhere(tmp_path)
    remake(project, tasks.LEARNABLE.get(project.task, list))
    weaken(project)
    project("pipeline")
    weak = champion_of(project)
    shutil.copy(champion.cwd / "params.yaml", tmp_path)
    project("train")
    decision = project.json("promote")["decision"]
    assert decision["verdict"] == "passed"
    assert decision["gain"]["value"] > 0
    assert champion_of(project) != weak
    assert f"Champion in place of {weak}" in (tmp_path / "artifacts/store/champion.md").read_text()


def test_a_worse_model_is_refused_with_3(contest: Project, tmp_path: Path) -> None:
    if make := tasks.LEARNABLE.get(contest.task):
        (tmp_path / "remade").mkdir()
        contest = contest.elsewhere(tmp_path / "remade")
        remake(contest, make)
        contest("pipeline")
    before = champion_of(contest)
    weaken(contest)
    assert "worse than the champion" in contest.refuses("pipeline", code=3)
    contest("evaluate", code=3)
    assert contest.json("promote", "--new-baseline", code=3)["decision"]["verdict"] == "refused"
    assert champion_of(contest) == before


def test_a_model_that_has_learnt_nothing_is_refused_with_3(project: Project, tmp_path: Path) -> None:
    made = project.elsewhere(tmp_path)
    remake(made, tasks.UNLEARNABLE.get(made.task, tasks.shuffle_target))
    assert "naive baseline" in made.refuses("pipeline", code=3)
    assert "there is no champion" in made.refuses("evaluate", "--model", "champion")


def test_another_schema_is_incomparable_unless_it_is_a_new_baseline(contest: Project, tmp_path: Path) -> None:
    before = champion_of(contest)
    changed = contest.copy(tmp_path / "changed")
    change_contract(changed.package / "schema.py")
    assert changed.touched == {str((changed.package / "schema.py").relative_to(changed.folder))}
    changed = changed.at(contest.cwd)
    assert "--new-baseline" in changed.refuses("pipeline", code=3)
    assert champion_of(contest) == before
    changed("promote", "--new-baseline")
    assert champion_of(changed) != before
    card = (contest.cwd / "artifacts/store/champion.md").read_text()
    assert f"Champion in place of {before}: a new baseline, because" in card
