"""What groups are compared by where values are forecast: how large the errors are, and whether to one side."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from ..evaluation.measure import GroupMeasure, Target


def _error(target: Target, answer: Answer) -> NDArray[Any]:
    errors: NDArray[Any] = np.abs(answer["q50"] - target).mean(axis=1)
    return errors / (errors.mean() or 1)


def _bias(target: Target, answer: Answer) -> NDArray[Any]:
    errors = answer["q50"] - target
    means: NDArray[Any] = errors.mean(axis=1)
    return means / (np.abs(errors).mean() or 1)


UNIT = "as a multiple of the mean absolute error of all rows"
MEASURES = {
    "error": GroupMeasure(_error, is_share=False, meaning=f"The mean absolute error, {UNIT}"),
    "bias": GroupMeasure(_bias, is_share=False, meaning=f"By how much forecasts are too high on average, {UNIT}"),
}
