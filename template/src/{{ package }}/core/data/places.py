"""Where the rows of a table belong, and the examples that they become there."""

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import AUDIT, INPUTS
from ..contract.tables import to_columns
from ..evaluation.measure import Examples
from ..task.target import to_target


class Place(msgspec.Struct, frozen=True):
    """Where each row belongs, and to which unit, shape (rows,) each."""

    training: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    units: NDArray[np.int64]


def gather(frame: pl.DataFrame, chosen: NDArray[np.bool_], place: Place) -> Examples:
    """Return the chosen rows as examples."""
    rows = frame.filter(chosen)
    return Examples(
        columns=to_columns(rows, INPUTS),
        audit=to_columns(rows, AUDIT),
        target=to_target(rows),
        units=place.units[chosen],
        validation=place.validation[chosen],
    )
