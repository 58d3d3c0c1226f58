"""What is measured on held-out rows, and the naive baseline that a model must beat."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from .core.contract.columns import Answer
from .core.evaluation.measure import Examples, Metric, Target
from .schema import LABELS

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


def _roc_auc(hit: NDArray[np.bool_], score: Probabilities) -> float:
    """Return the area under the ROC curve, from ranks: the bootstrap needs it thousands of times."""
    hits = np.count_nonzero(hit)
    return float((rankdata(score)[hit].sum() - hits * (hits + 1) / 2) / (hits * (len(hit) - hits)))


def _log_loss(target: Target, probabilities: Probabilities) -> float:
    happened = np.take_along_axis(probabilities, target[:, None], axis=1)
    return float(-np.log(np.clip(happened, 1e-7, 1)).mean())


def _brier(target: Target, probabilities: Probabilities) -> float:
    return float(np.mean(np.sum((probabilities - np.eye(len(LABELS))[target]) ** 2, axis=1)))


def _accuracy(target: Target, probabilities: Probabilities) -> float:
    return float(np.mean(target == probabilities.argmax(axis=1)))


METRICS: dict[str, Metric] = {
    "roc_auc": Metric(
        _of(_mean_over_labels(_roc_auc)),
        higher_is_better=True,
        meaning="How often a row that has the label is ranked above one that has not: 0.5 is chance, 1 is perfect.",
    ),
    "average_precision": Metric(
        _of(_mean_over_labels(average_precision_score)),
        higher_is_better=True,
        meaning="The mean share of hits among the rows ranked highest; chance is the share of the label in the data.",
    ),
    "log_loss": Metric(
        _of(_log_loss), higher_is_better=False, meaning="How surprised the model is by what happened: 0 is never."
    ),
    "brier": Metric(
        _of(_brier), higher_is_better=False, meaning="The squared distance between probabilities and what happened."
    ),
    "accuracy": Metric(
        _of(_accuracy), higher_is_better=True, meaning="The share of rows whose most probable label is the right one."
    ),
}


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return the answer without a model: how frequent each label is."""
    shares = np.bincount(training.target, minlength=len(LABELS)) / training.rows
    return {"probabilities": np.tile(shares, (held_out.rows, 1))}
