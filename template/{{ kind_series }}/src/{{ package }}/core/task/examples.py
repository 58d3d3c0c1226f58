"""Examples from rows that carry the past: which of them are held out, and which a model may be calibrated by."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import FREQUENCY, HORIZON, INPUTS, SERIES
from ..contract.columns import Columns
from ..contract.tables import to_columns
from ..data.places import Place, gather
from ..data.windows import LAGS
from ..errors import ProjectError
from ..evaluation.measure import Examples
from ..params import Split
from .target import to_target

MIN_ORIGINS = 12
"""All series share their days, so the days on which forecasts begin are what chance draws: few of them say nothing."""


def split(frame: pl.DataFrame, params: Split) -> tuple[Examples, Examples]:
    """Return the rows to train on and those held out."""
    rows = place(frame, params)
    return gather(frame, rows.training, rows), gather(frame, rows.held_out, rows)


def place(frame: pl.DataFrame, params: Split) -> Place:
    """Return where each row belongs.

    Held out are the newest periods. Forecasts of them begin a horizon apart, so that no value is forecast twice; what
    begins on the same day is one unit. Rows to train on end before the first of these days: the horizon between them is
    the gap over which they would know what is asked, and the same gap lies before the validation rows. An older model
    has not seen the held-out periods either, for they were not there yet.

    Raises:
        ProjectError: there are too few periods to tell chance from skill, or none is left to train on.
    """
    periods = count_periods(frame["start"].to_numpy())
    last = int(periods.max(initial=0))
    origins = last - HORIZON * np.arange(round(params.holdout * (last + 1) / HORIZON))
    if len(origins) < MIN_ORIGINS:
        raise ProjectError(
            f"split.holdout of {params.holdout:g} holds out {len(origins)} forecasts of each series, one after the "
            f"other, and it takes {MIN_ORIGINS} to judge a model: raise it in params.yaml, or bring a longer history"
        )
    training = periods + HORIZON <= origins[-1]
    if not training.any():
        raise ProjectError("no row is left to train on: lower split.holdout in params.yaml, or bring a longer history")
    validation = training & (periods > (1 - params.validation) * periods[training].max())
    if validation.any():
        training &= validation | (periods + HORIZON <= periods[validation].min())
    return Place(training, np.isin(periods, origins), validation, periods)


def count_periods(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the number of each day's period, counted from the first of them, shape (rows,)."""
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    first, last = (pl.lit(day).cast(pl.Date) for day in (days.min(), days.max()))
    grid = pl.select(pl.date_range(first, last, f"1{FREQUENCY}")).to_series().to_numpy()
    return np.searchsorted(grid, days).astype(np.int64)


def suspects(frame: pl.DataFrame) -> tuple[Columns, NDArray[Any]]:
    """Return the inputs that may leak the target, and the target, shape (rows, horizon).

    What is cut from the table is known when a forecast begins. The past of a series may well tell nearly all of what
    comes, and so may its size, which is no leak: numbers count in standard deviations from the mean of their series.
    """
    columns = to_columns(frame, [column for column in INPUTS if column.name not in ("start", *LAGS)])
    series = frame.get_column(SERIES, default=pl.repeat("", frame.height, eager=True))
    numbers = {name: values for name, values in columns.items() if values.dtype.kind == "f"}
    told = columns | {name: _standardize(values, series) for name, values in numbers.items()}
    return told, _standardize(to_target(frame), series)


def _standardize(values: NDArray[Any], series: pl.Series) -> NDArray[Any]:
    """Return numbers, shape (rows, …), in standard deviations from the mean of their series."""
    each = pl.all()
    table = pl.DataFrame(values).fill_nan(None)
    centred = table.select((each - each.mean().over(series)) / each.std(ddof=0).over(series))
    return centred.fill_nan(0).to_numpy().reshape(values.shape)
