"""The figures that show what a regression is worth."""

import numpy as np
from matplotlib.figure import Figure

from ...schema import COVERAGE, TARGET
from ..contract.columns import Answer
from ..evaluation.measure import Examples, Target

MAX_POINTS = 2000
"""How many rows are drawn: an SVG file holds each of them."""


def draw(held_out: Examples, answer: Answer) -> dict[str, Figure]:
    """Return the predictions against what happened, the residuals and the coverage, by their titles."""
    target = held_out.target
    some = np.random.default_rng(0).permutation(len(target))[:MAX_POINTS]
    happened, predicted = target[some], answer["value"][some]
    return {
        "Predicted against actual": _draw_points(happened, predicted, "Actual", "Predicted", slope=1),
        "Residuals": _draw_points(predicted, happened - predicted, "Predicted", "Actual − predicted", slope=0),
        "Coverage": _draw_coverage(target, answer),
    }


def _draw_points(x: Target, y: Target, of_x: str, of_y: str, slope: int) -> Figure:
    """Draw points, and the line through the origin on which those of a perfect model lie."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.scatter(x, y, s=4, alpha=0.4)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, slope * ends, color="lightgrey")
    axes.set(xlabel=f"{of_x} {TARGET.name}", ylabel=f"{of_y} {TARGET.name}")
    return figure


def _draw_coverage(target: Target, answer: Answer) -> Figure:
    """Draw the share of rows inside their interval, for each tenth of the rows by their predicted value."""
    inside = (answer["low"] <= target) & (target <= answer["high"])
    tenths = np.array_split(np.argsort(answer["value"], kind="stable"), min(10, len(target)))
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(1, len(tenths) + 1), [inside[tenth].mean() for tenth in tenths])
    axes.axhline(COVERAGE, color="black", linestyle="dashed")
    axes.set(xlabel=f"Tenth of the rows, by predicted {TARGET.name}", ylabel="Share of rows inside their interval")
    return figure
