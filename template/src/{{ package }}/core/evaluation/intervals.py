"""Confidence intervals, of metrics and of the gain from one answer to another.

Few units are bootstrapped as they are. Of many, fewer than there are are drawn, and the spread is scaled to their whole
number ("m out of n"): so an interval costs about the same for a million rows as for ten thousand. Where a metric is so
close to its bound that the rows show next to nothing of what lies beyond, a Wilson interval widens the bootstrap's.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from .measure import Metric, Rows, Target

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The quantile of the normal distribution that belongs to it."""
UNITS = 2_000
"""How many units are drawn at first."""
FEW = 5
"""With so many successes and failures, a proportion is taken to be normally distributed."""


class Estimate(msgspec.Struct, frozen=True):
    """A value and its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate(metric: Metric, target: Target, answer: Answer, units: NDArray[np.int64], resamples: int) -> Estimate:
    """Estimate a metric.

    Args:
        metric: The metric.
        target: What happened, shape (rows, …).
        answer: The answer for the same rows.
        units: See `bootstrap`.
        resamples: See `bootstrap`.
    """
    drawn = bootstrap(metric.statistic(target, answer), units, resamples)
    edge = _edge(metric, drawn.value, target, units)
    return Estimate(drawn.value, float(np.fmin(drawn.low, edge.low)), float(np.fmax(drawn.high, edge.high)))


def estimate_gain(
    metric: Metric, target: Target, new: Answer, old: Answer, units: NDArray[np.int64], resamples: int
) -> Estimate:
    """Estimate by how much a new answer is better than an old one on the same rows; equal answers gain 0 for certain.

    Where one of the two is at the metric's edge, its interval is joined with the other's as for two proportions
    (R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", 1998), without assuming that the two err on the same rows.
    """
    drawn = bootstrap(metric.gain(target, new, old), units, resamples)
    if new.keys() == old.keys() and all(_equals(new[name], old[name]) for name in new):
        return drawn
    better, worse = (_edge(metric, metric.value(target, answer), target, units) for answer in (new, old))
    if not metric.higher_is_better:
        better, worse = worse, better
    joined = subtract(better, worse)
    below, above = joined.value - joined.low, joined.high - joined.value
    return Estimate(drawn.value, min(drawn.low, drawn.value - below), max(drawn.high, drawn.value + above))


def _equals(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype != object)  # texts have no NaN


def bootstrap(statistic: Callable[[Rows], float], units: NDArray[np.int64], resamples: int) -> Estimate:
    """Estimate a statistic of rows, and its percentile interval (B. Efron, "Bootstrap methods", 1979).

    Of n units, m are drawn, and the distances of the percentiles from the value are scaled by √(m/n) (P. J. Bickel,
    F. Götze, W. R. van Zwet, "Resampling fewer than n observations", 1997). m is doubled until the interval no longer
    changes beyond the noise of resampling (after P. J. Bickel, A. Sakov, "On the choice of m in the m out of n
    bootstrap", 2008), at most up to n: a statistic that turns on few of the rows gets as many as it needs.

    Args:
        statistic: Takes positions of rows, shape (rows,), some of them repeated.
        units: The unit of each row, shape (rows,); rows of one unit are drawn together.
        resamples: How often they are drawn; the same rows always give the same interval.
    """
    rng = np.random.default_rng(0)
    order = np.argsort(units, kind="stable")
    starts = np.unique(units[order], return_index=True)[1]
    sizes = np.diff(starts, append=len(order))
    count = len(starts)
    value = statistic(np.arange(len(units)))

    def draw(size: int) -> Rows:
        drawn = rng.integers(0, count, size)
        if count == len(units):
            return np.asarray(order[drawn])
        lengths = sizes[drawn]
        ends = np.cumsum(lengths)
        rows: Rows = order[np.repeat(starts[drawn] - (ends - lengths), lengths) + np.arange(ends[-1])]
        return rows

    def interval(size: int) -> NDArray[np.float64]:
        """Return both ends for so many units."""
        drawn = [statistic(draw(size)) for _ in range(resamples)]
        ends: NDArray[np.float64] = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return ends if size == count else value + np.sqrt(size / count) * (ends - value)

    size = UNITS if count > 2 * UNITS else count
    ends = interval(size)
    while size < count:
        size, previous = min(2 * size, count), ends
        ends = interval(size)
        # An end is uncertain by about 2.7 / √resamples of its standard error, and the width has four of these:
        # three times the uncertainty of a difference is what chance alone explains.
        if np.abs(ends - previous).max() <= 3 / np.sqrt(resamples) * (ends[1] - ends[0]):
            break
    return Estimate(value, float(ends[0]), float(ends[1]))


def estimate_share(share: float, trials: float) -> Estimate:
    """Estimate a proportion of independent trials (E. B. Wilson, "Probable inference", 1927)."""
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    return Estimate(share, min(share, float(middle - half)), max(share, float(middle + half)))


def subtract(one: Estimate, other: Estimate) -> Estimate:
    """Estimate by how much one value is larger than another, from their intervals, as if they were independent.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10; it holds
    for other statistics, too: G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", 2008.
    """
    difference = one.value - other.value
    below = float(np.hypot(one.value - one.low, other.high - other.value))
    above = float(np.hypot(one.high - one.value, other.value - other.low))
    return Estimate(difference, difference - below, difference + above)


def _edge(metric: Metric, value: float, target: Target, units: NDArray[np.int64]) -> Estimate:
    """Return an interval for a metric that is close to its bound, and the bare value for any other.

    A metric of a bounded range varies at most as much as a proportion does, so that Wilson's interval of a proportion
    holds for it, if too cautiously. It is given where fewer than five of the trials would be failures, or successes:
    there the bootstrap, which cannot draw what is not there, is too sure.
    """
    if metric.bounds is None or not np.isfinite(value):
        return Estimate(value, value, value)
    lowest, highest = metric.bounds
    trials = min(metric.trials(target), len(np.unique(units)))
    share = (value - lowest) / (highest - lowest)
    if trials == 0 or min(share, 1 - share) * trials >= FEW:
        return Estimate(value, value, value)
    proportion, scale = estimate_share(share, trials), highest - lowest
    return Estimate(value, lowest + scale * proportion.low, lowest + scale * proportion.high)
