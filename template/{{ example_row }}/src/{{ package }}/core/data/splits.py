"""How rows are held out for good: by a hash of what names them, so that the data may grow, or by their day."""

import hashlib
from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import ProjectError


def fractions(names: Iterable[str]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each name, which depends on the name alone, now and in every later version."""
    return np.array([_fraction(name) for name in names], dtype=np.float64)


def by_content(frame: pl.DataFrame) -> list[str]:
    """Return a name for each row that depends on its values alone: equal rows have equal names.

    A value is written as Python does, not as Polars hashes it, which differs between versions.
    """
    return [ascii(row) for row in frame.select(sorted(frame.columns)).iter_rows()]


def newest(days: NDArray[np.datetime64], share: float) -> NDArray[np.bool_]:
    """Tell which rows are of the newest days, shape (rows,): whole days, and at least this share of the rows.

    Raises:
        ProjectError: that leaves none to train on, as all rows are of a few days.
    """
    first = np.sort(days)[int(len(days) * (1 - share))]
    chosen: NDArray[np.bool_] = days >= first
    if chosen.all():
        raise ProjectError(f"no row is older than {first}, the first day that would be held out: TIME needs more days")
    return chosen


def units(names: Iterable[object]) -> NDArray[np.int64]:
    """Number what belongs together, shape (rows,): equal names get equal numbers."""
    return np.unique([str(name) for name in names], return_inverse=True)[1].astype(np.int64)


def _fraction(name: str) -> float:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest()) / 2**56
