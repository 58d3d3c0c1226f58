"""The answer of an anomaly detector: as JSON for a request, and as columns for batch, log and drift."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer, Category, Column, Columns, Number

NAMES = ("false", "true")
OUTPUTS: tuple[Column, ...] = (
    Number(name="score", description="How strange the row is: higher is stranger", minimum=0, maximum=1),
    Category(name="is_anomaly", description="Whether the score reaches the threshold", values=NAMES),
)
"""The columns of an answer."""
THRESHOLD = 0.5
"""From which score on a row is flagged, where no alert budget is given."""


class Prediction(msgspec.Struct, frozen=True):
    """The answer for one row."""

    score: float
    is_anomaly: bool


def to_predictions(answer: Answer) -> list[Prediction]:
    """Return the prediction of each row."""
    return [Prediction(*row) for row in zip(answer["score"].tolist(), decided(answer).tolist(), strict=True)]


def decided(answer: Answer) -> NDArray[np.bool_]:
    """Tell which rows are flagged, shape (rows,)."""
    flagged: NDArray[np.bool_] = answer["score"] >= answer.get("threshold", THRESHOLD)
    return flagged


def outcome(prediction: Prediction) -> str:
    """Return under which of few words a prediction is counted."""
    return "anomaly" if prediction.is_anomaly else "normal"


def flatten(answer: Answer) -> Columns:
    """Return an answer as the columns of `OUTPUTS`, shape (rows,) each."""
    return {"score": answer["score"], "is_anomaly": np.array(NAMES, dtype=object)[decided(answer).astype(int)]}


def unflatten(predictions: list[Prediction]) -> Columns:
    """Return predictions as the columns of `OUTPUTS`, shape (rows,) each."""
    flagged = np.array([NAMES[prediction.is_anomaly] for prediction in predictions], dtype=object)
    return restore(predictions) | {"is_anomaly": flagged}


def restore(predictions: list[Prediction]) -> Answer:
    """Return the answer that predictions were made from, without the numbers that decide."""
    return {"score": np.array([prediction.score for prediction in predictions])}


def read_outcomes(outcomes: list[str]) -> NDArray[np.bool_]:
    """Return what happened, shape (rows,): whether each row is an anomaly."""
    return np.array([outcome == NAMES[1] for outcome in outcomes])
