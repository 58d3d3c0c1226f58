"""The groups of rows that are looked at apart: the slices of the schema, and how good a model is on each."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schema import SLICES
from ..contract.columns import Answer, Columns
from .intervals import Estimate, estimate
from .measure import Metric, Rows, Target, take

MIN_ROWS = 20
"""A group of fewer rows says nothing."""


class Slice(msgspec.Struct, frozen=True):
    """A metric on one group of rows; no estimate where its rows say nothing."""

    column: str
    group: str
    rows: int
    estimate: Estimate | None


def estimate_slices(
    metric: Metric,
    target: Target,
    answer: Answer,
    groups: Iterable[tuple[str, str, Rows]],
    units: NDArray[np.int64],
    resamples: int,
) -> list[Slice]:
    """Estimate a metric on groups of rows, each where it has enough of them and the metric is defined.

    Args:
        metric: The metric.
        target: What happened, shape (rows, …).
        answer: The answer for the same rows.
        groups: Column, group and positions of rows, each.
        units: See `bootstrap`.
        resamples: See `bootstrap`.
    """

    def estimate_rows(where: Rows) -> Estimate | None:
        rows = target[where], take(answer, where)
        if len(where) < MIN_ROWS or np.isnan(metric.value(*rows)):
            return None
        return estimate(metric, *rows, units[where], resamples)

    return [Slice(column, group, len(where), estimate_rows(where)) for column, group, where in groups]


def find_groups(columns: Columns) -> Iterator[tuple[str, str, Rows]]:
    """Yield column, group and positions of rows for each slice of the schema whose column is there."""
    for column, bounds in SLICES.items():
        if column not in columns:  # the log has none that the model is not asked with
            continue
        values = columns[column]
        if not bounds:
            for value in sorted(set(values)):
                yield column, value or "missing", np.flatnonzero(values == value)
            continue
        edges = [-np.inf, *bounds, np.inf]
        for low, high in pairwise(edges):
            group = f"below {high:g}" if low == -np.inf else f"{low:g} or more"
            group += f", below {high:g}" if np.isfinite(low) and np.isfinite(high) else ""
            yield column, group, np.flatnonzero((values >= low) & (values < high))
