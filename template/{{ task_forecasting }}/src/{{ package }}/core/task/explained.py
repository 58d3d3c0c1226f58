"""What of a forecast is explained: the median of the first period."""

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer

ONLY_SUPPORTING = False
"""Whether only what raises the number is a reason: what lowers it is one as well."""


def choose_output(_: Answer) -> str:
    """Return which of the columns of `OUTPUTS` is explained of the answer for one row."""
    return "q50_1"


def differs(answers: Answer, answer: Answer) -> NDArray[np.bool_]:
    """Tell which answers, shape (rows,), have a median outside of the outer quantiles of that for one row."""
    medians = answers["q50"]
    outside: NDArray[np.bool_] = np.any((medians < answer["q10"]) | (medians > answer["q90"]), axis=1)
    return outside
