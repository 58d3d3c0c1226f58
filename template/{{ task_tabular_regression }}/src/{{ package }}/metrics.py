"""What is measured on held-out rows, and the naive baseline that a model must beat."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .core.contract.columns import Answer
from .core.evaluation.measure import Examples, Metric, Target
from .schema import COVERAGE

MISSES = 1 - COVERAGE
"""The share of rows that may lie outside their interval."""


def _squared_error(target: Target, answer: Answer) -> NDArray[Any]:
    errors: NDArray[Any] = (target - answer.get("mean", answer["value"])) ** 2
    return errors


def _r2(target: Target, answer: Answer) -> float:
    variance = np.var(target)
    return float(1 - _squared_error(target, answer).mean() / variance) if variance else np.nan


def _absolute_error(target: Target, answer: Answer) -> NDArray[Any]:
    errors: NDArray[Any] = np.abs(target - answer["value"])
    return errors


def _rmse(target: Target, answer: Answer) -> float:
    return float(np.sqrt(_squared_error(target, answer).mean()))


def _interval_score(target: Target, answer: Answer) -> NDArray[Any]:
    """Return the score of each interval (T. Gneiting, A. Raftery, "Strictly proper scoring rules", 2007)."""
    low, high = answer["low"], answer["high"]
    beyond: NDArray[Any] = np.maximum(low - target, 0) + np.maximum(target - high, 0)
    return high - low + 2 / MISSES * beyond


def _covered(target: Target, answer: Answer) -> NDArray[np.bool_]:
    return (answer["low"] <= target) & (target <= answer["high"])


METRICS: dict[str, Metric] = {
    "r2": Metric(
        _r2, higher_is_better=True, meaning="The share of the variance that is explained: 0 is the mean, 1 is perfect."
    ),
    "mae": Metric(
        _absolute_error, higher_is_better=False, meaning="The mean error, in the unit of the target.", by_row=True
    ),
    "rmse": Metric(_rmse, higher_is_better=False, meaning="The same, where large errors weigh more."),
    "interval_score": Metric(
        _interval_score,
        higher_is_better=False,
        meaning="The mean width of the interval, and a penalty for each row outside it, in the unit of the target.",
        by_row=True,
    ),
    "coverage": Metric(
        _covered,
        higher_is_better=None,
        meaning=f"The share of rows inside their interval, which is to be {COVERAGE:g}.",
        by_row=True,
        within=(1 - 1.5 * MISSES, 1 - 0.5 * MISSES),
        bounds=(0, 1),
    ),
}


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return the answer without a model, for each metric the best that does not look at the inputs.

    That is the median of the target, and its quantiles; and where errors are squared, the mean.
    """
    value, low, high = np.quantile(training.target, [0.5, MISSES / 2, 1 - MISSES / 2])
    constants = {"value": value, "low": low, "high": high, "mean": training.target.mean()}
    return {name: np.full(held_out.rows, constant) for name, constant in constants.items()}
