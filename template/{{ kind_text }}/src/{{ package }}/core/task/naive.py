"""The naive baseline of a classifier of texts: one keyword for each label."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ...features import features
from ...schema import FEATURES, LABELS
from ..contract.columns import Answer
from ..evaluation.measure import Examples
from .words import find_words


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return how frequent each label is among the training rows that have the same keywords."""
    texts = _split(training)
    shares = np.bincount(training.target, minlength=len(LABELS)) / training.rows
    keywords = {_find_keyword(texts, training.target == i) for i in range(len(LABELS))}
    counts: dict[frozenset[str], NDArray[np.float64]] = {}
    for words, label in zip(texts, training.target, strict=True):
        counts.setdefault(words & keywords, shares.copy())[label] += 1  # a row beside them that has every label in part
    found = np.array([counts.get(words & keywords, shares) for words in _split(held_out)])
    return {"probabilities": found / found.sum(axis=1, keepdims=True)}


def _split(examples: Examples) -> list[frozenset[str]]:
    return [frozenset(text.split()) for text in features(examples.columns)[find_words(FEATURES)]]


def _find_keyword(texts: list[frozenset[str]], chosen: NDArray[np.bool_]) -> str:
    """Return the word that most of the chosen texts have and fewest of the others, by the difference of the shares."""
    inside, outside = Counter[str](), Counter[str]()
    for words, inner in zip(texts, chosen, strict=True):
        (inside if inner else outside).update(words)
    rows, others = (max(1, int(np.count_nonzero(some))) for some in (chosen, ~chosen))
    return max(sorted(inside), key=lambda word: inside[word] / rows - outside[word] / others, default="")
