"""Prediction intervals: split conformal inference, with a width that depends on the row.

Source: J. Lei et al., "Distribution-free predictive inference for regression", 2018. A model predicts the value and the
size of its own error, and the interval reaches as many times that size to both sides as it takes to hold the wanted
share of rows that it did not learn from. These are the rows by which training stops early: the best of some epochs on
them is a little better there than elsewhere, so that intervals are a little too narrow.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schema import COVERAGE


class Width(msgspec.Struct, frozen=True):
    """How far an interval reaches to each side: `factor` times the predicted error, which is at least `least`."""

    least: float
    factor: float


def calibrate(errors: NDArray[Any], predicted: NDArray[Any]) -> Width:
    """Find out how wide the intervals of a model have to be, by rows that it did not learn from.

    Args:
        errors: How far its values are from what happened, shape (rows,).
        predicted: How far it said that they would be, shape (rows,).
    """
    least = float(errors.mean()) / 10 or 1.0
    ratios = np.sort(errors / np.maximum(predicted, least))
    rank = int(np.ceil((len(ratios) + 1) * COVERAGE))
    return Width(least, float(ratios[min(rank, len(ratios)) - 1]))
