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
    """Return the precision at each threshold, weighted by the recall that is gained there."""
    order = np.argsort(score)[::-1]
    ranked, hits = score[order], np.cumsum(hit[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # equal scores share a threshold
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(recall[::-1], append=0) * -precision[::-1]))
