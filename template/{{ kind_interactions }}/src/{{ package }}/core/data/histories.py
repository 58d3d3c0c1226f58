"""From a long table, which has a row for each interaction, to rows as requests carry them: one for each user."""

import polars as pl

from ...schema import DAY, HIDDEN, INPUTS, ITEM, TARGET, USER
from ..contract.columns import Category, Column, Date, Items
from ..contract.tables import typed
from ..errors import ProjectError
from .validation import check, table

COLUMNS: tuple[Column, ...] = (Category(name=USER), Category(name=ITEM), Date(name=DAY))
"""The columns of the long table."""
HISTORY = next(column for column in INPUTS if isinstance(column, Items))
"""The first of the inputs, which holds what a user is known by."""


def is_cut(rows: pl.LazyFrame) -> bool:
    """Tell whether rows are as requests carry them."""
    return HISTORY.name in rows.collect_schema().names()


def cut_training(raw: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each user, with the newest items as what a model has to find and the others as the history.

    Hidden are `HIDDEN` items, or fewer of users who would have no history then; users of one item are left out. Of
    a day the order of the table counts, and of an item that comes again only the first time.

    Raises:
        ProjectError: the table lacks columns, or its rows break the contract.
    """
    _find_columns(raw.columns)
    frame, bad = check(raw, COLUMNS)
    if bad.height:
        raise ProjectError(f"the data hold bad values; correct them or remove their rows in source.py:\n{table(bad)}")
    if (spaced := frame.filter(pl.col(ITEM).str.contains(r"\s"))).height:
        raise ProjectError(f"the item {spaced[ITEM][0]!r} has a space in its name: replace it in source.py")
    users = _collect(frame.lazy()).collect().filter(pl.col(ITEM).list.len() > 1)
    if users.is_empty():
        raise ProjectError("no user of the data has two items, of which one could be known and one be found")
    hidden = pl.min_horizontal(pl.lit(HIDDEN), pl.col(ITEM).list.len() - 1)
    known = pl.col(ITEM).list.head(pl.col(ITEM).list.len() - hidden)
    return _name(users.with_columns(pl.col(ITEM).list.tail(hidden).list.join(" ").alias(TARGET), history=known))


def cut_newest(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row for each user, with all items as the history.

    The interactions are held in memory, as those of a user may be anywhere in the table.

    Raises:
        ProjectError: the table lacks columns.
    """
    _find_columns(raw.collect_schema().names())
    return _name(_collect(raw.select(typed(column) for column in COLUMNS)).rename({ITEM: "history"}).collect()).lazy()


def _find_columns(names: list[str]) -> None:
    if missing := [column.name for column in COLUMNS if column.name not in names]:
        raise ProjectError(f"the data have no column {', '.join(missing)}, which schema.py names")


def _collect(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row for each user with the list of the items, the newest last."""
    ordered = frame.sort(DAY, maintain_order=True).unique([USER, ITEM], keep="first", maintain_order=True)
    return ordered.group_by(USER).agg(ITEM).sort(USER)


def _name(users: pl.DataFrame) -> pl.DataFrame:
    """Return users with the columns of a request, the history as a text, and how long it is."""
    history = pl.col("history").list.tail(HISTORY.max_items)
    others = [column.name for column in INPUTS if column is not HISTORY]
    return users.select(
        pl.col(USER),
        history.list.join(" ").alias(HISTORY.name),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in others),
        pl.col("history").list.len().alias("length"),
        *(pl.col(name) for name in (TARGET,) if name in users.columns),
    )
