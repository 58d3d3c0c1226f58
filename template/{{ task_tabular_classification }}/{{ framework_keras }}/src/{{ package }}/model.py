"""The model: built, fitted, searched and exported; with `network.py`, the only file that builds on Keras."""

from typing import Any

import msgspec
import onnx
import optuna

from . import network
from .core.contract.columns import Answer, Columns
from .core.task.target import spare
from .core.training.backend import keras
from .core.training.encoding import Encoder
from .core.training.fitting import Fit
from .network import ModelParams
from .schema import LABELS


class Model:
    """A network that answers probabilities, and the codes of its categories."""

    network: keras.Model

    def __init__(self, params: ModelParams, seed: int) -> None:
        self.params, self.seed = params, seed
        self.encoder = Encoder([])


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams`.
    """
    return Model(msgspec.convert(params, ModelParams), seed)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to the training rows until those for validation no longer gain from it."""
    work = msgspec.structs.replace(work, validation=spare(work.target, work.validation))
    model.encoder = Encoder.fit({name: values[~work.validation] for name, values in work.features.items()})
    loss = "sparse_categorical_crossentropy"
    model.network = network.fit(
        model.params, model.seed, model.encoder, work, work.target, loss, len(LABELS), activation="softmax"
    )
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    return {"probabilities": network.predict(model.network, model.encoder, columns)}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    return network.export(model.network, model.encoder, ["probabilities"])


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return network.suggest(trial, params)
