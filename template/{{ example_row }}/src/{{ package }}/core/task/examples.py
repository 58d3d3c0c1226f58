"""Examples from the rows of a table: which of them are held out, and which a framework may stop early by."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import INPUTS, ROW_ID
from ..contract.columns import Columns, Date
from ..contract.optional import GROUP, TIME
from ..contract.tables import to_columns
from ..data.places import Place, gather
from ..data.splits import by_content, fractions, newest, units
from ..evaluation.measure import Examples
from ..params import Split
from .target import TARGET_COLUMN, check


def split(frame: pl.DataFrame, params: Split) -> tuple[Examples, Examples]:
    """Return the rows to train on and those held out.

    Raises:
        ProjectError: no model can be trained on the ones, or measured by the others.
    """
    rows = place(frame, params)
    training, held_out = (gather(frame, chosen, rows) for chosen in (rows.training, rows.held_out))
    check(training.target, held_out.target)
    return training, held_out


def place(frame: pl.DataFrame, params: Split) -> Place:
    """Return where each row belongs.

    Without `TIME` that depends on what names the row alone, so that a row once held out never enters any training,
    however the data grows: only then can an older model be compared with a newer one. With it the newest rows are held
    out, which is how the model will be used; an older model has not seen them, for they were not there yet.
    """
    if TIME:
        days = to_columns(frame, [Date(name=TIME)])[TIME]
        held_out = newest(days, params.holdout)
        validation = ~held_out
        validation[~held_out] = newest(days[~held_out], params.validation)
        return Place(~held_out, held_out, validation, units(days))
    key = GROUP or ROW_ID
    names = frame[key].cast(pl.String).to_list() if key else by_content(frame.select(c.name for c in INPUTS))
    fraction = fractions(names)
    held_out = fraction < params.holdout
    validation = ~held_out & (fraction < params.holdout + (1 - params.holdout) * params.validation)
    return Place(~held_out, held_out, validation, units(names) if GROUP else np.arange(frame.height))


def suspects(frame: pl.DataFrame) -> tuple[Columns, NDArray[Any]]:
    """Return what of the inputs may leak the target, and the target; nothing where that is several things."""
    (target,) = to_columns(frame, [TARGET_COLUMN]).values()
    if not TARGET_COLUMN.is_single:
        return {}, target
    columns, told = to_columns(frame, INPUTS), Columns()
    for column in INPUTS:
        told |= column.telling(columns[column.name])
    return told, target
