"""The model: built, fitted, searched and exported; the only file that builds on LightGBM.

Categories reach LightGBM as categories, not as columns of zeros and ones, and a missing number goes wherever it lowers
the error. Both survive the export to ONNX, which training checks on every run.
"""

from typing import Any

import lightgbm as lgb
import msgspec
import numpy as np
import onnx
import optuna
from numpy.typing import NDArray
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from .core.contract.columns import Answer, Columns
from .core.evaluation.measure import Rows, Target
from .core.task.interval import FOLDS, Width, calibrate, join
from .core.training.encoding import Encoder
from .core.training.fitting import Fit, Watch
from .core.training.thresholds import round_thresholds
from .core.training.trees import CATEGORY_POSITIONS, WIDTH, matrix, take_features


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`; the names are LightGBM's own, which would only warn of a wrong one."""

    n_estimators: int = 1000
    learning_rate: float = 0.05
    num_leaves: int = 15
    max_depth: int = -1
    min_child_samples: int = 20
    min_split_gain: float = 0.0
    reg_alpha: float = 0.0
    reg_lambda: float = 1.0
    subsample: float = 1.0
    subsample_freq: int = 0
    colsample_bytree: float = 1.0
    cat_smooth: float = 10.0
    cat_l2: float = 10.0
    early_stopping_rounds: int = 50
    device_type: str = "cpu"


class Model:
    """What predicts the value, what predicts how large the error of that is, and the interval that follows."""

    def __init__(self, params: ModelParams, seed: int) -> None:
        self.params, self.seed = params, seed
        self.encoder = Encoder([])
        self.width = Width(least=1, factor=0)
        self.value, self.error = self.make(), self.make()

    def make(self) -> lgb.LGBMRegressor:
        """Return an unfitted estimator."""
        values = msgspec.to_builtins(self.params)
        values.pop("early_stopping_rounds")
        return lgb.LGBMRegressor(
            **values,
            random_state=self.seed,
            deterministic=True,
            force_row_wise=True,  # the other order depends on what is faster at the moment
            verbosity=-1,
        )


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams`.
    """
    return Model(msgspec.convert(params, ModelParams), seed)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to the training rows until those for validation no longer gain from it."""
    model.encoder = Encoder.fit({name: values[~work.validation] for name, values in work.features.items()})
    features = matrix(model.encoder, work.features)
    rows = np.arange(len(work.target))

    def predict_out_of_fold(target: Target) -> NDArray[Any]:
        predicted = np.zeros(len(rows))
        for learn, check in FOLDS.split(rows):
            estimator = _fit(model, model.make(), work, target, learn, lambda *_: None)
            predicted[check] = estimator.predict(features[check])
        return predicted

    errors, model.width = calibrate(work.target, predict_out_of_fold)
    model.value = _fit(model, model.value, work, work.target, rows, work.report)
    model.error = _fit(model, model.error, work, errors, rows, lambda *_: None)
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows,) each, as the model itself gives it: what the export must equal."""
    features = matrix(model.encoder, columns)
    value: Any = model.value.predict(features)
    error: Any = model.error.predict(features)
    return model.width.around(value, error)


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    return join(_graph(model, model.value), _graph(model, model.error), model.width)


def _fit(
    model: Model, estimator: lgb.LGBMRegressor, work: Fit, target: Target, rows: Rows, watch: Watch
) -> lgb.LGBMRegressor:
    """Return an estimator, fitted to rows until those of them that are for validation no longer gain from it."""
    learn, validate = rows[~work.validation[rows]], rows[work.validation[rows]]
    features = matrix(model.encoder, work.features)

    def report(state: lgb.callback.CallbackEnv) -> None:
        for result in state.evaluation_result_list or []:
            watch(state.iteration, {"validation_loss": float(result[2])})

    estimator.fit(
        features[learn],
        target[learn],
        eval_X=features[validate],
        eval_y=target[validate],
        categorical_feature=CATEGORY_POSITIONS,
        callbacks=[report, lgb.early_stopping(model.params.early_stopping_rounds, verbose=False)],
    )
    round_thresholds(estimator)
    return estimator


def _graph(model: Model, estimator: lgb.LGBMRegressor) -> onnx.ModelProto:
    """Return an estimator as a graph that takes the features and has one output."""
    inputs = [("matrix", FloatTensorType([None, WIDTH]))]
    graph: onnx.ModelProto = convert_lightgbm(estimator, initial_types=inputs)
    take_features(graph, model.encoder)
    return graph


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return params | {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 63),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 50),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1.0),
    }
