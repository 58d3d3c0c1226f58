"""Drift: how far the logged predictions are from the data that the model was made from.

A bundle's `reference.json` says for every column, and for the probabilities, how the values were distributed over some
bins. The log is counted into the same bins, one object at a time, so it may be of any size.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import obstore
from numpy.typing import NDArray

from ..bundles.storage import open_folder
from ..contract.columns import Columns
from ..errors import ProjectError

BINS = 10
MAX_VALUES = 30


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a column counts as drifted, and how many rows it takes to say so."""

    psi: float
    ks: float
    min_rows: int


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


class Reference(msgspec.Struct, frozen=True):
    """What drift is measured against: `reference.json` in a bundle."""

    thresholds: Thresholds
    inputs: list[Profile]
    probabilities: list[NumberProfile]


class ColumnDrift(msgspec.Struct, frozen=True):
    """How far one column is from its reference; `ks` is for numbers only."""

    name: str
    psi: float
    ks: float | None
    drifted: bool


class DriftReport(msgspec.Struct, frozen=True):
    """What the log says; `enough` is false where there are too few rows for a verdict."""

    model: str
    rows: int
    enough: bool
    columns: list[ColumnDrift]

    @property
    def drifted(self) -> list[ColumnDrift]:
        """Return the columns that have drifted, if there are rows enough to say so."""
        return [column for column in self.columns if column.drifted] if self.enough else []


def make_reference(
    inputs: Columns, probabilities: NDArray[np.float32], labels: tuple[str, ...], thresholds: Thresholds
) -> Reference:
    """Profile the data that a model was made from.

    Args:
        inputs: All rows, as a request carries them.
        probabilities: Of held-out rows only, shape (rows, labels): the model knows the others too well.
        labels: The names of the probabilities.
        thresholds: When to speak of drift.
    """
    return Reference(
        thresholds,
        [_profile(name, values) for name, values in inputs.items()],
        [NumberProfile.of(_probability_of(label), probabilities[:, i]) for i, label in enumerate(labels)],
    )


def measure(reference: Reference, model: str, log_uri: str, since: datetime | None = None) -> DriftReport:
    """Compare the logged predictions of a model with its reference.

    Args:
        reference: What to compare with.
        model: The bundle's id; what other models answered is left out.
        log_uri: Where the prediction log is.
        since: Leaves out what is older. A column that the log hides is left out too.

    Raises:
        ProjectError: nothing is logged anywhere, or the log cannot be read.
    """
    if not log_uri:
        raise ProjectError("PREDICTION_LOG_URI is empty: predictions are not logged, so nobody can see them drift")
    profiles: list[Profile] = [*reference.inputs, *reference.probabilities]
    totals = [np.zeros(len(profile.counts), dtype=np.int64) for profile in profiles]
    rows = 0
    for lines in _read(log_uri, model, since):
        rows += len(lines)
        for profile, total in zip(profiles, totals, strict=True):
            values = [line.values[profile.name] for line in lines if profile.name in line.values]
            total += profile.count(_array(profile, values))
    limits = reference.thresholds
    logged = [(profile, total) for profile, total in zip(profiles, totals, strict=True) if total.any()]
    return DriftReport(model, rows, rows >= limits.min_rows, [_drift(*pair, limits) for pair in logged])


class _Line(msgspec.Struct):
    """What is needed of a line of the prediction log."""

    time: datetime
    model: str
    inputs: dict[str, float | str | None]
    probabilities: dict[str, float]

    @property
    def values(self) -> dict[str, float | str | None]:
        """Return all that may drift, by the name of its profile."""
        return self.inputs | {_probability_of(label): p for label, p in self.probabilities.items()}


def _read(uri: str, model: str, since: datetime | None) -> Iterator[list[_Line]]:
    """Yield the lines of each object of the log that has any for the model."""
    decoder = msgspec.json.Decoder(_Line)
    store = open_folder(uri)
    # An object's name begins with the day of its writing: of a log of years, only the last days are listed.
    first = f"{since.astimezone(UTC):%Y-%m-%d}" if since else None
    try:
        for objects in obstore.list(store, offset=first):
            for meta in objects:
                if since and meta["last_modified"] < since:
                    continue
                content = gzip.decompress(bytes(obstore.get(store, meta["path"]).bytes()))
                lines = [line for line in decoder.decode_lines(content) if line.model == model]
                if lines := [line for line in lines if not since or line.time >= since]:
                    yield lines
    except (OSError, obstore.exceptions.BaseError, msgspec.DecodeError) as error:
        raise ProjectError(f"the prediction log {uri} cannot be read: {str(error).partition(chr(10))[0]}") from error


def _profile(name: str, values: NDArray[Any]) -> Profile:
    return CategoryProfile.of(name, values) if values.dtype == object else NumberProfile.of(name, values)


def _probability_of(label: str) -> str:
    return f"probability of {label}"


def _array(profile: Profile, values: list[Any]) -> NDArray[Any]:
    if isinstance(profile, NumberProfile):
        return np.array(values, dtype=np.float64)
    return np.array([value or "" for value in values], dtype=object)


def _drift(profile: Profile, counts: NDArray[np.int64], limits: Thresholds) -> ColumnDrift:
    psi, ks = _psi(np.array(profile.counts), counts), profile.ks(counts)
    return ColumnDrift(profile.name, psi, ks, psi >= limits.psi or (ks is not None and ks >= limits.ks))


def _psi(old: NDArray[np.int64], new: NDArray[np.int64]) -> float:
    """Return the population stability index; half a row is added to each bin, so that an empty one is not infinite."""
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (old, new))
    return float(np.sum((q - p) * np.log(q / p)))
