"""The figures that show what a classifier of images is worth."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...schema import INPUTS
from ..contract.columns import Answer, Image
from ..evaluation.measure import Examples
from . import curves
from .answer import NAMES, decided

MISTAKES = 12
"""How many mistakes are shown."""
SHOWN = [column.name for column in INPUTS if isinstance(column, Image) and column.shown]
"""The columns whose images may be seen by whoever has a bundle."""


def draw(held_out: Examples, answer: Answer) -> dict[str, Figure]:
    """Return the ROC curve, the calibration, the confusion, and, where they may be seen, the worst mistakes."""
    drawn = curves.draw(held_out, answer) | {"Confusion": _draw_confusion(held_out, answer)}
    wrong = _find_mistakes(held_out, answer)
    if SHOWN and len(wrong):
        drawn["Worst mistakes"] = _draw_images(held_out, answer, wrong)
    return drawn


def _find_mistakes(held_out: Examples, answer: Answer) -> NDArray[np.int64]:
    """Return the rows that are given a wrong label, those first whose own label seemed least probable."""
    wrong = np.flatnonzero(decided(answer) != held_out.target)
    said = answer["probabilities"][wrong, held_out.target[wrong]]
    chosen: NDArray[np.int64] = wrong[np.argsort(said, kind="stable")][:MISTAKES]
    return chosen


def _draw_confusion(held_out: Examples, answer: Answer) -> Figure:
    counts = np.zeros((len(NAMES), len(NAMES)), dtype=np.int64)
    np.add.at(counts, (held_out.target, decided(answer)), 1)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    for (actual, called), count in np.ndenumerate(counts):
        if count:
            axes.text(
                called, actual, str(count), ha="center", va="center", color="white" if actual == called else "black"
            )
    axes.set(xlabel="Decided", ylabel="Actual", title="Confusion")
    axes.set_xticks(range(len(NAMES)), NAMES, rotation=90 if max(map(len, NAMES)) > 2 else 0)
    axes.set_yticks(range(len(NAMES)), NAMES)
    return figure


def _draw_images(held_out: Examples, answer: Answer, rows: NDArray[np.int64]) -> Figure:
    called, pictures = decided(answer), held_out.columns[SHOWN[0]]
    figure = Figure(figsize=(6, 5), layout="constrained")
    for place, axes in enumerate(figure.subplots(3, 4).flat):
        axes.axis("off")
        if place < len(rows):
            row = rows[place]
            axes.imshow(pictures[row].pixels, cmap="grey", vmin=0, vmax=255)
            axes.set_title(f"{NAMES[held_out.target[row]]}, not {NAMES[called[row]]}", fontsize=9)
    figure.suptitle("Worst mistakes")
    return figure
