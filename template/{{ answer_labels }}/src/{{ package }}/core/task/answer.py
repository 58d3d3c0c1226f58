"""The answer of a classifier: as JSON for a request, and as columns for batch, log and drift."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

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
    return [
        Prediction(NAMES[i], dict(zip(NAMES, row, strict=True)))
        for i, row in zip(decided(answer).tolist(), answer["probabilities"].tolist(), strict=True)
    ]


def decided(answer: Answer) -> NDArray[np.int64]:
    """Return the position of each row's label, shape (rows,).

    Where the model has a threshold, that is the second label from this probability on; else the most probable one.
    """
    if "threshold" in answer:
        return (answer["probabilities"][:, 1] >= answer["threshold"]).astype(np.int64)
    best: NDArray[np.int64] = answer["probabilities"].argmax(axis=1)
    return best


def outcome(prediction: Prediction) -> str:
    """Return under which of few words a prediction is counted."""
    return prediction.label


def flatten(answer: Answer) -> Columns:
    """Return an answer as the columns of `OUTPUTS`, shape (rows,) each."""
    return _columns(np.array(NAMES, dtype=object)[decided(answer)], answer["probabilities"])


def unflatten(predictions: list[Prediction]) -> Columns:
    """Return predictions as the columns of `OUTPUTS`, shape (rows,) each."""
    labels = np.array([prediction.label for prediction in predictions], dtype=object)
    return _columns(labels, restore(predictions)["probabilities"])


def restore(predictions: list[Prediction]) -> Answer:
    """Return the answer that predictions were made from, without the numbers that decide."""
    return {"probabilities": np.array([list(prediction.probabilities.values()) for prediction in predictions])}


def read_outcomes(outcomes: list[str]) -> NDArray[np.int64]:
    """Return what happened, shape (rows,), as positions in `LABELS`."""
    return np.array([NAMES.index(outcome) for outcome in outcomes])


def _columns(labels: NDArray[Any], probabilities: NDArray[Any]) -> Columns:
    return {"label": labels} | {f"probability_{name}": probabilities[:, i] for i, name in enumerate(NAMES)}


def lacking_in(target: NDArray[np.int64]) -> list[str]:
    """Return the labels that no row has, of their positions in `LABELS`, shape (rows,)."""
    return [name for i, name in enumerate(NAMES) if i not in target]
