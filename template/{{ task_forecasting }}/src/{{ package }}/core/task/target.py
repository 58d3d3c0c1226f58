"""The target of a forecast: the values of as many periods as the horizon has."""

from itertools import pairwise
from typing import Annotated, Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import HORIZON, TARGET
from ..contract.columns import Column, Text
from ..contract.tables import FILLERS, LISTS, READERS
from ..evaluation.measure import Examples, Rows

Values = Annotated[list[float], msgspec.Meta(min_length=HORIZON, max_length=HORIZON)]


class Future(Text, frozen=True, kw_only=True, tag="future"):
    """The values of the horizon: in a table a list or a text such as [3, 1, 2], as an array (rows, horizon)."""

    form = f"a list of {HORIZON} numbers"

    def array(self, values: Any) -> NDArray[Any]:
        """Return lists as JSON or None, shape (rows,), as float64 with NaN, shape (rows, horizon)."""
        missing = [np.nan] * HORIZON
        rows = [msgspec.json.decode(value, type=Values) if value else missing for value in values]
        return np.array(rows, dtype=np.float64).reshape(-1, HORIZON)

    from_table = array

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        found = {reason: _any(rows) for reason, rows in TARGET.faults(array).items()}
        return found | {"missing": self.missing(array)}

    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""
        return _any(np.isnan(array))


def _any(values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows have any, shape (rows,)."""
    found: NDArray[np.bool_] = np.any(values, axis=1)
    return found


def _read(values: pl.Series) -> pl.Series:
    """Return lists, or texts of them, as texts; what is neither becomes null."""
    return pl.Series([_to_text(value) for value in values.to_list()], dtype=pl.String)


def _to_text(value: object) -> str | None:
    try:
        found = msgspec.json.decode(value, type=Values) if isinstance(value, str) else msgspec.convert(value, Values)
    except msgspec.MsgspecError:
        return None
    return msgspec.json.encode(found).decode()


LISTS[Future] = lambda inner: bool(inner.is_numeric())
READERS[Future] = lambda values: values.map_batches(_read, return_dtype=pl.String)
FILLERS[Future] = ""
TARGET_COLUMN: Column = Future(name=TARGET.name, description=TARGET.description)
"""What a snapshot holds of it."""


def to_target(frame: pl.DataFrame) -> NDArray[Any]:
    """Return the target, shape (rows, horizon), as float64."""
    return TARGET_COLUMN.from_table(frame[TARGET.name].to_numpy())


def folds(training: Examples, count: int, _: int) -> list[tuple[Rows, Rows]]:
    """Return which rows to learn from and which to check, for each fold of a cross-validation.

    Each fold checks later periods than the one before, and learns from what ended before they begin.
    """
    periods = training.units
    edges = np.quantile(periods, np.linspace(0.4, 1, count + 1))
    edges[-1] += 1
    return [
        (np.flatnonzero(periods + HORIZON <= low), np.flatnonzero((low <= periods) & (periods < high)))
        for low, high in pairwise(edges)
    ]
