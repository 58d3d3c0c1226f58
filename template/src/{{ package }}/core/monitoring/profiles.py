"""Profiles: how the values of a column are distributed over some bins, and how far other values are from that."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

BINS = 10
MAX_VALUES = 30


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a column counts as drifted, how many rows it takes to say so, and after how many no more are read."""

    psi: float
    ks: float
    min_rows: int
    max_rows: int = 1_000_000


class NumberProfile(msgspec.Struct, frozen=True, tag="number"):
    """Counts of the ranges between `edges`, and of missing values last."""

    name: str
    edges: list[float]
    counts: list[int]

    @classmethod
    def of(cls, name: str, values: NDArray[Any]) -> "NumberProfile":
        """Profile numbers, shape (rows,); the ranges hold about equally many of them."""
        present = values[~np.isnan(values)]
        edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1])).tolist() if len(present) else []
        empty = cls(name, edges, [])
        return cls(name, edges, empty.count(values).tolist())

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Count numbers, shape (rows,), into the same ranges."""
        bins = np.searchsorted(self.edges, values, side="right")
        return np.bincount(np.where(np.isnan(values), len(self.edges) + 1, bins), minlength=len(self.edges) + 2)

    def ks(self, counts: NDArray[np.int64]) -> float:
        """Return the largest distance between the two distribution functions at the edges (Kolmogorov–Smirnov)."""
        old, new = np.cumsum(self.counts[:-1]), np.cumsum(counts[:-1])
        return float(np.abs(old / max(old[-1], 1) - new / max(new[-1], 1)).max())


class CategoryProfile(msgspec.Struct, frozen=True, tag="category"):
    """Counts of `values`, the most frequent ones; then of all others, and of missing values last."""

    name: str
    values: list[str]
    counts: list[int]

    @classmethod
    def of(cls, name: str, values: NDArray[Any]) -> "CategoryProfile":
        """Profile text, shape (rows,)."""
        present, frequency = np.unique(values[values != ""].astype(str), return_counts=True)
        top = sorted(present[np.argsort(-frequency, kind="stable")][:MAX_VALUES].tolist())
        empty = cls(name, top, [])
        return cls(name, top, empty.count(values).tolist())

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Count text, shape (rows,), into the same bins."""
        others = len(self.values)
        position = {value: i for i, value in enumerate(self.values)} | {"": others + 1}
        return np.bincount([position.get(value, others) for value in values.tolist()], minlength=others + 2)

    def ks(self, counts: NDArray[np.int64]) -> None:
        """Return None: text has no order."""


Profile = NumberProfile | CategoryProfile


def make_profile(name: str, values: NDArray[Any]) -> Profile:
    """Profile a column, shape (rows,)."""
    return CategoryProfile.of(name, values) if values.dtype == object else NumberProfile.of(name, values)


def psi(old: NDArray[np.int64], new: NDArray[np.int64]) -> float:
    """Return the population stability index of two counts of the same bins, shape (bins,).

    Half a row is added to each bin, so that an empty one is not infinite.
    """
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (old, new))
    return float(np.sum((q - p) * np.log(q / p)))
