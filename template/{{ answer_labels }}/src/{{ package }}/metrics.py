"""What is measured on held-out rows, and the naive baseline that a model must beat."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .core.contract.columns import Answer
from .core.evaluation.measure import Metric, Target, pool
from .core.evaluation.ranking import average_precision, roc_auc
from .core.task.answer import decided
from .core.task.decision import decide, tabulate, weigh
from .core.task.naive import naive
from .schema import LABELS

__all__ = ["METRICS", "WATCHED", "decide", "naive", "tabulate", "weigh"]

Probabilities = NDArray[np.floating[Any]]

WATCHED = range(1, 2) if len(LABELS) == 2 else range(len(LABELS))
"""The positions of the labels that metrics are about: the second of two, or each of several against the others."""


def _of(score: Callable[[Target, Probabilities], Any]) -> Callable[[Target, Answer], Any]:
    return lambda target, answer: score(target, answer["probabilities"])


def _mean_over_labels(score: Callable[[NDArray[np.bool_], Probabilities], float]) -> Callable[..., float]:
    def mean(target: Target, probabilities: Probabilities) -> float:
        present = [i for i in WATCHED if 0 < np.count_nonzero(target == i) < len(target)]
        return float(np.mean([score(target == i, probabilities[:, i]) for i in present])) if present else np.nan

    return mean


def _log_loss(target: Target, probabilities: Probabilities) -> NDArray[np.floating[Any]]:
    happened = np.take_along_axis(probabilities, target[:, None], axis=1)[:, 0]
    return -np.log(np.clip(happened, 1e-7, 1))


def _brier(target: Target, probabilities: Probabilities) -> NDArray[np.floating[Any]]:
    distance: NDArray[np.floating[Any]] = np.sum((probabilities - np.eye(len(LABELS))[target]) ** 2, axis=1)
    return distance


def _is_right(target: Target, answer: Answer) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = target == decided(answer)
    return right


def _rows_that_count(target: Target) -> int:
    """Return on how many rows a mean over labels turns: a ranking is as sure as its smaller side has rows."""
    counts = np.bincount(target, minlength=len(LABELS))[list(WATCHED)]
    return pool(np.minimum(counts, len(target) - counts))


METRICS: dict[str, Metric] = {
    "roc_auc": Metric(
        _of(_mean_over_labels(roc_auc)),
        higher_is_better=True,
        meaning="How often a row that has the label is ranked above one that has not: 0.5 is chance, 1 is perfect.",
        bounds=(0, 1),
        trials=_rows_that_count,
    ),
    "average_precision": Metric(
        _of(_mean_over_labels(average_precision)),
        higher_is_better=True,
        meaning="The mean share of hits among the rows ranked highest; chance is the share of the label in the data.",
        bounds=(0, 1),
        trials=_rows_that_count,
    ),
    "log_loss": Metric(
        _of(_log_loss),
        higher_is_better=False,
        meaning="How surprised the model is by what happened: 0 is never.",
        by_row=True,
    ),
    "brier": Metric(
        _of(_brier),
        higher_is_better=False,
        meaning="The squared distance between probabilities and what happened.",
        by_row=True,
        bounds=(0, 2),
    ),
    "accuracy": Metric(
        _is_right,
        higher_is_better=True,
        meaning="The share of rows that are given the right label.",
        by_row=True,
        bounds=(0, 1),
    ),
}
