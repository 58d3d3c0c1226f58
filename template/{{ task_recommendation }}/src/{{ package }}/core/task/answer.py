"""The answer of a recommender: as JSON for a request, and as columns for batch, log and drift."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schema import TOP
from ..contract.columns import Answer, Column, Columns, Items, Number

OUTPUTS: tuple[Column, ...] = (
    Items(name="items", description="The recommended items, the best first", max_items=TOP, counted=False),
    Items(name="scores", description="Their scores", max_items=TOP, counted=False),
    Number(name="score", description="The score of the first item"),
    Number(name="popularity", description="The share of the training users who have the first item"),
)
"""The columns of an answer."""


class Item(msgspec.Struct, frozen=True):
    """A recommended item, its score, and the share of the training users who have it."""

    item: str
    score: float
    popularity: float


class Prediction(msgspec.Struct, frozen=True):
    """The answer for one row: the best item first, and fewer than asked for where no more are left."""

    items: list[Item]


def to_predictions(answer: Answer) -> list[Prediction]:
    """Return the prediction of each row."""
    rows = zip(*(answer[name].tolist() for name in ("items", "scores", "popularity")), strict=True)
    return [Prediction([Item(*one) for one in zip(*row, strict=True) if one[0]]) for row in rows]


def outcome(prediction: Prediction) -> str:
    """Return under which of few words a prediction is counted."""
    return "recommended" if prediction.items else "nothing left"


def flatten(answer: Answer) -> Columns:
    """Return an answer as the columns of `OUTPUTS`, shape (rows,) each."""
    items, scores = answer["items"], answer["scores"]
    told = zip(items.tolist(), scores.tolist(), strict=True)
    texts = [" ".join(f"{score:.6g}" for item, score in zip(*row, strict=True) if item) for row in told]
    return {
        "items": np.array([" ".join(filter(None, row)) for row in items.tolist()], dtype=object),
        "scores": np.array(texts, dtype=object),
        "score": scores[:, 0],
        "popularity": answer["popularity"][:, 0],
    }


def restore(predictions: list[Prediction]) -> Answer:
    """Return an answer, shape (rows, TOP) each, from its predictions; what is not there is "" and 0."""
    answer: Answer = {"items": np.full((len(predictions), TOP), "", dtype=object)}
    answer |= {name: np.zeros((len(predictions), TOP)) for name in ("scores", "popularity")}
    for row, prediction in enumerate(predictions):
        for place, item in enumerate(prediction.items[:TOP]):
            answer["items"][row, place] = item.item
            answer["scores"][row, place], answer["popularity"][row, place] = item.score, item.popularity
    return answer


def unflatten(predictions: list[Prediction]) -> Columns:
    """Return predictions as the columns of `OUTPUTS`, shape (rows,) each."""
    return flatten(restore(predictions))


def read_outcomes(outcomes: list[str]) -> NDArray[Any]:
    """Return what happened, shape (rows,): the items that came next, as texts."""
    return np.array(outcomes, dtype=object)
