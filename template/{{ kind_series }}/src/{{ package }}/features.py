"""The features: one function that training, evaluation, serving and batch all call, so that they cannot disagree.

A bundle records what this file and your modules that it imports compute, and a model is never served with features that
it was not trained with: after a change, train again. Comments, docstrings and formatting do not count.
"""

import numpy as np

from .core.contract.columns import Columns
from .schema import HISTORY, HORIZON, SEASON


def features(columns: Columns) -> Columns:
    """Turn columns as a request carries them into columns as the model takes them.

    Series of all sizes are learned from together, so the past is told relative to its level, which is the mean size of
    what is known of the newest season. A feature that differs from one forecast period to the next is there once for
    each of them, such as `month_ahead_1`; all periods share the others. Stateless and row by row: what is learned from
    data belongs in `model.py`. A new feature is an entry here and in `FEATURES` of `schema.py`.
    """
    lags = np.column_stack([columns[f"lag_{lag}"] for lag in range(1, HISTORY + 1)])
    newest = np.abs(lags[:, :SEASON])
    known = np.isfinite(newest)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.minimum(np.where(known, newest, 0).sum(axis=1) / known.sum(axis=1), 1e30)  # float32 ends at 3e38
        relative = lags / level[:, None]
    month = columns["start"].astype("datetime64[M]").astype(np.int64)
    periods = range(1, HORIZON + 1)
    return columns | {
        "level": level,
        **{f"relative_{lag}": relative[:, lag - 1] for lag in range(1, HISTORY + 1)},
        **{f"periods_ahead_{period}": np.full(len(lags), float(period)) for period in periods},
        **{f"season_ahead_{period}": relative[:, -period % SEASON] for period in periods},  # the season before
        **{f"month_ahead_{period}": (month + period - 1) % 12 + 1.0 for period in periods},
    }
