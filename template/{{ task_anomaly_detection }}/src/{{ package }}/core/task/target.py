"""The target of an anomaly detector: whether a row is an anomaly, which models are judged by and never learn from."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ...schema import TARGET
from ..contract.columns import Category, Column
from ..contract.tables import FILLERS, READERS
from ..errors import ProjectError
from ..evaluation.measure import Examples, Rows
from .answer import NAMES

SPELLINGS = {"0": "false", "0.0": "false", "no": "false", "1": "true", "1.0": "true", "yes": "true"}


class Flag(Category, frozen=True, kw_only=True):
    """True or false, as text."""


TARGET_COLUMN: Column = Flag(name=TARGET, values=NAMES)
"""What a snapshot holds of it."""


def read_flags(values: pl.Expr) -> pl.Expr:
    """Return flags of any type and spelling as text."""
    return values.cast(pl.String, strict=False).str.to_lowercase().replace(SPELLINGS)


READERS[Flag] = read_flags
FILLERS[Flag] = ""


def to_target(frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Return which rows are anomalies, shape (rows,)."""
    target: NDArray[np.bool_] = (frame[TARGET] == NAMES[1]).to_numpy()
    return target


def check(training: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> None:
    """Check that a model can be trained and measured.

    Raises:
        ProjectError: all rows are anomalies, or none is.
    """
    if any(target.all() or not target.any() for target in (training, held_out)):
        raise ProjectError(
            f"the rows to train on, or those held out, do not differ in {TARGET}: a model is judged by anomalies and "
            "normal rows, so hold out more by split.holdout in params.yaml, or add rows of the other kind"
        )


def folds(training: Examples, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return which rows to learn from and which to check, for each fold of a cross-validation; units stay whole.

    The anomalies are dealt evenly, so that a model can be judged on each fold.
    """
    if len(np.unique(training.units)) == training.rows:
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(training.target, training.target))
    whole = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return list(whole.split(training.target, training.target, training.units))
