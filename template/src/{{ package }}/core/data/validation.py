"""The data's check against the contract."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import AUDIT, INPUTS, ROW_ID
from ..contract.columns import Category, Column, Date
from ..contract.optional import GROUP, MISSING, TIME
from ..contract.tables import blank, to_columns, typed, unreadable
from ..errors import ProjectError
from ..task.target import TARGET_COLUMN
from ..yours import did_you_mean

NAMED = {column.name for column in (*INPUTS, *AUDIT)}
KEYS: tuple[Column, ...] = (
    *(Category(name=name) for name in dict.fromkeys((ROW_ID, GROUP)) if name and name not in NAMED),
    *(Date(name=name) for name in (TIME,) if name and name not in NAMED),
)
"""The columns by which rows are held out and that are nothing else."""
CONTRACT: tuple[Column, ...] = (*INPUTS, *AUDIT, *KEYS, TARGET_COLUMN)
"""Every column of a snapshot."""
MAX_SHOWN = 40
"""How many characters are shown of a bad value that is no text, such as an image."""
BAD = {"row": pl.UInt32, "column": pl.String, "value": pl.String, "reason": pl.String}
"""The columns of a table of bad values; rows are counted from 1."""


def validate(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Check data against the contract.

    Returns:
        The good rows, with the contract's columns and types; and the bad values, as `BAD` describes them.

    Raises:
        ProjectError: columns are missing.
    """
    if missing := [column.name for column in CONTRACT if column.name not in raw.columns]:
        hint = did_you_mean(missing[0], raw.columns)
        raise ProjectError(f"the data has no column {', '.join(missing)}, which schema.py names{hint}")
    frame, bad = check(raw, CONTRACT, ROW_ID)
    good = np.ones(raw.height, dtype=bool)
    good[bad["row"].to_numpy() - 1] = False
    return frame.filter(good), bad


def check(raw: pl.DataFrame, columns: Sequence[Column], row_id: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a table with these columns alone, in their types; and the bad values, as `BAD` describes them.

    Args:
        raw: The table.
        columns: What it must have.
        row_id: The one of them that identifies a row.
    """
    known = blank(raw, columns, MISSING)
    frame = known.select(typed(column) for column in columns)
    found = [_faults(column, known, frame, column.name == row_id) for column in columns]
    return frame, pl.concat(found).sort("row", "column")


def table(bad: pl.DataFrame) -> str:
    """Return bad values as text, the first twenty of them."""
    with pl.Config(tbl_rows=20, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=40):
        return str(bad)


def _faults(column: Column, raw: pl.DataFrame, frame: pl.DataFrame, is_unique: bool) -> pl.DataFrame:
    """Return the bad values of one column, each with the first reason that was found."""
    array = to_columns(frame, [column])[column.name]
    found: dict[str, NDArray[np.bool_]] = {f"not {column.form}": unreadable(raw, column)}
    found |= column.faults(array)
    found["not one of the schema's values"] = column.unknown(array)
    if is_unique:
        found["not unique"] = frame[column.name].is_duplicated().to_numpy()
    reasons = np.full(raw.height, None, dtype=object)
    for reason, rows in reversed(found.items()):
        reasons[rows] = reason
    bad = np.flatnonzero(reasons != None)  # noqa: E711 (an array is compared)
    values = (frame if column.is_read else raw)[column.name].gather(bad).cast(pl.String, strict=False)
    values = values.str.head(MAX_SHOWN) if column.is_read else values
    return pl.DataFrame([bad + 1, [column.name] * len(bad), values, reasons[bad].tolist()], schema=BAD)
