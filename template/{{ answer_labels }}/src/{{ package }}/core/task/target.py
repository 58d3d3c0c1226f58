"""The target of a classifier: one of several labels."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ...schema import LABELS, TARGET
from ..contract.columns import Category, Column
from ..contract.tables import FILLERS, READERS
from ..errors import ProjectError
from ..evaluation.measure import Examples, Rows
from .answer import NAMES, lacking_in


class Label(Category, frozen=True, kw_only=True):
    """One of `LABELS`, as text."""


TARGET_COLUMN: Column = Label(name=TARGET, values=NAMES)
"""What a snapshot holds of it."""


def read_labels(values: pl.Expr) -> pl.Expr:
    """Return labels of any type as text: numbers are compared as numbers, and true and false in any spelling."""
    text = values.cast(pl.String, strict=False)
    if all(isinstance(label, bool) for label in LABELS):
        return text.str.to_lowercase().replace({name.lower(): name for name in NAMES})
    if all(isinstance(label, int | float) for label in LABELS):
        numbers = text.cast(pl.Float64, strict=False)
        return numbers.replace_strict([float(label) for label in LABELS], NAMES, default=text, return_dtype=pl.String)
    return text


READERS[Label] = read_labels
FILLERS[Label] = ""


def to_target(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Return the target, shape (rows,), as positions in `LABELS`."""
    return frame[TARGET].replace_strict(NAMES, range(len(NAMES)), return_dtype=pl.Int64).to_numpy()


def check(training: NDArray[np.int64], held_out: NDArray[np.int64]) -> None:
    """Check that a model can be trained and measured.

    Of several labels some may be missing among the rows held out, where then nothing is known of them.

    Raises:
        ProjectError: a label is not in the rows to train on, or those held out do not have two.
    """
    if lacking := lacking_in(training):
        raise ProjectError(
            f"no row to train on is labelled {', '.join(lacking)}: hold out less by split.holdout in params.yaml, or "
            "take the label out of LABELS and its rows out in `read` of source.py"
        )
    if len(lacking := lacking_in(held_out)) > len(NAMES) - 2:
        raise ProjectError(
            f"no row held out is labelled {' or '.join(lacking)}: a model is measured by rows of at least two labels, "
            "so hold out more by split.holdout in params.yaml, or add such rows"
        )


def folds(training: Examples, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return which rows to learn from and which to check, for each fold of a cross-validation; units stay whole.

    Rows of a label that only those to check have are learned from, too.
    """
    if len(np.unique(training.units)) == training.rows:
        parts = StratifiedKFold(count, shuffle=True, random_state=seed).split(training.target, training.target)
    else:
        whole = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        parts = whole.split(training.target, training.target, training.units)
    every = np.arange(training.rows)
    return [(np.flatnonzero(~spare(training.target, np.isin(every, check))), check) for _, check in parts]


def spare(target: NDArray[np.int64], validation: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of these rows can be left out of a fit, shape (rows,): not those of labels that no other row has.

    A model that never sees a label has no place for it in its answer.
    """
    return validation & np.isin(target, target[~validation])
