"""Fairness: how differently one group fares from all others.

Shares are compared by the difference of their Wilson intervals, which is honest for small groups, too; means by the
bootstrap. The gate refuses only where the whole interval lies beyond the limit: a bare threshold would refuse most
models that are fair. And what is not refused is not called fair: the rows may be too few to tell.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from ..contract.optional import PROTECTED
from ..errors import ProjectError
from ..params import Fairness, Gate
from ..task.fairness import MEASURES
from .groups import find_groups
from .intervals import Estimate, bootstrap, estimate_share, subtract
from .measure import Examples, GroupMeasure

MIN_UNITS = 20
"""Of fewer units than these, on either side, the bootstrap is too sure."""

Verdict = Literal["beyond the limit", "within the limit", "too few rows to tell"]


class Gap(msgspec.Struct, frozen=True):
    """How one group fares: its value less that of all others; no gap where they are too few to say anything."""

    column: str
    group: str
    rows: int
    value: float
    others: float
    gap: Estimate | None
    verdict: Verdict

    def __str__(self) -> str:
        if self.gap is None or self.verdict != "too few rows to tell":
            return self.verdict
        return f"{self.verdict}: a gap up to {max(abs(self.gap.low), abs(self.gap.high)):.2f} would not be seen"


def find_measure(fairness: Fairness) -> GroupMeasure:
    """Return what groups are compared by.

    Raises:
        ProjectError: `params.yaml` names none.
    """
    if fairness.measure not in MEASURES:
        raise ProjectError(f"params.yaml, gate.fairness.measure: {fairness.measure} is none of {', '.join(MEASURES)}")
    return MEASURES[fairness.measure]


def compare_groups(held_out: Examples, answer: Answer, gate: Gate) -> list[Gap]:
    """Compare each group of the columns in `PROTECTED` with all others; none, where `params.yaml` does not ask for it.

    Groups of which no row counts, or all rows that do, are left out.
    """
    if gate.fairness is None:
        return []
    measure = find_measure(gate.fairness)
    values = measure.function(held_out.target, answer)
    counted = np.flatnonzero(~np.isnan(values))
    gaps = []
    for column, group, rows in find_groups(held_out.columns | held_out.audit):
        members = np.isin(counted, rows)
        if column in PROTECTED and members.any() and not members.all():
            interval = compare(values[counted], members, held_out.units[counted], measure, gate.resamples)
            value, others = float(values[counted][members].mean()), float(values[counted][~members].mean())
            verdict = judge(interval, gate.fairness.gap)
            gaps.append(Gap(column, group, int(members.sum()), value, others, interval, verdict))
    return gaps


def judge(gap: Estimate | None, limit: float) -> Verdict:
    """Say whether a gap is beyond a limit, either way."""
    if gap is None or not np.isfinite([gap.low, gap.high]).all():
        return "too few rows to tell"
    if gap.low > limit or gap.high < -limit:
        return "beyond the limit"
    return "within the limit" if -limit <= gap.low and gap.high <= limit else "too few rows to tell"


def compare(
    values: NDArray[np.float64],
    members: NDArray[np.bool_],
    units: NDArray[np.int64],
    measure: GroupMeasure,
    resamples: int,
) -> Estimate | None:
    """Compare a group with all others; None where they are too few to say anything.

    Args:
        values: How each row fares, shape (rows,).
        members: Whether each row belongs to the group, shape (rows,), neither all nor none.
        units: The unit of each row, shape (rows,).
        measure: Whether the values are the zeros and ones of a share.
        resamples: How often to resample means.
    """
    sides = [(rows, _count_units(units[rows])) for rows in (members, ~members)]
    if measure.is_share:
        own, others = (estimate_share(float(values[rows].mean()), n) for rows, n in sides)
        return subtract(own, others)
    if min(count for _, count in sides) < MIN_UNITS:
        return None

    def difference(rows: NDArray[np.int64]) -> float:
        chosen, own = values[rows], members[rows]
        return float(chosen[own].mean() - chosen[~own].mean()) if own.any() and not own.all() else np.nan

    return bootstrap(difference, units, resamples)


def _count_units(units: NDArray[np.int64]) -> float:
    """Return how many independent rows these are worth if rows of one unit are all the same (L. Kish, 1965)."""
    sizes = np.unique(units, return_counts=True)[1]
    return float(sizes.sum() ** 2 / (sizes**2).sum())
