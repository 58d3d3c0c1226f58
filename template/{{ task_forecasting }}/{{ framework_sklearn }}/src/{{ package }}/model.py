"""The model: built, fitted, searched and exported; the only file that builds on scikit-learn's estimators.

There is a gradient boosting for each quantile of each period ahead ("direct" forecasting), of all series together and
relative to their level; the outer quantiles are shifted to hold their share of newer values. Everything that is fitted
must survive the export to ONNX, which training checks on every run. Known not to: native categories of
HistGradientBoosting, and functions of one's own (which belong in `features.py`).
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
from .core.evaluation.measure import Target
from .core.task.answer import QUANTILES
from .core.training.fitting import Fit
from .core.training.quantiles import Shifts, calibrate, join, no_shifts, put_in_order
from .core.training.thresholds import round_thresholds
from .schema import FEATURES, HORIZON

NUMBERS = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
CATEGORIES = [feature.name for feature in FEATURES if feature.matrix == "texts"]
LEVEL = "level"
"""The feature that forecasts are relative to."""


Parts = dict[str, list[Pipeline]]
"""For each quantile the pipelines that are fitted to the periods ahead."""


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
    estimator = HistGradientBoostingRegressor(loss="quantile", quantile=0.5, random_state=seed, **params)
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    # By position, because the exported graph takes numbers and texts as a matrix each.
    positions = list(range(len(NUMBERS) + len(CATEGORIES)))
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", positions[: len(NUMBERS)]),  # trees take a missing number as it is
            ("categories", categories, positions[len(NUMBERS) :]),
        ]
    )
    return Model(make_pipeline(columns, estimator), {}, {})


def fit(model: Model, work: Fit) -> Model:
    """Return the model, calibrated by the validation rows and fitted to all rows whose level is above zero."""
    level = work.features[LEVEL].astype(np.float64)
    known = level > 0
    table, target = _table(work.features).filter(known), work.target[known] / level[known, None]
    newest = work.validation[known]
    older = _fit_parts(model.unfitted, table.filter(~newest), target[~newest])
    shifts = calibrate(target[newest], _forecast(older, table.filter(newest))) if newest.any() else no_shifts()
    parts = _fit_parts(model.unfitted, table, target) if newest.any() else older
    return Model(model.unfitted, parts, shifts)


def _fit_parts(unfitted: Pipeline, table: pl.DataFrame, target: Target) -> Parts:
    def fit_one(quantile: float, step: int) -> Pipeline:
        pipeline = clone(unfitted).set_params(histgradientboostingregressor__quantile=quantile)
        return round_thresholds(pipeline.fit(table, target[:, step]))

    return {name: [fit_one(quantile, step) for step in range(HORIZON)] for name, quantile in QUANTILES.items()}


def _forecast(parts: Parts, table: pl.DataFrame) -> Answer:
    """Return forecasts relative to the level, shape (rows, horizon) each."""
    return {name: np.column_stack([one.predict(table) for one in pipelines]) for name, pipelines in parts.items()}


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows, horizon) each, as the model itself gives it: what the export must equal."""
    forecasts, level = _forecast(model.parts, _table(columns)), columns[LEVEL][:, None]
    return put_in_order({name: (values + model.shifts[name]) * level for name, values in forecasts.items()})


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    inputs = [
        ("numbers", FloatTensorType([None, len(NUMBERS)])),
        ("texts", StringTensorType([None, len(CATEGORIES)])),
    ]
    present = [(name, kind) for name, kind in inputs if kind.shape[1]]
    graphs = {
        name: [to_onnx(pipeline, initial_types=present) for pipeline in pipelines]
        for name, pipelines in model.parts.items()
    }
    return join(graphs, model.shifts, NUMBERS.index(LEVEL))


def _table(columns: Columns) -> pl.DataFrame:
    return pl.DataFrame({name: columns[name] for name in [*NUMBERS, *CATEGORIES]})


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return params | {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "max_iter": trial.suggest_int("max_iter", 50, 300, step=10),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 31),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 20, 200),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10, log=True),
    }
