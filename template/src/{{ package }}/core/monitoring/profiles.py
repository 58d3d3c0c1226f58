"""Profiles: how the values of a column are distributed over some bins, and how far other values are from that.

A profile is also all that a bundle knows of the data, so explanations draw from it what else a column may hold.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import UNSEEN

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
        """Profile numbers, shape (rows,); the ranges hold about equally many of them, and of whole ones are whole."""
        present, shares = values[~np.isnan(values)], np.linspace(0, 1, BINS + 1)[1:-1]
        edges = np.unique(np.quantile(present, shares, method="lower")).tolist() if len(present) else []
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

    def quantiles(self, shares: NDArray[np.float64], _: Sequence[str] = ()) -> list[Any]:
        """Return the numbers at such shares, between 0 and 1, of the rows; NaN where they have none.

        Within a range numbers lie evenly, as whole ones where all edges are whole. What is beyond the outermost edges
        lies at the edge: a profile does not hold the extremes, which are single people's.
        """
        edges = self.edges or [np.nan]
        low, high = np.array([edges[0], *edges, np.nan]), np.array([*edges, edges[-1], np.nan])
        bins, within = _locate(self.counts, shares)
        values = low[bins] + within * (high[bins] - low[bins])
        is_whole = all(edge.is_integer() for edge in self.edges)
        return list((np.floor(values) if is_whole else values).tolist())

    def alternatives(self) -> list[float]:
        """Return numbers that a row might have instead: the edges, rounded to a hundredth of what they span."""
        if len(self.edges) < 2:
            return self.edges
        digits = 2 - int(np.floor(np.log10(self.edges[-1] - self.edges[0])))
        return sorted({round(edge, digits) for edge in self.edges})

    def distances(self, value: float, others: Sequence[Any]) -> list[float]:
        """Return about which share of the rows lies between a number and each of others; 1 if it is missing."""
        if np.isnan(value) or not self.edges:
            return [1.0] * len(others)
        below = np.cumsum(self.counts[:-1]) / sum(self.counts[:-1])
        ends = below[0] / 2, (below[-2] + 1) / 2
        here, *there = np.interp([value, *others], self.edges, below[:-1], *ends)
        return [float(abs(share - here)) for share in there]


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

    def quantiles(self, shares: NDArray[np.float64], known: Sequence[str] = ()) -> list[Any]:
        """Return the texts at such shares, between 0 and 1, of the rows; "" where they have none.

        Args:
            shares: The shares, shape (n,).
            known: All texts that there are: those that are not in `values` stand for the others, evenly.
        """
        rest = [value for value in known if value not in self.values] or [UNSEEN]
        bins, within = _locate(self.counts, shares)
        others = [rest[int(share * len(rest))] for share in within]
        values = [*self.values, None, ""]
        return [values[i] if values[i] is not None else other for i, other in zip(bins, others, strict=True)]

    def alternatives(self) -> list[str]:
        """Return texts that a row might have instead."""
        return self.values

    def distances(self, _: str, others: Sequence[Any]) -> list[float]:
        """Return which share of the rows has none of the texts, for each of others: rare ones are far."""
        present, counts = max(sum(self.counts[:-1]), 1), dict(zip(self.values, self.counts, strict=False))
        return [1 - counts.get(value, 0) / present for value in others]


Profile = NumberProfile | CategoryProfile


class Reference(msgspec.Struct, frozen=True):
    """What drift is measured against: `reference.json` in a bundle."""

    thresholds: Thresholds
    profiles: list[Profile]


def load_reference(bundle: Path) -> Reference:
    """Return the reference of a bundle's folder."""
    return msgspec.json.decode((bundle / "reference.json").read_bytes(), type=Reference)


def make_profile(name: str, values: NDArray[Any]) -> Profile:
    """Profile a column, shape (rows,)."""
    return CategoryProfile.of(name, values) if values.dtype == object else NumberProfile.of(name, values)


def psi(old: NDArray[np.int64], new: NDArray[np.int64]) -> float:
    """Return the population stability index of two counts of the same bins, shape (bins,).

    Half a row is added to each bin, so that an empty one is not infinite.
    """
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (old, new))
    return float(np.sum((q - p) * np.log(q / p)))


def _locate(counts: list[int], shares: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return in which bin such shares of the rows end, and which share of the bin is before it, shape (n,) each."""
    ends = np.cumsum(counts) / sum(counts)
    bins = np.searchsorted(ends, shares, side="right")
    sizes = np.array(counts)[bins] / sum(counts)
    return bins, (shares - ends[bins] + sizes) / sizes
