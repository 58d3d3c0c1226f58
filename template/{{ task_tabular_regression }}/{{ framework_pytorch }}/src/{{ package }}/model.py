"""The model: built, fitted, searched and exported; with `network.py`, the only file that builds on PyTorch.

One network predicts the value and the size of its own error. The rows for validation then say how wide intervals have
to be: networks that learn from fewer rows, out of fold, make larger errors than the one that is kept.
"""

from typing import Any

import msgspec
import numpy as np
import onnx
import optuna
import torch
from torch import Tensor, nn

from . import network
from .core.contract.columns import Answer, Columns
from .core.evaluation.measure import take
from .core.task.answer import NAMES
from .core.task.interval import Width, calibrate
from .core.training.encoding import Encoder
from .core.training.fitting import Fit
from .network import ModelParams, Network


class Interval(nn.Module):
    """A value and its interval, from a network that predicts the value and the size of its error: what is exported.

    The network counts in standard deviations of the target, from the target's mean on.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: Network, mean: float, scale: float, width: Width) -> None:
        super().__init__()
        self.network, self.width = network, width
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, numbers: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the value and both ends of its interval in the target's own unit, shape (rows,) each."""
        outputs: Tensor = self.network(numbers, codes)
        value = outputs[:, 0] * self.scale + self.mean
        reach = outputs[:, 1].clamp(min=self.width.least) * self.width.factor * self.scale
        return value, value - reach, value + reach


class Model:
    """What answers a value and its interval, and the codes of its categories."""

    interval: Interval

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
    target = torch.tensor((work.target - mean) / scale, dtype=torch.float32)
    fitted = network.fit(model.params, model.seed, model.encoder, work, target, _loss, outputs=2)
    rows = np.flatnonzero(work.validation)
    with torch.inference_mode():
        value, error = fitted(*network.tensors(model.encoder, take(work.features, rows))).unbind(1)
    width = calibrate((target[rows] - value).abs().numpy(), error.numpy())
    model.interval = Interval(fitted, mean, scale, width)
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows,) each, as the model itself gives it: what the export must equal."""
    with torch.inference_mode():
        answer = model.interval(*network.tensors(model.encoder, columns))
        return {name: numbers.numpy() for name, numbers in zip(NAMES, answer, strict=True)}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    return network.export(model.interval, model.encoder, NAMES)


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return network.suggest(trial, params)


def _loss(outputs: Tensor, target: Tensor) -> Tensor:
    """Return the squared error of the value, and that of the size predicted for it, shape (rows,).

    The second one trains the size alone: no value gets worse to make its error easier to predict.
    """
    missed = target - outputs[:, 0]
    return missed.square() + (missed.detach().abs() - outputs[:, 1]).square()
