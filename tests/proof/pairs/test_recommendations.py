"""An owner's own interactions: other names, items with spaces, one hidden item of each user, and shorter answers."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.proof import tasks
from tests.proof.kinds import KINDS, name_of
from tests.proof.pairs.test_swap import prove, source, write
from tests.proof.project import Project, Service, substitute

RECOMMENDERS = [kind for kind in KINDS if kind["task"] == "recommendation"]
SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Column, Count, Items

USER = "customer №"
ITEM = "article"
DAY = "bought on"
HIDDEN = 1
TOP = 5
ROW_ID: str | None = USER
TARGET = "bought next"
MISSING = ("", "NA")

INPUTS: tuple[Column, ...] = (
    Items(name="history", nullable=True, max_items=30),
    Items(name="exclude", nullable=True, max_items=30, counted=False),
    Items(name="candidates", nullable=True, max_items=100, counted=False),
    Count(name="k", nullable=True, minimum=1, maximum=TOP),
)
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {}
'''
SIZES = ("S", "M", "L", "größer")
ARTICLES = {kind: [f"{kind} {n} ({size})" for n in range(3) for size in SIZES] for kind in ("shirt", "hat", "shoe")}
ALL = [article for articles in ARTICLES.values() for article in articles]
READ = "sources.scan(params.data.source, params.data.query)"
SPACES = '.with_columns(pl.col("article").str.replace_all(" ", "_"))'


@pytest.mark.parametrize("project", RECOMMENDERS, ids=name_of, indirect=True)
def test_other_interactions_whose_items_have_spaces(project: Project, tmp_path: Path) -> None:
    copy = project.copy(tmp_path / "copy")
    rng = random.Random(0)
    rows: list[list[object]] = []
    for number in range(600):
        likes = rng.choice(sorted(ARTICLES))
        bought = rng.sample(ARTICLES[likes], rng.randint(3, 8)) + rng.sample(ALL, 2)
        for article in dict.fromkeys(rng.sample(bought, len(bought))):
            rows.append([date(2026, 1, 1) + timedelta(days=len(rows) % 300), article, f"№ {number}"])
    write(copy.folder / "data/shop.csv", ["bought on", "article", "customer №"], rows)
    (copy.package / "schema.py").write_text(SCHEMA, "utf-8")
    substitute(
        copy.package / "source.py",
        ("    return cut_training", f"    rows = {READ}\n    return cut_training"),
        (f"cut_training({READ}", f"cut_training(rows{SPACES}"),
        ("else cut_newest(rows)", f"else cut_newest(rows{SPACES})"),
    )
    copy.parameters((f"source: {copy.source}", "source: data/shop.csv"))
    prove(copy, {"data/shop.csv", "params.yaml", *source(copy, "schema.py", "source.py")})
    with copy.served() as service:
        check_service(service)


def check_service(service: Service) -> None:
    """Insist on what each part of a request does."""
    history = [name.replace(" ", "_") for name in ARTICLES["hat"][:4]]

    def ask(**request: Any) -> list[str]:
        (prediction,) = service.predict([request])
        assert tasks.IS_SOUND["recommendation"](prediction)
        return [item["item"] for item in prediction["items"]]

    found = ask(history=history)
    assert len(found) == 5
    assert all(name.startswith("hat_") for name in found)
    assert not set(found) & set(history)
    assert ask(history=history, k=2) == found[:2]
    assert ask(history=history, exclude=found[:1])[0] == found[1]
    assert ask(history=history, candidates=["shoe_0_(S)", found[2]]) == [found[2], "shoe_0_(S)"]
    assert ask(history=history, candidates=["nobody's"]) == []
    status, answer = service.post({"instances": [{}, {"history": ["nobody's"]}, {"history": history}]})
    assert status == 200
    assert answer["predictions"][0] == answer["predictions"][1]
    assert [warning["loc"][2] for warning in answer["warnings"]] == [0, 1]
    for wrong in ({"history": ["a hat"]}, {"history": "hat"}, {"k": 0}, {"k": 6}, {"k": 1.5}, {"history": ["x"] * 31}):
        status, answer = service.post({"instances": [wrong]})
        assert (status, answer["detail"][0]["loc"][3]) == (422, *wrong), wrong
