"""An owner's own texts: of several scripts, in a column of another name, with other labels and words."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.proof.kinds import KINDS, name_of
from tests.proof.project import Project, substitute

TEXTS = [kind for kind in KINDS if kind["task"] == "text_classification"]
SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Column, Text, Words

ROW_ID: str | None = None
TARGET = "worum es geht"
LABELS = ("Größe", "Preis", "配送")
FAVOURABLE = "Preis"
MISSING = ("", "NA")

INPUTS: tuple[Column, ...] = (
    Text(name="Betreff (kurz)", max_length=80, nullable=True),
    Text(name="class", description='What the customer "says"', max_length=500, logged=True),
)
FEATURES: tuple[Column, ...] = (Words(name="pairs of letters"),)
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {}
'''
FEATURES = '''\
"""The features."""

from itertools import pairwise

import numpy as np

from .core.contract.columns import Columns


def features(columns: Columns) -> Columns:
    """Return pairs of neighbouring letters, which need no spaces between words."""
    texts = columns["Betreff (kurz)"] + " " + columns["class"]
    return {"pairs of letters": np.array([pairs(text.casefold()) for text in texts], dtype=object)}


def pairs(text: str) -> str:
    """Return each letter with the next one, as words."""
    letters = "".join(text.split())
    return " ".join(one + other for one, other in pairwise(letters))
'''
PHRASES = {
    "Größe": ["zu groß für mich", "die Ärmel sind zu lang", "サイズが大きすぎる", "passt nicht 😕"],
    "Preis": ["viel zu teuer", "bitte einen Rabatt", "値段が高い", "où est la réduction"],
    "配送": ["wo bleibt das Paket", "die Lieferung kam zu spät", "荷物が届かない", "📦 fehlt"],
}


@pytest.mark.parametrize("project", TEXTS, ids=name_of, indirect=True)
def test_other_texts_in_two_columns_with_other_words(project: Project, tmp_path: Path) -> None:
    copy = project.copy(tmp_path / "copy")
    rng = random.Random(0)
    rows = []
    for number in range(600):
        label = rng.choice(list(PHRASES))
        said = rng.choice(PHRASES[label if rng.random() < 0.9 else rng.choice(list(PHRASES))])
        rows.append([rng.choice(["", "NA", "Frage", "Beschwerde"]), f"{said} {number}", label])
    with (copy.folder / "data/mails.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Betreff (kurz)", "class", "worum es geht"], *rows])
    (copy.package / "schema.py").write_text(SCHEMA, "utf-8")
    (copy.package / "features.py").write_text(FEATURES, "utf-8")
    copy.parameters(
        (f"source: {copy.source}", "source: data/mails.csv"), ("ngram_range: [1, 1]", "ngram_range: [1, 2]")
    )
    for command in ("ruff check", "ruff format --check", "mypy", "pytest --no-cov"):
        copy.tool("uv", "run", *command.split())
    copy("pipeline")
    (bundle,) = (copy.cwd / "artifacts/store/bundles").iterdir()
    card = (bundle / "card.md").read_text("utf-8")
    assert "### Heaviest words" in card
    assert "### Confusion matrix" in card
    assert json.loads((bundle / "parity.json").read_text("utf-8"))["max_difference"] < 1e-5
    with copy.served() as service:
        asked: list[dict[str, Any]] = [
            {"class": "ZU GROẞ, leider"},
            {"Betreff (kurz)": None, "class": "値段"},
            {"class": "das Paket"},
        ]
        assert [told["label"] for told in service.predict(asked)] == ["Größe", "Preis", "配送"]
        for text in ("", "x" * 501):
            status, answer = service.post({"instances": [{"class": text}]})
            assert (status, answer["detail"][0]["loc"]) == (422, ["body", "instances", 0, "class"])


@pytest.mark.parametrize("project", TEXTS, ids=name_of, indirect=True)
def test_another_rule_for_words_is_another_model(champion: Project, tmp_path: Path) -> None:
    copy = champion.copy(tmp_path / "copy")
    substitute(copy.package / "features.py", ('r"\\w+"', 'r"[^\\W\\d]+"'))
    changed = copy.at(champion.cwd)
    assert "another version of features.py" in changed.refuses("evaluate")
