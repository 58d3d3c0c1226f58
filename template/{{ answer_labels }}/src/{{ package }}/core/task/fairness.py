"""What groups are compared by where labels are given: who gets the favourable one."""

import numpy as np
from numpy.typing import NDArray

from ... import schema
from ..contract.columns import Answer
from ..evaluation.measure import GroupMeasure, Target
from .answer import NAMES, decided

FAVOURABLE = str(getattr(schema, "FAVOURABLE", None))
POSITION = NAMES.index(FAVOURABLE) if FAVOURABLE in NAMES else 0


def _get(_: Target, answer: Answer) -> NDArray[np.float64]:
    got: NDArray[np.bool_] = decided(answer) == POSITION
    return got.astype(np.float64)


def _get_deserved(target: Target, answer: Answer) -> NDArray[np.float64]:
    return np.where(target == POSITION, _get(target, answer), np.nan)


MEASURES = {
    "opportunity": GroupMeasure(
        _get_deserved, is_share=True, meaning=f"Of the rows that are {FAVOURABLE}, the share that is decided so"
    ),
    "selection": GroupMeasure(_get, is_share=True, meaning=f"The share of rows that is decided {FAVOURABLE}"),
}
"""Equal opportunity (M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised learning", 2016), and
demographic parity, which demands errors where the groups differ in truth."""
