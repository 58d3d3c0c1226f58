"""Tables as columns."""

from collections.abc import Iterable

import polars as pl

from .columns import Column, Columns, Number


def typed(column: Column) -> pl.Expr:
    """Return a column in the type of its kind; what cannot be read as such becomes null."""
    if isinstance(column, Number):
        return pl.col(column.name).cast(pl.Float64, strict=False).fill_nan(None)
    return pl.col(column.name).cast(pl.String, strict=False)


def to_columns(frame: pl.DataFrame, columns: Iterable[Column]) -> Columns:
    """Return columns of a table as arrays, with NaN or "" for null."""
    missing = {column.name: float("nan") if isinstance(column, Number) else "" for column in columns}
    filled = frame.select(typed(column).fill_null(missing[column.name]) for column in columns)
    return {name: filled[name].to_numpy() for name in missing}
