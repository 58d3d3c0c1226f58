"""The target of a recommender: the items that came next."""

from typing import Any

import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from ...schema import TARGET
from ..contract.columns import Column, Items
from ..contract.tables import to_columns
from ..errors import ProjectError
from ..evaluation.measure import Examples, Rows, Target

TARGET_COLUMN: Column = Items(name=TARGET, description="The items that came next", counted=False)
"""What a snapshot holds of it."""


def to_target(frame: pl.DataFrame) -> NDArray[Any]:
    """Return the target, shape (rows,): items with a space between them."""
    return to_columns(frame, [TARGET_COLUMN])[TARGET]


def check(training: Target, held_out: Target) -> None:
    """Check that a model can learn and be judged.

    Raises:
        ProjectError: a side has no users.
    """
    if not len(training) or not len(held_out):
        raise ProjectError("the data have too few users to train on some and hold out others: bring more")


def folds(training: Examples, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return which users to learn from and which to check, for each fold of a cross-validation."""
    return list(KFold(count, shuffle=True, random_state=seed).split(training.target))
