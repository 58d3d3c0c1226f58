"""The figures that show what forecasts are worth."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...metrics import tabulate
from ...schema import FREQUENCY, HORIZON, SERIES, TARGET
from ..contract.columns import Answer
from ..evaluation.measure import Examples
from .answer import COVERAGE

PANELS = 6
STEPS = np.arange(1, HORIZON + 1)


def draw(held_out: Examples, answer: Answer) -> dict[str, Figure]:
    """Return some of the forecasts, and errors and coverage by the number of periods ahead, by their titles."""
    (steps,) = tabulate(held_out.target, answer).values()
    errors, shares = (np.array([step[name] for step in steps]) for name in ("wape", "coverage"))
    fans = {"Forecasts": _draw_fans(held_out, answer)} if SERIES in held_out.columns else {}
    return fans | {
        "Error by horizon": _draw_steps(errors, "Absolute error, as a share of the total"),
        "Coverage by horizon": _draw_steps(shares, "Share of values between q10 and q90", COVERAGE),
    }


def _draw_fans(held_out: Examples, answer: Answer) -> Figure:
    """Draw the held-out periods of some series of all sizes: what happened, the medians, and the outer quantiles."""
    names, rows = np.unique(held_out.columns[SERIES].astype(str), return_inverse=True)
    sizes = np.bincount(rows, weights=held_out.target.mean(axis=1)) / np.bincount(rows)
    chosen = np.argsort(sizes)[np.unique(np.linspace(0, len(names) - 1, PANELS).round().astype(int))]
    days = _find_days(held_out.columns["start"])
    figure = Figure(figsize=(9, 2.2 * len(chosen)), layout="constrained")
    for axes, number in zip(figure.subplots(len(chosen), squeeze=False)[:, 0], chosen, strict=True):
        mine = np.flatnonzero(rows == number)
        for row in mine:
            axes.fill_between(days[row], answer["q10"][row], answer["q90"][row], color="C0", alpha=0.3, linewidth=0)
            axes.plot(days[row], answer["q50"][row], color="C0", marker=".")
        in_order = np.argsort(days[mine], axis=None)
        happened = days[mine].ravel()[in_order], held_out.target[mine].ravel()[in_order]
        axes.plot(*happened, color="black", linewidth=0.8, marker=".")
        axes.set(title=names[number], ylabel=TARGET.name)
    axes.set(xlabel="The line is the median, the band is from q10 to q90, black is what happened")
    return figure


def _find_days(start: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the first day of each period of forecasts, shape (rows, horizon)."""
    days = pl.Series(start)
    return np.column_stack([days.dt.offset_by(f"{step}{FREQUENCY}").to_numpy() for step in range(HORIZON)])


def _draw_steps(values: NDArray[Any], meaning: str, line: float | None = None) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    axes.bar(STEPS, values)
    if line is not None:
        axes.axhline(line, color="black", linestyle="dashed")
    axes.set(xlabel="Periods ahead", ylabel=meaning, xticks=STEPS)
    return figure
