"""What of a recommender's answer is explained: the score of the item that is recommended first."""

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import UNSEEN, Answer, Columns

ONLY_SUPPORTING = True
"""Whether only what raises the number is a reason: what lowers it tells why an item is not recommended."""


def choose_output(_: Answer) -> str:
    """Return which of the columns of `OUTPUTS` is explained of the answer for one row."""
    return "score"


def focus(columns: Columns, answer: Answer) -> Columns:
    """Return columns that ask about the first item of one row's answer alone, whatever else changes in them."""
    asked = np.full(len(columns["candidates"]), answer["items"][0, 0] or UNSEEN, dtype=object)
    return columns | {"candidates": asked}


def differs(answers: Answer, answer: Answer) -> NDArray[np.bool_]:
    """Tell which answers, shape (rows,), recommend another item first than that for one row."""
    changed: NDArray[np.bool_] = answers["items"][:, 0] != answer["items"][0, 0]
    return changed
