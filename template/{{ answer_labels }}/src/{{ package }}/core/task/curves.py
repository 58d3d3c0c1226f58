"""The curves that show what a classifier is worth."""

from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_curve

from ...metrics import WATCHED
from ..contract.columns import Answer
from ..evaluation.measure import Examples, Target
from .answer import NAMES


def draw(held_out: Examples, answer: Answer) -> dict[str, Figure]:
    """Return the ROC curve and the calibration, by their titles."""
    target, probabilities = held_out.target, answer["probabilities"]
    return {"ROC": _draw_roc(target, probabilities), "Calibration": _draw_calibration(target, probabilities)}


def _measured(target: Target) -> list[int]:
    """Return the positions of the labels that some row has."""
    return [i for i in WATCHED if i in target]


def _draw_roc(target: Target, probabilities: NDArray[Any]) -> Figure:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="lightgrey", label="chance")
    for i in _measured(target):
        false_positives, true_positives, _ = roc_curve(target == i, probabilities[:, i])
        axes.plot(false_positives, true_positives, label=NAMES[i])
    axes.set(xlabel="False positive rate", ylabel="True positive rate", title="ROC")
    axes.legend()
    return figure


def _draw_calibration(target: Target, probabilities: NDArray[Any]) -> Figure:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="lightgrey", label="perfect")
    for i in _measured(target):
        happened, said = calibration_curve(target == i, probabilities[:, i], n_bins=8, strategy="quantile")
        axes.plot(said, happened, marker="o", label=NAMES[i])
    axes.set(xlabel="Predicted probability", ylabel="Observed frequency", title="Calibration")
    axes.legend()
    return figure
