"""The answer of a regression: as JSON for a request, and as columns for batch, log and drift."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schema import COVERAGE, TARGET
from ..contract.columns import Answer, Column, Columns, Number

SHARE = f"of the interval that holds {COVERAGE:.6g} of all rows"
OUTPUTS: tuple[Column, ...] = (
    Number(name="value", description=f"Prediction of {TARGET.name}"),
    Number(name="low", description=f"Lower end {SHARE}"),
    Number(name="high", description=f"Upper end {SHARE}"),
)
"""The columns of an answer."""
NAMES = [column.name for column in OUTPUTS]


class Prediction(msgspec.Struct, frozen=True):
    """The answer for one row: a value, and an interval that most often holds what happens."""

    value: float
    low: float
    high: float


def to_predictions(answer: Answer) -> list[Prediction]:
    """Return the prediction of each row."""
    return [Prediction(*row) for row in zip(*(answer[name].tolist() for name in NAMES), strict=True)]


def outcome(_: Prediction) -> str:
    """Return under which of few words a prediction is counted."""
    return "value"


def flatten(answer: Answer) -> Columns:
    """Return an answer as the columns of `OUTPUTS`, shape (rows,) each."""
    return answer


def unflatten(predictions: list[Prediction]) -> Columns:
    """Return predictions as the columns of `OUTPUTS`, shape (rows,) each."""
    rows = np.array([msgspec.structs.astuple(prediction) for prediction in predictions])
    return dict(zip(NAMES, rows.T, strict=True))


restore = unflatten
"""How an answer is got back from its predictions: it is the columns of `OUTPUTS`."""


def read_outcomes(outcomes: list[float]) -> NDArray[np.float64]:
    """Return what happened, shape (rows,)."""
    return np.array(outcomes, dtype=np.float64)
