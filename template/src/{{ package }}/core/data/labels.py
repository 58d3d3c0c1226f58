"""Labels that come late: what happened to the rows of requests, read from a table."""

from typing import Any

import polars as pl

from ...schema import ROW_ID
from ..contract.columns import Category, Number
from ..contract.optional import MISSING
from ..contract.tables import blank
from ..errors import ProjectError
from ..task.target import TARGET_COLUMN
from . import sources
from .validation import check, table

REQUEST, ROW = Category(name="request_id"), Number(name="row", minimum=0)


def read(path: str) -> list[tuple[str, int, Any]]:
    """Return the id of a request, the number of a row in it, and what happened, for each row of a table.

    Without a column `row` each request had one row. Without a column `request_id`, the rows' own ids stand for those of
    requests, which were then asked with that id. Rows of which it is not known yet what happened are left out.

    Args:
        path: A path or URI of a file of CSV, Parquet or JSON lines.

    Raises:
        ProjectError: it cannot be read, lacks columns, or holds what breaks the contract.
    """
    try:
        raw = sources.scan(path).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise ProjectError(f"the labels cannot be read from {path}: {reason}") from error
    if REQUEST.name not in raw.columns and ROW_ID in raw.columns:
        raw = raw.rename({str(ROW_ID): REQUEST.name})
    if missing := [column.name for column in (REQUEST, TARGET_COLUMN) if column.name not in raw.columns]:
        raise ProjectError(
            f"{path} has no column {' and '.join(missing)}; it must have {REQUEST.name} or {ROW_ID or 'ROW_ID'}, "
            f"{TARGET_COLUMN.name}, and {ROW.name} where a request had several rows"
        )
    rows = raw if ROW.name in raw.columns else raw.with_columns(pl.lit(0).alias(ROW.name))
    known = blank(rows, [TARGET_COLUMN], MISSING).filter(pl.col(TARGET_COLUMN.name).is_not_null())
    frame, bad = check(known, (REQUEST, ROW, TARGET_COLUMN))
    if bad.height:
        raise ProjectError(f"{path} holds invalid values; correct them or remove their rows:\n{table(bad)}")
    whole = frame.with_columns(pl.col(ROW.name).cast(pl.Int64))
    return whole.select(REQUEST.name, ROW.name, TARGET_COLUMN.name).rows()
