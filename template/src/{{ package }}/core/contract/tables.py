"""Tables as columns."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import ProjectError
from .columns import Category, Column, Columns, Count, Date, Image, Items, Number, Text, Words


def _read_items(values: pl.Series) -> pl.Series:
    """Return lists of items as texts; a list that holds no plain items becomes null."""
    if not isinstance(values.dtype, pl.List):
        return values.cast(pl.String, strict=False)
    lists = values.cast(pl.List(pl.String)).to_list()
    return pl.Series([_join_items(items) if items is not None else None for items in lists], dtype=pl.String)


def _join_items(items: list[str | None]) -> str | None:
    return " ".join(item or "" for item in items) if all(item and item.split() == [item] for item in items) else None


def _read_files(values: pl.Series) -> pl.Series:
    """Return files as base64."""
    return values.bin.encode("base64") if values.dtype == pl.Binary else values.cast(pl.String, strict=False)


READERS: dict[type[Column], Callable[[pl.Expr], pl.Expr]] = {
    Number: lambda values: values.cast(pl.Float64, strict=False).fill_nan(None),
    Count: lambda values: values.cast(pl.Float64, strict=False).fill_nan(None),
    Category: lambda values: values.cast(pl.String, strict=False),
    Text: lambda values: values.cast(pl.String, strict=False),
    Items: lambda values: values.map_batches(_read_items, return_dtype=pl.String),
    Words: lambda values: values.cast(pl.String, strict=False),
    Image: lambda values: values.map_batches(_read_files, return_dtype=pl.String),
    Date: lambda values: values.cast(pl.String, strict=False).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False),
}
"""How values of any type are read as each kind; what cannot be read as such becomes null."""
FILLERS: dict[type[Column], float | str] = {
    Number: float("nan"),
    Count: float("nan"),
    Category: "",
    Text: "",
    Items: "",
    Words: "",
    Image: "",
}
"""What stands for a missing value in an array; a date's null becomes NaT by itself."""
FILES: tuple[type[Column], ...] = (Image,)
"""The kinds that are read from bytes, too."""
LISTS: dict[type[Column], Callable[[Any], bool]] = {
    Items: lambda inner: inner.is_numeric() or inner == pl.String,
}
"""The kinds that are read from lists, too: from which, by the type of what is in them."""


def is_plain(kind: pl.DataType) -> bool:
    """Tell whether values of a type are texts, numbers or days, and not lists, bytes or lengths of time."""
    return not kind.is_nested() and kind not in (pl.Binary, pl.Duration, pl.Object)


def _is_own(column: Column, kind: pl.DataType) -> bool:
    """Tell whether values of a type are lists or bytes that a column is read from."""
    if kind == pl.Binary:
        return isinstance(column, FILES)
    return type(column) in LISTS and isinstance(kind, pl.List) and LISTS[type(column)](kind.inner)


def typed(column: Column) -> pl.Expr:
    """Return a column in the type of its kind; what cannot be read as such becomes null."""
    return READERS[type(column)](pl.col(column.name))


def blank(frame: pl.DataFrame, columns: Iterable[Column], missing: Iterable[str]) -> pl.DataFrame:
    """Return a table in which the texts that mean a missing value, and the empty one, are null in these columns.

    Raises:
        ProjectError: a column is of a type that no kind of column can be read from.
    """
    kinds = {column: frame.schema[column.name] for column in columns}
    for column, kind in kinds.items():
        if not is_plain(kind) and not _is_own(column, kind):
            raise ProjectError(
                f"{column.name} arrives as {kind}: have scan() in source.py return it as text or as a number"
            )
    texts = [
        pl.col(column.name).cast(pl.String)
        for column, kind in kinds.items()
        if kind in (pl.String, pl.Categorical, pl.Enum)
    ]
    return frame.with_columns(pl.when(~text.is_in(["", *missing])).then(text) for text in texts)


def unreadable(frame: pl.DataFrame, column: Column) -> NDArray[np.bool_]:
    """Tell which rows hold a value that cannot be read as the column's kind, shape (rows,)."""
    return frame.select(pl.col(column.name).is_not_null() & typed(column).is_null()).to_series().to_numpy()


def to_columns(frame: pl.DataFrame, columns: Iterable[Column]) -> Columns:
    """Return columns of a table as arrays, with what stands for a missing value in place of null."""
    wanted = list(columns)
    filled = frame.select(_filled(column) for column in wanted)
    return {column.name: column.from_table(filled[column.name].to_numpy()) for column in wanted}


def _filled(column: Column) -> pl.Expr:
    filler = FILLERS.get(type(column))
    return typed(column) if filler is None else typed(column).fill_null(filler)
