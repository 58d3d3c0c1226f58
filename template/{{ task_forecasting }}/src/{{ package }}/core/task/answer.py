"""The answer of a forecast: as JSON for a request, and as columns for batch, log and drift."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schema import HORIZON, TARGET
from ..contract.columns import Answer, Column, Columns, Number

QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9}
"""The quantiles of the outputs, which are of shape (rows, horizon)."""
COVERAGE = 0.8
"""The share of values that are to lie between the outer two."""
OUTPUTS: tuple[Column, ...] = tuple(
    Number(name=f"{name}_{step}", description=f"Quantile {quantile:g} of {TARGET.name}, {step} ahead")
    for name, quantile in QUANTILES.items()
    for step in range(1, HORIZON + 1)
)
"""The columns of an answer."""


class Prediction(msgspec.Struct, frozen=True):
    """The answer for one row: three quantiles of each period of the horizon, the nearest first."""

    q10: list[float]
    q50: list[float]
    q90: list[float]


def to_predictions(answer: Answer) -> list[Prediction]:
    """Return the prediction of each row."""
    return [Prediction(*row) for row in zip(*(answer[name].tolist() for name in QUANTILES), strict=True)]


def outcome(_: Prediction) -> str:
    """Return under which of few words a prediction is counted."""
    return "forecast"


def flatten(answer: Answer) -> Columns:
    """Return an answer as the columns of `OUTPUTS`, shape (rows,) each."""
    steps = np.concatenate([answer[name] for name in QUANTILES], axis=1)
    return {column.name: steps[:, i] for i, column in enumerate(OUTPUTS)}


def restore(predictions: list[Prediction]) -> Answer:
    """Return an answer, shape (rows, horizon) each, from its predictions."""
    rows = np.array([msgspec.structs.astuple(prediction) for prediction in predictions])
    rows = rows.reshape(-1, len(QUANTILES), HORIZON)
    return {name: rows[:, i] for i, name in enumerate(QUANTILES)}


def unflatten(predictions: list[Prediction]) -> Columns:
    """Return predictions as the columns of `OUTPUTS`, shape (rows,) each."""
    return flatten(restore(predictions))


def read_outcomes(outcomes: list[str]) -> NDArray[Any]:
    """Return what happened, shape (rows, horizon), of lists as the labels hold them."""
    return np.array([msgspec.json.decode(values) for values in outcomes], dtype=np.float64)
