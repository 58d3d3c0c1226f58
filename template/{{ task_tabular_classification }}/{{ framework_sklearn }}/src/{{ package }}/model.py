"""The model: built, fitted, searched and exported; the only file that builds on scikit-learn's estimators.

Everything that is fitted must survive the export to ONNX, which training checks on every run. Known not to: native
categories of HistGradientBoosting, a scaler in front of trees, and functions of one's own (which belong in
`features.py`).
"""

from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import onnx
import optuna
import polars as pl
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .core.contract.columns import Answer, Columns
from .core.training.fitting import Fit
from .core.training.thresholds import round_thresholds
from .schema import FEATURES

NUMBERS = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
CATEGORIES = [feature.name for feature in FEATURES if feature.matrix == "texts"]

Model: TypeAlias = Pipeline


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`; each kind has the estimator's own parameters."""

    kind: Literal["gradient_boosting", "logistic_regression"]
    gradient_boosting: dict[str, Any] = {}
    logistic_regression: dict[str, Any] = {}


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams` or of the estimator.
    """
    chosen = msgspec.convert(params, ModelParams)
    match chosen.kind:
        case "gradient_boosting":
            numbers: Any = "passthrough"  # trees take a missing number as it is
            estimator: Any = HistGradientBoostingClassifier(random_state=seed, **chosen.gradient_boosting)
        case "logistic_regression":
            numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
            estimator = LogisticRegression(random_state=seed, max_iter=1000, **chosen.logistic_regression)
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    # By position, because the exported graph takes numbers and texts as a matrix each.
    positions = list(range(len(NUMBERS) + len(CATEGORIES)))
    columns = ColumnTransformer(
        [
            ("numbers", numbers, positions[: len(NUMBERS)]),
            ("categories", categories, positions[len(NUMBERS) :]),
        ]
    )
    model: Model = make_pipeline(columns, estimator)
    return model


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to all training rows."""
    weights = {} if work.weights is None else {f"{model.steps[-1][0]}__sample_weight": work.weights}
    return round_thresholds(model.fit(_table(work.features), work.target, **weights))


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    return {"probabilities": model.predict_proba(_table(columns))}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    inputs = [
        ("numbers", FloatTensorType([None, len(NUMBERS)])),
        ("texts", StringTensorType([None, len(CATEGORIES)])),
    ]
    present = [(name, kind) for name, kind in inputs if kind.shape[1]]
    graph: onnx.ModelProto = to_onnx(model, initial_types=present, options={"zipmap": False})
    for output in [output for output in graph.graph.output if output.name != "probabilities"]:
        graph.graph.output.remove(output)
    return graph


def _table(columns: Columns) -> pl.DataFrame:
    return pl.DataFrame({name: columns[name] for name in [*NUMBERS, *CATEGORIES]})


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    kind = params["kind"]
    match kind:
        case "gradient_boosting":
            suggested: dict[str, float] = {
                "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
                "max_iter": trial.suggest_int("max_iter", 50, 300, step=10),
                "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 31),
                "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 50),
                "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10, log=True),
            }
        case _:
            suggested = {"C": trial.suggest_float("C", 1e-3, 100, log=True)}
    return params | {kind: params.get(kind, {}) | suggested}
