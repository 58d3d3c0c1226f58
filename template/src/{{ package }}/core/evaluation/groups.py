"""The groups of rows that are looked at apart: the slices of the schema."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ...schema import SLICES
from ..contract.columns import Columns
from .measure import Rows


def find_groups(columns: Columns) -> Iterator[tuple[str, str, Rows]]:
    """Yield column, group and positions of rows for each slice of the schema."""
    for column, bounds in SLICES.items():
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
