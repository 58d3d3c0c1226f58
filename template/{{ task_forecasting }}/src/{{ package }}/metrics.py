"""What is measured on held-out rows, and the naive baseline that a model must beat."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .core.contract.columns import Answer
from .core.evaluation.measure import Examples, Metric, Target
from .core.task.answer import COVERAGE, QUANTILES
from .schema import HISTORY, HORIZON, SEASON

MISSES = 1 - COVERAGE
"""The share of values that may lie outside the outer quantiles."""


def _total(target: Target) -> float:
    return float(np.abs(target).sum()) or 1.0


def _quantile_loss(target: Target, answer: Answer) -> float:
    errors = [(quantile, target - answer[name]) for name, quantile in QUANTILES.items()]
    losses = [np.maximum(quantile * error, (quantile - 1) * error).sum() for quantile, error in errors]
    return float(2 * np.mean(losses) / _total(target))


def _absolute_error(target: Target, answer: Answer) -> float:
    return float(np.abs(target - answer["q50"]).sum() / _total(target))


def _bias(target: Target, answer: Answer) -> float:
    return float((answer["q50"] - target).sum() / _total(target))


def _covered(target: Target, answer: Answer) -> NDArray[Any]:
    inside = (answer["q10"] <= target) & (target <= answer["q90"])
    shares: NDArray[Any] = inside.mean(axis=1)
    return shares


METRICS: dict[str, Metric] = {
    "wql": Metric(
        _quantile_loss,
        higher_is_better=False,
        meaning="The weighted quantile loss: of all three quantiles together, as a share of the total.",
    ),
    "wape": Metric(
        _absolute_error, higher_is_better=False, meaning="The absolute error of the median, as a share of the total."
    ),
    "bias": Metric(
        _bias, higher_is_better=None, meaning="By how much the sum of the medians is too high, as a share of the total."
    ),
    "coverage": Metric(
        _covered,
        higher_is_better=None,
        meaning=f"The share of values between the outer quantiles, which is to be {COVERAGE:g}.",
        by_row=True,
        within=(1 - 1.5 * MISSES, 1 - 0.5 * MISSES),
        bounds=(0, 1),
    ),
}


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return the values of the season before (seasonal naive), and the quantiles of what these missed in training.

    What they missed counts relative to the level of the series, for each number of periods ahead.
    """
    (past, level), (again, scale) = _repeat(training), _repeat(held_out)
    missed = (training.target - past) / level
    around = {name: np.nanquantile(missed, quantile, axis=0) for name, quantile in QUANTILES.items()}
    return {name: again + scale * (0 if name == "q50" else by) for name, by in around.items()}


def _repeat(examples: Examples) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the newest known season again, shape (rows, horizon), and the level, shape (rows, 1).

    Where a value of it is not known, that of another season before stands for it, or else the newest one.
    """
    lags = np.column_stack([examples.columns[f"lag_{lag}"] for lag in range(1, HISTORY + 1)])
    again = np.full((len(lags), HORIZON), np.nan)
    for step in range(HORIZON):
        same_season = lags[:, (-step - 1) % SEASON :: SEASON]
        for values in reversed(same_season.T):
            again[:, step] = np.where(np.isfinite(values), values, again[:, step])
    level = np.nanmean(np.abs(lags[:, :SEASON]), axis=1, keepdims=True)
    return np.where(np.isfinite(again), again, lags[:, :1]), np.maximum(level, np.finfo(np.float32).tiny)


def tabulate(target: Target, answer: Answer) -> dict[str, list[dict[str, str | int | float]]]:
    """Return the error and the coverage for each number of periods ahead."""

    def measure(step: int) -> dict[str, str | int | float]:
        one = {name: values[:, step : step + 1] for name, values in answer.items()}
        values = {name: METRICS[name].value(target[:, step : step + 1], one) for name in ("wql", "wape", "coverage")}
        return {"periods ahead": step + 1, **values}

    return {"By horizon": [measure(step) for step in range(HORIZON)]}
