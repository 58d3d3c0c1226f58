"""What of a regression's answer is explained: the value."""

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer

ONLY_SUPPORTING = False
"""Whether only what raises the number is a reason: what lowers it is one as well."""


def choose_output(_: Answer) -> str:
    """Return which of the columns of `OUTPUTS` is explained of the answer for one row."""
    return "value"


def differs(answers: Answer, answer: Answer) -> NDArray[np.bool_]:
    """Tell which answers, shape (rows,), have a value outside of the interval of that for one row."""
    outside: NDArray[np.bool_] = (answers["value"] < answer["low"]) | (answers["value"] > answer["high"])
    return outside
