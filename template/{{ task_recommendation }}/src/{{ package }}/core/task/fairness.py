"""What groups are compared by where items are recommended: how well, and how popular the items are."""

import numpy as np
from numpy.typing import NDArray

from ...metrics import METRICS, K
from ..contract.columns import Answer
from ..evaluation.measure import GroupMeasure, Target


def _find(target: Target, answer: Answer) -> NDArray[np.float64]:
    return np.asarray(METRICS[f"recall_{K}"].function(target, answer), dtype=np.float64)


def _popular(target: Target, answer: Answer) -> NDArray[np.float64]:
    return np.asarray(METRICS[f"popularity_{K}"].function(target, answer), dtype=np.float64)


MEASURES = {
    "recall": GroupMeasure(_find, is_share=False, meaning=f"The share of the next items that is among the first {K}"),
    "popularity": GroupMeasure(_popular, is_share=False, meaning=f"How popular the first {K} items are"),
}
