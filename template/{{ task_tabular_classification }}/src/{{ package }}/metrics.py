"""What is measured on held-out rows: numbers, and the plots that go with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, roc_curve

from .schema import LABELS

Target = NDArray[np.int64]
Probabilities = NDArray[np.floating[Any]]

WATCHED = range(1, 2) if len(LABELS) == 2 else range(len(LABELS))
"""The positions of the labels that metrics are about: the second of two, or each of several against the others."""


class Metric(msgspec.Struct, frozen=True):
    """A function of the target, shape (rows,), and probabilities, shape (rows, labels)."""

    function: Callable[[Target, Probabilities], float]
    higher_is_better: bool
    meaning: str

    def gain(self, target: Target, new: Probabilities, old: Probabilities) -> float:
        """Return by how much the new probabilities are better; negative if they are worse."""
        difference = self.function(target, new) - self.function(target, old)
        return difference if self.higher_is_better else -difference


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
        _mean_over_labels(_roc_auc),
        higher_is_better=True,
        meaning="How often a row that has the label is ranked above one that has not: 0.5 is chance, 1 is perfect.",
    ),
    "average_precision": Metric(
        _mean_over_labels(average_precision_score),
        higher_is_better=True,
        meaning="The mean share of hits among the rows ranked highest; chance is the share of the label in the data.",
    ),
    "log_loss": Metric(
        _log_loss, higher_is_better=False, meaning="How surprised the model is by what happened: 0 is never."
    ),
    "brier": Metric(
        _brier, higher_is_better=False, meaning="The squared distance between probabilities and what happened."
    ),
    "accuracy": Metric(
        _accuracy, higher_is_better=True, meaning="The share of rows whose most probable label is the right one."
    ),
}


def naive(target: Target, rows: int) -> Probabilities:
    """Return what one would say without a model, shape (rows, labels): how frequent each label is."""
    return np.tile(np.bincount(target, minlength=len(LABELS)) / len(target), (rows, 1))


def plot(target: Target, probabilities: Probabilities, importances: dict[str, float], folder: Path) -> None:
    """Draw the ROC curve, the calibration and the importances as SVG files; the same input gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "plots", "axes.spines.top": False, "axes.spines.right": False}):
        figures = {
            "roc": _plot_roc(target, probabilities),
            "calibration": _plot_calibration(target, probabilities),
            "importances": _plot_importances(importances),
        }
        for name, figure in figures.items():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def _plot_roc(target: Target, probabilities: Probabilities) -> Figure:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="lightgrey", label="chance")
    for i in WATCHED:
        false_positives, true_positives, _ = roc_curve(target == i, probabilities[:, i])
        axes.plot(false_positives, true_positives, label=LABELS[i])
    axes.set(xlabel="Share of the others that are found too", ylabel="Share of the label that is found", title="ROC")
    axes.legend()
    return figure


def _plot_calibration(target: Target, probabilities: Probabilities) -> Figure:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="lightgrey", label="perfect")
    for i in WATCHED:
        happened, said = calibration_curve(target == i, probabilities[:, i], n_bins=8, strategy="quantile")
        axes.plot(said, happened, marker="o", label=LABELS[i])
    axes.set(xlabel="Probability that the model gives", ylabel="Share that it happened", title="Calibration")
    axes.legend()
    return figure


def _plot_importances(importances: dict[str, float]) -> Figure:
    top = sorted(importances.items(), key=lambda item: item[1])[-15:]
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    axes.barh([name for name, _ in top], [value for _, value in top])
    axes.set(xlabel="Loss when the column is shuffled", title="Importance")
    return figure
