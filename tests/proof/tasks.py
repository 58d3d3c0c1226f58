"""What the proof has to know of each task and each framework; one that is missing here is not proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Prediction = Mapping[str, Any]

WEAK: Mapping[str, Mapping[str, float]] = {
    "keras": {"epochs": 1, "learning_rate": 1e-5},
    "lightgbm": {"n_estimators": 1, "num_leaves": 2},
    "pytorch": {"epochs": 1, "learning_rate": 1e-5},
    "sklearn": {"max_iter": 2, "max_leaf_nodes": 2},
    "xgboost": {"n_estimators": 1, "max_depth": 1},
}
"""Parameters with which a model of each framework learns next to nothing."""


def _adds_up(prediction: Prediction) -> bool:
    return bool(abs(sum(prediction["probabilities"].values()) - 1) < 1e-3)


def _is_in_its_interval(prediction: Prediction) -> bool:
    return bool(prediction["low"] <= prediction["value"] <= prediction["high"])


IS_SOUND: Mapping[str, Callable[[Prediction], bool]] = {
    "tabular_classification": _adds_up,
    "tabular_regression": _is_in_its_interval,
}
"""What must hold for every prediction of each task, whatever was asked."""


def as_columns(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction of the service as the columns that batch prediction writes."""
    probabilities = prediction.get("probabilities", {})
    rest = {name: value for name, value in prediction.items() if name != "probabilities"}
    return rest | {f"probability_{label}": value for label, value in probabilities.items()}
