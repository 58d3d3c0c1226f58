"""Fairness: how much less often one group gets what it should than all others do.

A group is compared with the rest by the difference of two shares and its interval (R. G. Newcombe, "Interval estimation
for the difference between independent proportions", 1998, method 10), which is honest for small groups, too. The gate
refuses only where the whole interval lies beyond the limit: a bare threshold would refuse most models that are fair.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from .intervals import Estimate

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

Verdict = Literal["beyond the limit", "within the limit", "too few rows to tell"]


class Gap(msgspec.Struct, frozen=True):
    """How one group fares: its share less that of all others, as `fairness` in `metrics.json`."""

    column: str
    group: str
    rows: int
    share: float
    others: float
    gap: Estimate
    verdict: Verdict

    def __str__(self) -> str:
        unseen = max(abs(self.gap.low), abs(self.gap.high))
        hint = f": a gap up to {unseen:.2f} would not be seen" if self.verdict == "too few rows to tell" else ""
        return f"{self.verdict}{hint}"


def compare(column: str, group: str, hits: NDArray[np.bool_], members: NDArray[np.bool_], limit: float) -> Gap:
    """Compare a group with all others.

    Args:
        column: What the group is a group of.
        group: Its name.
        hits: Whether each row got what it should, shape (rows,).
        members: Whether each row belongs to the group, shape (rows,).
        limit: The largest gap that is accepted, either way.
    """
    inside, outside = hits[members], hits[~members]
    gap = _difference(int(inside.sum()), len(inside), int(outside.sum()), len(outside))
    verdict: Verdict = "too few rows to tell"
    if gap.low > limit or gap.high < -limit:
        verdict = "beyond the limit"
    elif -limit <= gap.low and gap.high <= limit:
        verdict = "within the limit"
    return Gap(column, group, len(inside), _share(inside), _share(outside), gap, verdict)


def _share(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _difference(hits: int, rows: int, other_hits: int, other_rows: int) -> Estimate:
    """Return the difference of two shares with Newcombe's interval; without any row it may be anything."""
    if not rows or not other_rows:
        return Estimate(0.0, -1.0, 1.0)
    share, other = hits / rows, other_hits / other_rows
    low, high = _wilson(share, rows)
    other_low, other_high = _wilson(other, other_rows)
    difference = share - other
    down = np.sqrt((share - low) ** 2 + (other_high - other) ** 2)
    up = np.sqrt((high - share) ** 2 + (other - other_low) ** 2)
    return Estimate(difference, float(difference - down), float(difference + up))


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """Return the interval of a share (E. B. Wilson, "Probable inference", 1927)."""
    middle = (share + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    reach = Z * np.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2)) / (1 + Z**2 / rows)
    return float(middle - reach), float(middle + reach)
