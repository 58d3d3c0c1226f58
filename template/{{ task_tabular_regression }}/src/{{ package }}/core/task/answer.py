"""The answer of a classifier: as JSON for a request, and as columns for batch, log and drift."""

from typing import Any

import msgspec
import numpy as np

from ...schema import LABELS
from ..contract.columns import Answer, Category, Column, Columns, Number

NAMES = tuple(str(label) for label in LABELS)
OUTPUTS: tuple[Column, ...] = (
    Category(name="label", values=NAMES),
    *(Number(name=f"probability_{name}", minimum=0, maximum=1) for name in NAMES),
)
"""The columns of an answer."""


class Prediction(msgspec.Struct, frozen=True):
    """The answer for one row."""

    label: str
    probabilities: dict[str, float]


def to_predictions(answer: Answer) -> list[Prediction]:
    """Return the prediction of each row."""
    probabilities = answer["probabilities"]
    best = probabilities.argmax(axis=1).tolist()
    return [
        Prediction(NAMES[i], dict(zip(NAMES, row, strict=True)))
        for i, row in zip(best, probabilities.tolist(), strict=True)
    ]


def outcome(prediction: Prediction) -> str:
    """Return under which of few words a prediction is counted."""
    return prediction.label


def flatten(answer: Answer) -> Columns:
    """Return an answer as the columns of `OUTPUTS`, shape (rows,) each."""
    return _columns(answer["probabilities"])


def unflatten(predictions: list[Prediction]) -> Columns:
    """Return predictions as the columns of `OUTPUTS`, shape (rows,) each."""
    return _columns(np.array([list(prediction.probabilities.values()) for prediction in predictions]))


def _columns(probabilities: np.ndarray[Any, Any]) -> Columns:
    labels = np.array(NAMES, dtype=object)[probabilities.argmax(axis=1)]
    return {"label": labels} | {f"probability_{name}": probabilities[:, i] for i, name in enumerate(NAMES)}
