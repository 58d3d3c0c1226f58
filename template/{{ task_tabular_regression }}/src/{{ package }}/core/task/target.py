"""The target of a regression: a number."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold

from ...schema import TARGET
from ..contract.columns import Column
from ..errors import ProjectError
from ..evaluation.measure import Examples, Rows

TARGET_COLUMN: Column = TARGET
"""What a snapshot holds of it."""


def to_target(frame: pl.DataFrame) -> NDArray[Any]:
    """Return the target, shape (rows,), as float64."""
    return frame[TARGET.name].to_numpy()


def check(training: NDArray[Any], held_out: NDArray[Any]) -> None:
    """Check that a model can be trained and measured.

    Raises:
        ProjectError: the target is the same in all rows, so that there is nothing to predict.
    """
    if min(len(np.unique(training)), len(np.unique(held_out))) < 2:
        raise ProjectError(f"the rows to train on, or those held out, do not differ in {TARGET.name}")


def folds(training: Examples, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return which rows to learn from and which to check, for each fold of a cross-validation; units stay whole."""
    if len(np.unique(training.units)) == training.rows:
        return list(KFold(count, shuffle=True, random_state=seed).split(training.target))
    whole = GroupKFold(count, shuffle=True, random_state=seed)
    return list(whole.split(training.target, groups=training.units))
