"""What of an anomaly detector's answer is explained: the score."""

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from .answer import decided

ONLY_SUPPORTING = False
"""Whether only what raises the number is a reason: what lowers it tells why a row is not strange."""


def choose_output(_: Answer) -> str:
    """Return which of the columns of `OUTPUTS` is explained of the answer for one row."""
    return "score"


def differs(answers: Answer, answer: Answer) -> NDArray[np.bool_]:
    """Tell which answers, shape (rows,), are flagged where that for one row is not, or the other way round."""
    changed: NDArray[np.bool_] = decided(answers) != decided(answer)
    return changed
