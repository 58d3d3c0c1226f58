"""The model: built, fitted, searched and exported.

EASE: one weight for each pair of items, by ridge regressions of each item on all others, in closed form (H. Steck,
"Embarrassingly shallow autoencoders for sparse data", 2019). A score is the sum of the weights of the history's items,
and of a little popularity, which alone ranks where nothing is known of a user. Memory and the size of the bundle grow
with the square of the number of items: a thousand take 4 MB, twenty thousand 1.6 GB.
"""

from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import onnx
import optuna
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from .core.contract.columns import Answer, Columns
from .core.training.fitting import Fit
from .core.training.scoring import build_graph, rank, round_exactly
from .schema import FEATURES

POSITIONS = [feature.name for feature in FEATURES if feature.matrix == "texts"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`."""

    penalty: Annotated[float, msgspec.Meta(gt=0)]
    popularity: Annotated[float, msgspec.Meta(ge=0)]
    min_users: Annotated[int, msgspec.Meta(ge=1)]
    max_items: Annotated[int, msgspec.Meta(ge=1)]


class Model(NamedTuple):
    """The items, the most popular first; the weight of each for each other, shape (items, items); and their shares."""

    settings: Settings
    items: list[str]
    weights: NDArray[np.float32]
    prior: NDArray[np.float32]
    popularity: NDArray[np.float32]


def build(params: dict[str, Any], _: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError: the parameters are not as they must be.
    """
    nothing = np.zeros(0, dtype=np.float32)
    return Model(msgspec.convert(params, Settings), [], nothing.reshape(0, 0), nothing, nothing)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to all items of the training users.

    Raises:
        ValueError: no item is of enough users.
    """
    settings = model.settings
    texts = [f"{known} {came}" for known, came in zip(work.features["history"], work.target, strict=True)]
    counter = CountVectorizer(
        tokenizer=str.split,
        token_pattern=None,
        lowercase=False,
        binary=True,
        dtype=np.float64,
        min_df=min(settings.min_users, len(texts)),
        max_features=settings.max_items,
    )
    taken = counter.fit_transform(texts)  # shape (users, items)
    counts = np.asarray(taken.sum(axis=0)).ravel()
    order = np.argsort(-counts, kind="stable")  # of equal scores the more popular item comes first
    taken = taken[:, order]
    inverse = np.linalg.inv((taken.T @ taken).toarray() + settings.penalty * np.eye(len(order)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    shares = counts[order] / len(texts)
    return Model(
        settings,
        counter.get_feature_names_out()[order].tolist(),
        *round_exactly(weights, settings.popularity * shares),
        shares.astype(np.float32),
    )


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows, TOP) each, as the model itself gives it: what the export must equal."""
    history, exclude, candidates = (_count(model, columns[name]) for name in ("history", "exclude", "candidates"))
    anything = np.array([bool(text.split()) for text in columns["candidates"]])[:, None]
    barred = (history + exclude > 0) | (anything & (candidates == 0))
    scores = history @ model.weights + model.prior
    return rank(model.items, model.popularity, scores, barred, columns["k"])


def _count(model: Model, texts: NDArray[Any]) -> NDArray[np.float32]:
    """Return whether each item is there, shape (rows, items)."""
    positions = {item: i for i, item in enumerate(model.items)}
    found = np.zeros((len(texts), len(model.items)), dtype=np.float32)
    for row, text in enumerate(texts):
        found[row, [positions[item] for item in text.split() if item in positions]] = 1
    return found


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    numbers = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
    return build_graph(model.items, model.weights, model.prior, model.popularity, numbers, POSITIONS)


def describe(model: Model) -> dict[str, list[dict[str, str | int | float]]]:
    """Return for the model card which items are known, and the strongest weights."""
    weights = np.where(np.isfinite(model.weights), model.weights, 0)
    places = np.argsort(-weights, axis=None, kind="stable")[:10]
    known, other = np.unravel_index(places, weights.shape)
    return {
        "Items": [{"measure": "items that can be recommended", "value": len(model.items)}],
        "Strongest weights": [
            {"who has": model.items[i], "gets": model.items[j], "weight": float(weights[i, j])}
            for i, j in zip(known.tolist(), other.tolist(), strict=True)
        ],
    }


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return params | {
        "penalty": trial.suggest_float("penalty", 1, 5000, log=True),
        "popularity": trial.suggest_float("popularity", 1e-4, 1, log=True),
    }
