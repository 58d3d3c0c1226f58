"""What of a classifier's answer is explained: the probability of the label that the row is given."""

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from .answer import NAMES, decided

ONLY_SUPPORTING = True
"""Whether only what raises the number is a reason: it is what speaks for the label."""


def choose_output(answer: Answer) -> str:
    """Return which of the columns of `OUTPUTS` is explained of the answer for one row."""
    return f"probability_{NAMES[int(decided(answer)[0])]}"


def differs(answers: Answer, answer: Answer) -> NDArray[np.bool_]:
    """Tell which answers, shape (rows,), decide otherwise than that for one row."""
    changed: NDArray[np.bool_] = decided(answers) != decided(answer)
    return changed
