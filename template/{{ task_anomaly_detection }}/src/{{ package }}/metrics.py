"""What is measured on held-out rows, and the naive baseline that a model must beat."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .core.contract.columns import Answer
from .core.evaluation.measure import Examples, Metric, Target
from .core.evaluation.ranking import average_precision, roc_auc
from .core.task.answer import decided
from .core.task.decision import decide, tabulate

__all__ = ["METRICS", "decide", "naive", "tabulate"]

LARGE = 3
"""So many standard deviations from the mean, a number is large: the naive baseline flags its row."""


def _of(rank: Callable[[NDArray[np.bool_], NDArray[Any]], float]) -> Callable[[Target, Answer], float]:
    return lambda target, answer: rank(target, answer["score"]) if target.any() and not target.all() else np.nan


def _precision(target: Target, answer: Answer) -> float:
    flagged = decided(answer)
    return float(target[flagged].mean()) if flagged.any() else 0.0


def _recall(target: Target, answer: Answer) -> float:
    return float(decided(answer)[target].mean()) if target.any() else np.nan


def _rarer(target: Target) -> int:
    """Return how many rows a ranking turns on: it is as sure as its smaller side has rows."""
    return int(min(np.count_nonzero(target), np.count_nonzero(~target)))


METRICS: dict[str, Metric] = {
    "average_precision": Metric(
        _of(average_precision),
        higher_is_better=True,
        meaning="The mean share of anomalies among the rows ranked highest; chance is their share in the data.",
        bounds=(0, 1),
        trials=_rarer,
    ),
    "roc_auc": Metric(
        _of(roc_auc),
        higher_is_better=True,
        meaning="How often an anomaly is ranked above a normal row: 0.5 is chance, 1 is perfect.",
        bounds=(0, 1),
        trials=_rarer,
    ),
    "precision": Metric(
        _precision,
        higher_is_better=None,  # each threshold trades it against recall
        meaning="Of the rows that are flagged, the share that are anomalies; 0 if none is flagged.",
        bounds=(0, 1),
        trials=_rarer,
    ),
    "recall": Metric(
        _recall,
        higher_is_better=None,
        meaning="Of the anomalies, the share that are flagged.",
        bounds=(0, 1),
        trials=np.count_nonzero,
    ),
    "alert_rate": Metric(
        lambda _, answer: decided(answer),
        higher_is_better=None,
        meaning="The share of rows that are flagged, for which `decision.alert_budget` is planned.",
        by_row=True,
        bounds=(0, 1),
    ),
}


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return the answer without a model: how many standard deviations a row's furthest number is from its mean.

    The score grows with it from 0 to 1, and is 0.5 where that is `LARGE`.
    """
    furthest = np.zeros(held_out.rows)
    for name, values in held_out.columns.items():
        known = training.columns[name]
        known = known[np.isfinite(known)] if known.dtype.kind == "f" else np.empty(0)
        if len(known) and known.std() > 0:
            furthest = np.fmax(furthest, np.abs(values - known.mean()) / known.std())
    return {"score": furthest / (furthest + LARGE)}
