"""What groups are compared by where rows are flagged: who is, and who is without reason."""

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from ..evaluation.measure import GroupMeasure, Target
from .answer import decided


def _flag(_: Target, answer: Answer) -> NDArray[np.float64]:
    return decided(answer).astype(np.float64)


def _flag_normal(target: Target, answer: Answer) -> NDArray[np.float64]:
    return np.where(target, np.nan, _flag(target, answer))


MEASURES = {
    "false_alarms": GroupMeasure(_flag_normal, is_share=True, meaning="Of the normal rows, the share that is flagged"),
    "alerts": GroupMeasure(_flag, is_share=True, meaning="The share of rows that is flagged"),
}
