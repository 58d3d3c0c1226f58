"""What a model's `fit` is given."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Columns
from ..evaluation.measure import Target

Watch = Callable[[int, Mapping[str, float]], Any]
"""Takes the number of a step of a fit, such as an epoch, and its values."""


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """The features and the target of the training rows, and where to report to.

    `validation` marks the rows by which a framework may stop early, shape (rows,); one that does not can learn from all
    of them. `weights` say how much each row counts, shape (rows,); None where all count the same. `report` takes a
    step's number and its values, such as {"loss": 0.3}, and may raise to stop the fit; by "validation_loss" a search
    stops early what does badly. `checkpoints` is a folder, perhaps not there yet, that outlives the process, or None
    where nothing is kept.
    """

    features: Columns
    target: Target
    validation: NDArray[np.bool_]
    weights: NDArray[np.float64] | None = None
    report: Watch
    checkpoints: Path | None = None
