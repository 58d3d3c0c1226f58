"""The model: built, fitted, searched and exported; the only file that builds on scikit-learn's estimators.

Everything that is fitted must survive the export to ONNX, which training checks on every run. Known not to: a scaler in
front of trees, and functions of one's own (which belong in `features.py`).
"""

from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
import onnx
import optuna
import polars as pl
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from .core.contract.columns import Answer, Columns
from .core.training.fitting import Fit
from .core.training.isolation import add_score, to_regressor
from .schema import FEATURES

NUMBERS = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
CATEGORIES = [feature.name for feature in FEATURES if feature.matrix == "texts"]

Model: TypeAlias = Pipeline


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`: trees, rows that each is given, and the share of columns that each sees."""

    n_estimators: Annotated[int, msgspec.Meta(ge=1)] = 100
    max_samples: Annotated[int, msgspec.Meta(ge=2)] = 256
    max_features: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams`.
    """
    chosen = msgspec.convert(params, ModelParams)
    numbers = SimpleImputer(strategy="median", keep_empty_features=True)
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    # By position, because the exported graph takes numbers and texts as a matrix each.
    positions = list(range(len(NUMBERS) + len(CATEGORIES)))
    columns = ColumnTransformer(
        [
            ("numbers", numbers, positions[: len(NUMBERS)]),
            ("categories", categories, positions[len(NUMBERS) :]),
        ]
    )
    model: Model = make_pipeline(columns, IsolationForest(random_state=seed, **msgspec.structs.asdict(chosen)))
    return model


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to all training rows, without their target."""
    model[-1].max_samples = min(model[-1].max_samples, len(work.target))
    fitted: Model = model.fit(_table(work.features))
    return fitted


def predict(model: Model, columns: Columns) -> Answer:
    """Return scores, shape (rows,), as the model itself gives them: what the export must equal."""
    return {"score": -model.score_samples(_table(columns))}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    inputs = [
        ("numbers", FloatTensorType([None, len(NUMBERS)])),
        ("texts", StringTensorType([None, len(CATEGORIES)])),
    ]
    present = [(name, kind) for name, kind in inputs if kind.shape[1]]
    columns, forest = model
    return add_score(to_onnx(make_pipeline(columns, to_regressor(forest)), initial_types=present), forest.max_samples_)


def _table(columns: Columns) -> pl.DataFrame:
    return pl.DataFrame({name: columns[name] for name in [*NUMBERS, *CATEGORIES]})


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search, which compares models by the labels of training rows."""
    return params | {
        "n_estimators": trial.suggest_int("n_estimators", 50, 300, step=10),
        "max_samples": trial.suggest_int("max_samples", 16, 1024, log=True),
        "max_features": trial.suggest_float("max_features", 0.2, 1.0),
    }
