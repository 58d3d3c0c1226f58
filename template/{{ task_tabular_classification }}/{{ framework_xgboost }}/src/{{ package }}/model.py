"""The model: built, fitted, searched and exported; the only file that builds on XGBoost.

Categories reach XGBoost as categories, not as columns of zeros and ones, and a missing number goes wherever it lowers
the loss. Both survive the export to ONNX, which training checks on every run.
"""

from typing import Any

import msgspec
import onnx
import optuna
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBClassifier
from xgboost.callback import TrainingCallback

from .core.contract.columns import Answer, Columns
from .core.task.target import spare
from .core.training.encoding import CATEGORIES, NUMBERS, Encoder
from .core.training.fitting import Fit, Watch
from .core.training.trees import WIDTH, matrix, take_features


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`; the names are XGBoost's own, which would only warn of a wrong one."""

    n_estimators: int = 1000
    learning_rate: float = 0.05
    max_depth: int = 4
    min_child_weight: float = 1.0
    gamma: float = 0.0
    reg_alpha: float = 0.0
    reg_lambda: float = 1.0
    subsample: float = 1.0
    colsample_bytree: float = 1.0
    max_cat_to_onehot: int = 16
    early_stopping_rounds: int = 50
    device: str = "cpu"


class Model:
    """An estimator, and the codes of its categories."""

    def __init__(self, params: ModelParams, seed: int) -> None:
        self.encoder = Encoder([])
        self.estimator = XGBClassifier(
            **msgspec.to_builtins(params),
            random_state=seed,
            tree_method="hist",
            enable_categorical=True,
            feature_types=["q"] * len(NUMBERS) + ["c"] * len(CATEGORIES),
        )


class Reporting(TrainingCallback):
    """Reports the validation loss after each tree."""

    def __init__(self, report: Watch) -> None:
        self.report = report

    def after_iteration(self, _model: Any, epoch: int, evals_log: Any) -> bool:
        """Report, and let training go on."""
        for losses in evals_log["validation_0"].values():
            self.report(epoch, {"validation_loss": float(losses[-1])})
        return False


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
    model.estimator.set_params(callbacks=[Reporting(work.report)])
    model.estimator.fit(
        features[learn],
        work.target[learn],
        sample_weight=None if work.weights is None else work.weights[learn],
        eval_set=[(features[validate], work.target[validate])],
        sample_weight_eval_set=None if work.weights is None else [work.weights[validate]],
        verbose=False,
    )
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    return {"probabilities": model.estimator.predict_proba(matrix(model.encoder, columns))}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    inputs = [("matrix", FloatTensorType([None, WIDTH]))]
    graph: onnx.ModelProto = convert_xgboost(model.estimator, initial_types=inputs)
    take_features(graph, model.encoder)
    for output in [output for output in graph.graph.output if output.name != "probabilities"]:
        graph.graph.output.remove(output)
    return graph


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return params | {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 20, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1.0),
    }
