"""The two kinds of columns, and the arrays that hold them."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
"""Name → array, shape (rows,): float64 with NaN for a missing number, or objects (str) with "" for missing text."""


class Number(msgspec.Struct, frozen=True, kw_only=True, tag="number"):
    """A numeric column; `minimum` and `maximum` are inclusive, and what lies outside them is an error in the data."""

    name: str
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False

    def array(self, values: Any) -> NDArray[Any]:
        """Return numbers or None, shape (rows,), as float64 with NaN."""
        return np.asarray(values, dtype=np.float64)

    def invalid(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell for each row, shape (rows,), whether its value breaks this contract."""
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        broken: NDArray[np.bool_] = (array < low) | (array > high) | np.isinf(array)
        return broken if self.nullable else broken | np.isnan(array)


class Category(msgspec.Struct, frozen=True, kw_only=True, tag="category"):
    """A column of text; `values`, where given, are all that training data may hold (a request may hold others)."""

    name: str
    description: str = ""
    values: tuple[str, ...] = ()
    nullable: bool = False

    def array(self, values: Any) -> NDArray[Any]:
        """Return strings or None, shape (rows,), as an array of objects with ""."""
        return np.array([value or "" for value in values], dtype=object)

    def invalid(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell for each row, shape (rows,), whether its value breaks this contract."""
        missing: NDArray[np.bool_] = array == ""
        return np.zeros_like(missing) if self.nullable else missing


Column = Number | Category
