"""What every task has in common where models are measured: examples, answers and metrics."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer, Columns

Target = NDArray[Any]
"""What happened, shape (rows, …)."""
Rows = NDArray[np.int64]
"""Positions of rows."""


class Examples(msgspec.Struct, frozen=True):
    """Rows with what happened.

    `units` numbers what was drawn independently, shape (rows,): rows of one unit belong together, so chance is drawn by
    unit. `validation` marks the training rows that a framework may stop early by, shape (rows,).
    """

    columns: Columns
    audit: Columns
    target: Target
    units: NDArray[np.int64]
    validation: NDArray[np.bool_]
    weights: NDArray[np.float64] | None = None

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        return len(self.target)


def take(arrays: Columns, rows: Rows) -> Columns:
    """Return some of the rows."""
    return {name: array[rows] for name, array in arrays.items()}


def choose(examples: Examples, rows: Rows) -> Examples:
    """Return some of the examples."""
    return Examples(
        columns=take(examples.columns, rows),
        audit=take(examples.audit, rows),
        target=examples.target[rows],
        units=examples.units[rows],
        validation=examples.validation[rows],
        weights=None if examples.weights is None else examples.weights[rows],
    )


class GroupMeasure(msgspec.Struct, frozen=True):
    """What groups of rows are compared by: the mean of a number of each row, which is NaN where the row does not count.

    Where it `is_share`, the numbers are zeros and ones.
    """

    function: Callable[[Target, Answer], NDArray[Any]]
    is_share: bool
    meaning: str


def pool(trials: NDArray[np.int64]) -> int:
    """Return of how many trials one proportion would be as sure as the mean of several is, without those of no trials.

    Nothing is assumed of how they depend on each other: standard deviations, which fall with the root of the trials,
    add at most. So a proportion of few trials makes the mean less sure only as far as it is a part of it.
    """
    present = trials[trials > 0]
    return round(float(len(present) / np.sum(present**-0.5)) ** 2) if len(present) else 0


class Metric(msgspec.Struct, frozen=True):
    """A function of the target and an answer: of all rows or, where it is `by_row`, of each, whose mean counts.

    Where neither higher nor lower is better, `higher_is_better` is None, and the gate cannot compare two models by it.
    `within` is the range that it must be in for any model to pass the gate.
    `bounds` are the least and the greatest value that it can have, where it has them; `trials` tells from the target
    how many rows it turns on, if not on all of them.
    """

    function: Callable[[Target, Answer], Any]
    higher_is_better: bool | None
    meaning: str
    by_row: bool = False
    within: tuple[float, float] | None = None
    bounds: tuple[float, float] | None = None
    trials: Callable[[Target], int] = len

    def value(self, target: Target, answer: Answer) -> float:
        """Return the metric of all rows."""
        return self.statistic(target, answer)(np.arange(len(target)))

    def statistic(self, target: Target, answer: Answer) -> Callable[[Rows], float]:
        """Return a function that gives the metric of some rows."""
        if self.by_row:
            values = self.function(target, answer)
            return lambda rows: float(values[rows].mean())
        return lambda rows: float(self.function(target[rows], take(answer, rows)))

    def gain(self, target: Target, new: Answer, old: Answer) -> Callable[[Rows], float]:
        """Return a function that gives by how much the new answer is better on some rows; negative if it is worse."""
        ours, theirs = self.statistic(target, new), self.statistic(target, old)
        sign = 1 if self.higher_is_better else -1
        return lambda rows: sign * (ours(rows) - theirs(rows))
