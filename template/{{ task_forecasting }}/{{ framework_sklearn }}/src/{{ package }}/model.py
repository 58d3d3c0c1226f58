"""The model: built, fitted, searched and exported; the only file that builds on scikit-learn's estimators.

There is a gradient boosting for each quantile, of all series and periods ahead together and relative to the level of
the series; the outer quantiles are shifted to hold their share of newer values. Everything that is fitted must survive
the export to ONNX, which training checks on every run. Known not to: native categories of HistGradientBoosting, and
functions of one's own (which belong in `features.py`).
"""

from typing import Any, NamedTuple

import numpy as np
import onnx
import optuna
import polars as pl
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from .core.contract.columns import Answer, Columns
from .core.evaluation.measure import Rows, Target, take
from .core.task.answer import QUANTILES
from .core.training.fitting import Fit
from .core.training.periods import align, spread
from .core.training.quantiles import Shifts, calibrate, join, no_shifts, put_in_order
from .core.training.thresholds import round_thresholds
from .schema import FEATURES, HORIZON

NUMBERS = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
CATEGORIES = [feature.name for feature in FEATURES if feature.matrix == "texts"]
LEVEL = "level"
"""The feature that forecasts are relative to."""

Parts = dict[str, Pipeline]
"""The fitted pipeline of each quantile."""


class Model(NamedTuple):
    """An unfitted pipeline, those that are fitted, and by how much their relative forecasts are shifted."""

    unfitted: Pipeline
    parts: Parts
    shifts: Shifts


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of the estimator.
    """
    # Not stopped early: scikit-learn would draw rows at random for that, and what they hold is known from those around.
    estimator = HistGradientBoostingRegressor(
        loss="quantile", quantile=0.5, early_stopping=False, random_state=seed, **params
    )
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    # By position, because the exported graph takes numbers and texts as a matrix each.
    numbers, texts = len(align(NUMBERS)), len(align(CATEGORIES))
    positions = list(range(numbers + texts))
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", positions[:numbers]),  # trees take a missing number as it is
            ("categories", categories, positions[numbers:]),
        ]
    )
    return Model(make_pipeline(columns, estimator), {}, {})


def fit(model: Model, work: Fit) -> Model:
    """Return the model, calibrated by the validation rows and fitted to all rows whose level is above zero."""
    level = work.features[LEVEL].astype(np.float64)
    known = np.flatnonzero(level > 0)
    features, target = take(work.features, known), work.target[known] / level[known, None]

    def fit_parts(rows: Rows) -> Parts:
        table, values = _table(take(features, rows)), target[rows].ravel()
        return {name: _fit_one(model.unfitted, quantile, table, values) for name, quantile in QUANTILES.items()}

    parts, validation = fit_parts(np.arange(len(known))), work.validation[known]
    if not validation.any():
        return Model(model.unfitted, parts, no_shifts())
    older, newer = np.flatnonzero(~validation), np.flatnonzero(validation)
    shifts = calibrate(target[newer], _forecast(fit_parts(older), take(features, newer)))
    return Model(model.unfitted, parts, shifts)


def _fit_one(unfitted: Pipeline, quantile: float, table: pl.DataFrame, target: Target) -> Pipeline:
    pipeline = clone(unfitted).set_params(histgradientboostingregressor__quantile=quantile)
    return round_thresholds(pipeline.fit(table, target))


def _forecast(parts: Parts, features: Columns) -> Answer:
    """Return forecasts relative to the level, shape (rows, horizon) each."""
    table = _table(features)
    return {name: pipeline.predict(table).reshape(-1, HORIZON) for name, pipeline in parts.items()}


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows, horizon) each, as the model itself gives it: what the export must equal."""
    forecasts, level = _forecast(model.parts, columns), columns[LEVEL][:, None]
    return put_in_order({name: (values + model.shifts[name]) * level for name, values in forecasts.items()})


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    inputs = [
        ("period_numbers", FloatTensorType([None, len(align(NUMBERS))])),
        ("period_texts", StringTensorType([None, len(align(CATEGORIES))])),
    ]
    present = [(name, kind) for name, kind in inputs if kind.shape[1]]
    graphs = {name: to_onnx(pipeline, initial_types=present) for name, pipeline in model.parts.items()}
    return join(graphs, model.shifts, {"numbers": NUMBERS, "texts": CATEGORIES}, LEVEL)


def _table(features: Columns) -> pl.DataFrame:
    """Return a row for each period of each row."""
    return pl.DataFrame(spread(features, NUMBERS) | spread(features, CATEGORIES))


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return params | {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "max_iter": trial.suggest_int("max_iter", 10, 200, step=10),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 31),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 20, 200),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10, log=True),
    }
