"""How well a score ranks the rows that are looked for above all others."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Score = NDArray[np.floating[Any]]


def roc_auc(hit: NDArray[np.bool_], score: Score) -> float:
    """Return the area under the ROC curve: the share of pairs of a hit and a miss that are ranked right."""
    hits, misses = np.sort(score[hit]), np.sort(score[~hit])
    above, not_below = (np.searchsorted(misses, hits, side=side).sum() for side in ("left", "right"))
    return float((above + not_below) / 2 / (len(hits) * len(misses)))


def average_precision(hit: NDArray[np.bool_], score: Score) -> float:
    """Return the mean precision at the ranks of the hits, over all orders of equal scores.

    Were equal scores to share a threshold instead, a naive answer, whose scores are all equal, would be worth the share
    of hits, and one that is drawn at random more than that.
    """
    order = np.argsort(-score)
    first = np.flatnonzero(np.diff(score[order], prepend=np.nan))
    sizes = np.diff(first, append=len(order))
    hits = np.add.reduceat(hit[order].astype(np.float64), first)
    size, there, above = (np.repeat(of_ties, sizes) for of_ties in (sizes, hits, np.cumsum(hits) - hits))
    rank = np.arange(1, len(order) + 1)
    others = (rank - 1 - np.repeat(first, sizes)) * (there - 1) / np.maximum(size - 1, 1)
    return float(np.sum(there / size * (above + 1 + others) / rank) / hits.sum())
