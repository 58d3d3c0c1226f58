"""Examples from rows that carry the past: which of them are held out, and which a model may be calibrated by."""

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...schema import AUDIT, FREQUENCY, HORIZON, INPUTS
from ..contract.tables import to_columns
from ..errors import ProjectError
from ..evaluation.measure import Examples
from ..params import Split
from .target import to_target

MIN_ORIGINS = 12
"""All series share their days, so the days on which forecasts begin are what chance draws: few of them say nothing."""


class Place(msgspec.Struct, frozen=True):
    """Where each row belongs, and to which unit, shape (rows,) each."""

    training: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    units: NDArray[np.int64]


def split(frame: pl.DataFrame, params: Split) -> tuple[Examples, Examples]:
    """Return the rows to train on and those held out."""
    rows = place(frame, params)
    return _examples(frame, rows.training, rows), _examples(frame, rows.held_out, rows)


def place(frame: pl.DataFrame, params: Split) -> Place:
    """Return where each row belongs.

    Held out are the newest periods. Forecasts of them begin a horizon apart, so that no value is forecast twice; what
    begins on the same day is one unit. Rows to train on end before the first of these days: the horizon between them is
    the gap over which they would know what is asked. An older model has not seen the held-out periods either, for they
    were not there yet.

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
    return Place(training, np.isin(periods, origins), validation, periods)


def count_periods(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the number of each day's period, counted from the first of them, shape (rows,)."""
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    first, last = (pl.lit(day).cast(pl.Date) for day in (days.min(), days.max()))
    grid = pl.select(pl.date_range(first, last, f"1{FREQUENCY}")).to_series().to_numpy()
    return np.searchsorted(grid, days).astype(np.int64)


def _examples(frame: pl.DataFrame, chosen: NDArray[np.bool_], place: Place) -> Examples:
    rows = frame.filter(chosen)
    return Examples(
        columns=to_columns(rows, INPUTS),
        audit=to_columns(rows, AUDIT),
        target=to_target(rows),
        units=place.units[chosen],
        validation=place.validation[chosen],
    )
