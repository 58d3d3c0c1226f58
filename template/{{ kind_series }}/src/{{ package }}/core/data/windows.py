"""From a long table, which has a row for each series and period, to rows as requests carry them.

Periods lie on a regular grid, from the first to the last of the table; where a series has no value there is a gap.
"""

import msgspec
import polars as pl

from ...schema import DAY, FREQUENCY, HISTORY, HORIZON, ROW_ID, SERIES, TARGET
from ..contract.columns import Category, Column, Date
from ..contract.tables import typed
from ..errors import ProjectError
from .validation import check, table

LAGS = [f"lag_{lag}" for lag in range(1, HISTORY + 1)]
COLUMNS: tuple[Column, ...] = (Category(name=SERIES), Date(name=DAY), msgspec.structs.replace(TARGET, nullable=True))
"""The columns of the long table, in which a value may be missing."""


def is_cut(rows: pl.LazyFrame) -> bool:
    """Tell whether rows are as requests carry them."""
    return LAGS[0] in rows.collect_schema().names()


def cut_training(raw: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each series and period with what came then, the values of the horizon, as JSON.

    The first periods of the table are only past, and rows are left out of which the newest value or one of those to be
    forecast is not known: nobody can learn from them or judge by them.

    Raises:
        ProjectError: the table lacks columns, or its rows break the contract.
    """
    rows = _cut(_read(raw), extra=0)
    first = rows[DAY].unique().sort()[HISTORY:]
    future = pl.concat_list(pl.col(TARGET.name).shift(-step).over(SERIES) for step in range(HORIZON))
    whole = rows.with_columns(future.alias(TARGET.name)).filter(
        pl.col(DAY).is_in(first.implode()),
        pl.col(LAGS[0]).is_not_null(),
        pl.col(TARGET.name).list.eval(pl.element().is_not_null()).list.all(),
    )
    texts = pl.format("[{}]", pl.col(TARGET.name).cast(pl.List(pl.String)).list.join(","))
    return _name(whole).with_columns(texts.alias(TARGET.name))


def cut_newest(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row for each series, whose forecast begins after the last period of the table.

    Of the table only its newest periods are held in memory: as many for each series as a request may carry.

    Raises:
        ProjectError: as `cut_training`.
    """
    _find_columns(raw.collect_schema().names())
    day = typed(Date(name=DAY))
    last = raw.select(day.max()).collect().item()
    is_new = day > pl.lit(last).dt.offset_by(f"-{HISTORY}{FREQUENCY}")
    newest = raw.filter(is_new | day.is_null())  # what is no day is told, not dropped
    rows = _cut(_read(newest.collect()), extra=1)
    return _name(rows.filter(pl.col(DAY) == pl.col(DAY).max())).drop(TARGET.name).lazy()


def _read(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the long table in their types."""
    _find_columns(raw.columns)
    frame, bad = check(raw, COLUMNS)
    if bad.height:
        raise ProjectError(f"the data hold bad values; correct them or remove their rows in source.py:\n{table(bad)}")
    if (twice := frame.filter(frame.select(SERIES, DAY).is_duplicated())).height:
        raise ProjectError(f"the data have {twice[SERIES][0]} at {twice[DAY][0]} more than once")
    if frame.is_empty():
        raise ProjectError("the data have no rows")
    return frame


def _find_columns(names: list[str]) -> None:
    if missing := [column.name for column in COLUMNS if column.name not in names]:
        raise ProjectError(f"the data have no column {', '.join(missing)}, which schema.py names")


def _cut(frame: pl.DataFrame, extra: int) -> pl.DataFrame:
    """Return a row for each series and period, with its past; and for so many periods after the last one."""
    end = pl.col(DAY).max().dt.offset_by(f"{extra}{FREQUENCY}")
    days = frame.select(pl.date_range(pl.col(DAY).min(), end, f"1{FREQUENCY}").alias(DAY))
    if (strange := frame.join(days, on=DAY, how="anti")).height:
        raise ProjectError(
            f"{strange[DAY][0]} is not a whole number of periods after {days[DAY][0]}, the first day of the data: "
            f"FREQUENCY in schema.py says {FREQUENCY!r}"
        )
    grid = frame.select(SERIES).unique().join(days, how="cross").sort(SERIES, DAY)
    past = [pl.col(TARGET.name).shift(lag).over(SERIES).alias(name) for lag, name in enumerate(LAGS, start=1)]
    return grid.join(frame, on=[SERIES, DAY], how="left", maintain_order="left").with_columns(past)


def _name(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with an id, whose day is that of the start."""
    names = [pl.format("{} {}", SERIES, DAY).alias(ROW_ID)] if ROW_ID else []
    return rows.select(*names, pl.all()).rename({DAY: "start"})
