"""The model: built, fitted, searched and exported; with `network.py`, the only file that builds on Keras.

One network predicts the value and the size of its own error. The rows for validation then say how wide intervals have
to be: networks that learn from fewer rows, out of fold, make larger errors than the one that is kept.
"""

from typing import Any

import msgspec
import numpy as np
import onnx
import optuna

from . import network
from .core.contract.columns import Answer, Columns
from .core.evaluation.measure import take
from .core.task.answer import NAMES
from .core.task.interval import calibrate
from .core.training.backend import keras
from .core.training.encoding import Encoder
from .core.training.fitting import Fit
from .network import ModelParams


class Model:
    """A network that answers a value and its interval, and the codes of its categories."""

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
    model.encoder = Encoder.fit({name: values[~work.validation] for name, values in work.features.items()})
    learned = work.target[~work.validation]
    mean, scale = float(learned.mean()), float(learned.std()) or 1.0
    target = (work.target - mean) / scale
    fitted = network.fit(model.params, model.seed, model.encoder, work, target, _loss, outputs=2)
    value, error = fitted.output[:, 0] * scale + mean, fitted.output[:, 1] * scale
    both = keras.Model(fitted.input, [value, error])
    rows = np.flatnonzero(work.validation)
    values, sizes = network.predict(both, model.encoder, take(work.features, rows))
    width = calibrate(np.abs(work.target[rows] - values), sizes)
    reach = width.factor * keras.ops.maximum(error, width.least)
    model.network = keras.Model(fitted.input, [value, value - reach, value + reach])
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows,) each, as the model itself gives it: what the export must equal."""
    return dict(zip(NAMES, network.predict(model.network, model.encoder, columns), strict=True))


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    return network.export(model.network, model.encoder, NAMES)


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return network.suggest(trial, params)


def _loss(target: Any, outputs: Any) -> Any:
    """Return the squared error of the value, and that of its predicted error, of each row, shape (rows,)."""
    missed = keras.ops.reshape(target, (-1,)) - outputs[:, 0]
    size = keras.ops.abs(keras.ops.stop_gradient(missed))
    return keras.ops.square(missed) + keras.ops.square(size - outputs[:, 1])
