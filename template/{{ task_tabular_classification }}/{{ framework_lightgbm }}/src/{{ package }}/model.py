"""The model: built, fitted, searched and exported; the only file that builds on LightGBM.

Categories reach LightGBM as categories, not as columns of zeros and ones, and a missing number goes wherever it lowers
the loss. Both survive the export to ONNX, which training checks on every run.
"""

from typing import Any

import lightgbm as lgb
import msgspec
import onnx
import optuna
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from .core.contract.columns import Answer, Columns
from .core.task.target import spare
from .core.training.encoding import Encoder
from .core.training.fitting import Fit
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
    """An estimator, and the codes of its categories."""

    def __init__(self, params: ModelParams, seed: int) -> None:
        values = msgspec.to_builtins(params)
        self.patience = values.pop("early_stopping_rounds")
        self.encoder = Encoder([])
        self.estimator = lgb.LGBMClassifier(
            **values,
            random_state=seed,
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
    validate = spare(work.target, work.validation)
    learn = ~validate
    model.encoder = Encoder.fit({name: values[learn] for name, values in work.features.items()})
    features = matrix(model.encoder, work.features)

    def report(state: lgb.callback.CallbackEnv) -> None:
        for result in state.evaluation_result_list or []:
            work.report(state.iteration, {"validation_loss": float(result[2])})

    model.estimator.fit(
        features[learn],
        work.target[learn],
        sample_weight=None if work.weights is None else work.weights[learn],
        eval_X=features[validate],
        eval_y=work.target[validate],
        eval_sample_weight=None if work.weights is None else [work.weights[validate]],
        categorical_feature=CATEGORY_POSITIONS,
        callbacks=[report, lgb.early_stopping(model.patience, verbose=False)],
    )
    round_thresholds(model.estimator)
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    probabilities: Any = model.estimator.predict_proba(matrix(model.encoder, columns))
    return {"probabilities": probabilities}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    inputs = [("matrix", FloatTensorType([None, WIDTH]))]
    graph: onnx.ModelProto = convert_lightgbm(model.estimator, initial_types=inputs, zipmap=False)
    take_features(graph, model.encoder)
    for output in [output for output in graph.graph.output if output.name != "probabilities"]:
        graph.graph.output.remove(output)
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
