"""Examples from the rows of a table: which of them are held out, and which a framework may stop early by."""

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import AUDIT, INPUTS, ROW_ID
from ..contract.tables import to_columns
from ..data.splits import fractions
from ..evaluation.measure import Examples
from ..params import Split
from .target import to_target


class Place(msgspec.Struct, frozen=True):
    """Where each row belongs, shape (rows,) each."""

    held_out: NDArray[np.bool_]
    validation: NDArray[np.bool_]


def split(frame: pl.DataFrame, params: Split) -> tuple[Examples, Examples]:
    """Return the rows to train on and those held out."""
    rows = place(frame, params)
    return _examples(frame, ~rows.held_out, rows.validation), _examples(frame, rows.held_out, rows.validation)


def place(frame: pl.DataFrame, params: Split) -> Place:
    """Return where each row belongs.

    That depends on its id alone, so that a row once held out never enters any training, however the data grows: only
    then can an older model be compared with a newer one.
    """
    fraction = fractions(frame[ROW_ID])
    held_out = fraction < params.holdout
    return Place(held_out, ~held_out & (fraction < params.holdout + (1 - params.holdout) * params.validation))


def _examples(frame: pl.DataFrame, chosen: NDArray[np.bool_], validation: NDArray[np.bool_]) -> Examples:
    rows = frame.filter(chosen)
    return Examples(
        columns=to_columns(rows, INPUTS),
        audit=to_columns(rows, AUDIT),
        target=to_target(rows),
        units=np.arange(rows.height),
        validation=validation[chosen],
    )
