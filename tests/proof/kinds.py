"""The pairs of task and framework that the template offers, each of which is proven by itself."""

from __future__ import annotations

from collections.abc import Mapping

from tests.conftest import ROOT
from tests.template.combinations import Answer, Template

DECISIVE = ("task", "framework")
"""The questions that decide which code runs: every pair of their choices is proven."""

BARE: Mapping[str, Answer] = {"deploy": "none", "ci": "none"}
"""What is around the code is proven elsewhere: it is the same for every pair, and the code is the same without it."""

NOTEBOOK: Mapping[str, Answer] = {"notebooks": "jupyter"}
"""What is proven beside each pair: the notebook reads what the pair has made. It adds files and packages, no code."""

VARIED = (*DECISIVE, *NOTEBOOK)
"""All questions whose answers the proof of the pairs varies."""

Kind = Mapping[str, Answer]


def kinds() -> list[Kind]:
    """Return each combination of task and framework that the template offers."""
    answers = [{name: c.answers[name] for name in DECISIVE} for c in Template(ROOT).combinations]
    return [kind for i, kind in enumerate(answers) if kind not in answers[:i]]


def name_of(kind: Kind) -> str:
    """Return what a pair is called."""
    return "-".join(map(str, kind.values()))


KINDS = kinds()
NAMES = {name_of(kind): kind for kind in KINDS}
