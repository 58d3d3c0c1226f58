"""Confidence intervals."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from .measure import Rows

CONFIDENCE = 0.95


class Estimate(msgspec.Struct, frozen=True):
    """A value and its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(statistic: Callable[[Rows], float], units: NDArray[np.int64], resamples: int) -> Estimate:
    """Estimate a statistic of rows, and its percentile interval (B. Efron, "Bootstrap methods", 1979).

    Args:
        statistic: Takes positions of rows, shape (rows,), some of them repeated.
        units: The unit of each row, shape (rows,); rows of one unit are drawn together.
        resamples: How often they are drawn; the same rows always give the same interval.
    """
    rng = np.random.default_rng(0)
    order = np.argsort(units, kind="stable")
    starts = np.unique(units[order], return_index=True)[1]
    members = np.split(order, starts[1:])
    count = len(members)

    def draw() -> Rows:
        drawn = rng.integers(0, count, count)
        return order[drawn] if count == len(units) else np.concatenate([members[unit] for unit in drawn])

    low, high = np.nanquantile(
        [statistic(draw()) for _ in range(resamples)], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    )
    return Estimate(statistic(np.arange(len(units))), float(low), float(high))
