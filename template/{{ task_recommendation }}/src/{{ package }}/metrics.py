"""What is measured on held-out users, and the naive baseline that a model must beat."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .core.contract.columns import Answer
from .core.evaluation.measure import Examples, Metric, Target
from .schema import TOP

K = 10
"""How many of the recommended items count."""


def find_hits(target: Target, items: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which recommended items, shape (rows, …), are among those that came next."""
    wanted = [set(text.split()) for text in target]
    rows = zip(items.tolist(), wanted, strict=True)
    return np.array([[item in came for item in row] for row, came in rows], dtype=bool).reshape(items.shape)


def count_shown(answer: Answer) -> NDArray[np.int64]:
    """Return how many users are shown each of the items that any is shown, the most frequent first."""
    shown = answer["items"][:, :K]
    counts: NDArray[np.int64] = np.unique(shown[shown != ""].astype(str), return_counts=True)[1]
    return np.sort(counts)[::-1]


def _sizes(target: Target) -> NDArray[np.int64]:
    return np.array([max(1, min(K, len(text.split()))) for text in target])


def _ndcg(target: Target, answer: Answer) -> NDArray[Any]:
    hits = find_hits(target, answer["items"][:, :K])
    weights = 1 / np.log2(np.arange(2, K + 2))
    gains: NDArray[Any] = hits @ weights[: hits.shape[1]] / np.cumsum(weights)[_sizes(target) - 1]
    return gains


def _recall(target: Target, answer: Answer) -> NDArray[Any]:
    found: NDArray[Any] = find_hits(target, answer["items"][:, :K]).sum(axis=1) / _sizes(target)
    return found


def _popularity(_: Target, answer: Answer) -> NDArray[Any]:
    shown = answer["items"][:, :K] != ""
    means: NDArray[Any] = (answer["popularity"][:, :K] * shown).sum(axis=1) / np.maximum(shown.sum(axis=1), 1)
    return means


METRICS: dict[str, Metric] = {
    f"ndcg_{K}": Metric(
        _ndcg,
        higher_is_better=True,
        meaning=f"How many of the next items are among the first {K}, the higher the better: 1 is perfect.",
        by_row=True,
        bounds=(0, 1),
    ),
    f"recall_{K}": Metric(
        _recall,
        higher_is_better=True,
        meaning=f"The share of the next items that is among the first {K}.",
        by_row=True,
        bounds=(0, 1),
    ),
    f"hit_rate_{K}": Metric(
        lambda target, answer: find_hits(target, answer["items"][:, :K]).any(axis=1),
        higher_is_better=True,
        meaning=f"The share of users who take at least one of the first {K} items next.",
        by_row=True,
        bounds=(0, 1),
    ),
    f"popularity_{K}": Metric(
        _popularity,
        higher_is_better=None,
        meaning=f"The mean share of the training users who have one of the first {K} items: the popularity bias.",
        by_row=True,
        bounds=(0, 1),
    ),
}


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return for each user the most popular items that are not in the history."""
    texts = zip(training.columns["history"], training.target, strict=True)
    users = [set(f"{known} {came}".split()) for known, came in texts]
    items, counts = np.unique([item for user in users for item in sorted(user)], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shares = dict(zip(items[order].tolist(), (counts[order] / training.rows).tolist(), strict=True))
    histories = [set(text.split()) for text in held_out.columns["history"]]
    rows = [[item for item in shares if item not in known][:TOP] for known in histories]
    told = np.array([[*row, *[""] * (TOP - len(row))] for row in rows], dtype=object)
    popularity = np.array([[shares.get(item, 0.0) for item in row] for row in told.tolist()])
    return {"items": told, "scores": popularity, "popularity": popularity}


def tabulate(target: Target, answer: Answer) -> dict[str, list[dict[str, str | int | float]]]:
    """Return how many items are shown at all: a bootstrap of such counts would be too low, so they have no interval."""
    counts = count_shown(answer)
    shown, came = set(answer["items"][:, :K].ravel().tolist()), {item for text in target for item in text.split()}
    return {
        "Coverage": [
            {"measure": "items that any user is shown", "value": len(counts)},
            {"measure": "share of the next items that any user is shown", "value": _share(came & shown, came)},
            {"measure": "share of all places that the ten items shown most take", "value": _top_share(counts)},
        ]
    }


def _share(some: set[str], everything: set[str]) -> float:
    return len(some) / max(1, len(everything))


def _top_share(counts: NDArray[np.int64]) -> float:
    return float(counts[:10].sum() / max(1, counts.sum()))
