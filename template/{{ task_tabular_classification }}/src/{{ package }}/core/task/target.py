"""The target of a classifier: one of several labels."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from ...schema import TARGET
from ..contract.columns import Category, Column
from ..errors import ProjectError
from ..evaluation.measure import Examples, Rows
from .answer import NAMES

TARGET_COLUMN: Column = Category(name=TARGET, values=NAMES)
"""What a snapshot holds of it."""


def to_target(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Return the target, shape (rows,), as positions in `LABELS`.

    Raises:
        ProjectError: a label occurs nowhere.
    """
    target = frame[TARGET].replace_strict(NAMES, range(len(NAMES)), return_dtype=pl.Int64).to_numpy()
    if lacking := [name for i, name in enumerate(NAMES) if i not in target]:
        raise ProjectError(f"no row to train on, or none held out, is labelled {', '.join(lacking)}")
    return target


def folds(training: Examples, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return which rows to learn from and which to check, for each fold of a cross-validation."""
    return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(training.target, training.target))
