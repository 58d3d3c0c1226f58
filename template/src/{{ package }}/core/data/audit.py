"""What is suspicious about data that keep to the contract: leaks, duplicates across the split, idle columns.

A column leaks if it alone tells the target almost exactly: most often it is known only once the target is. How much it
tells is measured without a model, as the share of the target's variance that is explained by the means of bins, which
are taken from one half of the rows and tried on the other; a text target counts as one number for each value.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import INPUTS
from ..contract.columns import Columns
from ..contract.tables import to_columns
from ..errors import ProjectError
from ..params import Params
from ..task.examples import place, suspects
from ..task.target import TARGET_COLUMN
from .personal import Finding

MAX_BINS = 100
ROWS_A_BIN = 40
MOST_UNIQUE = 0.5
"""Text of which more than this share of the rows differ from all others names rows rather than describing them."""


def audit(frame: pl.DataFrame, params: Params) -> list[Finding]:
    """Return what is suspicious about the rows of a snapshot.

    Raises:
        ProjectError: an input alone explains more of the target than `data.max_explained` allows.
    """
    if frame.is_empty():
        return []
    columns, target = suspects(frame)
    explained = {name: explain(values, target) for name, values in columns.items()}
    if leaks := {name: share for name, share in explained.items() if share > params.data.max_explained}:
        told = ", ".join(f"{name} explains {share:.3f}" for name, share in leaks.items())
        raise ProjectError(
            f"inputs alone explain nearly all of {TARGET_COLUMN.name} ({told}): leave out of schema.py what is known "
            "only afterwards, or raise data.max_explained in params.yaml"
        )
    described = [column for column in INPUTS if not column.is_free]
    return [*find_idle(to_columns(frame, described)), *find_duplicates(frame, place(frame, params.split).held_out)]


def explain(values: NDArray[Any], target: NDArray[Any]) -> float:
    """Return which share of the target's variance a column alone explains.

    Args:
        values: The column, shape (rows,), or several of them, of which the one that tells most counts.
        target: The target as a column, shape (rows,), or several of them, of which the one that is told best counts.
    """
    if values.ndim > 1:
        return max(explain(column, target) for column in values.T)
    if target.ndim > 1:
        return max(explain(values, column) for column in target.T)
    numbers = target[:, None] if target.dtype != object else target[:, None] == np.unique(target.astype(str))
    wanted = numbers.astype(np.float64) - numbers.mean(axis=0)
    bins, first = _bin(values), np.random.default_rng(0).permutation(len(values)) % 2 == 0
    predicted = np.zeros_like(wanted)
    for known in (first, ~first):
        counts = np.bincount(bins[known], minlength=bins.max() + 1)
        for i, column in enumerate(wanted.T):
            sums = np.bincount(bins[known], weights=column[known], minlength=len(counts))
            predicted[~known, i] = (sums / np.maximum(counts, 1))[bins[~known]]
    total = (wanted**2).sum()
    return float(1 - ((wanted - predicted) ** 2).sum() / total) if total else 0.0


def _bin(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of each row's bin, shape (rows,): one for each text, or for about equally many numbers."""
    if values.dtype == object:
        return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)
    numbers = np.where(np.isnat(values), np.nan, values.astype(np.int64)) if values.dtype.kind == "M" else values
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return np.zeros(len(values), dtype=np.int64)
    count = int(np.clip(len(present) // ROWS_A_BIN, 2, MAX_BINS))
    edges = np.unique(np.quantile(present, np.linspace(0, 1, count + 1)[1:-1]))
    return np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))


def find_idle(columns: Columns) -> Iterator[Finding]:
    """Yield the columns that say nothing, or something else of nearly every row."""
    for name, values in columns.items():
        counts = np.unique(values.astype(str) if values.dtype == object else values, return_counts=True)[1]
        if len(counts) == 1:
            yield Finding(name, "is the same in all rows")
        elif values.dtype == object and (counts == 1).sum() > MOST_UNIQUE * len(values):
            yield Finding(name, f"has a value of its own in {(counts == 1).sum()} of {len(values)} rows")


def find_duplicates(frame: pl.DataFrame, held_out: NDArray[np.bool_]) -> Iterator[Finding]:
    """Yield how many held-out rows have the inputs of a row to train on, or nearly those."""
    read = [column for column in INPUTS if column.is_read]
    arrays = to_columns(frame, read)
    keys = (pl.Series(column.name, column.keys(arrays[column.name]).tolist()) for column in read)
    inputs = frame.select(column.name for column in INPUTS).with_columns(keys)
    trained = inputs.filter(~held_out)
    again = inputs.filter(held_out).join(trained, on=inputs.columns, how="semi", nulls_equal=True).height
    if again:
        yield Finding("inputs", f"{again} of {int(held_out.sum())} held-out rows have those of a row to train on")
