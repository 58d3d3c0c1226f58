"""The model: built, fitted, searched and exported; with `network.py`, the only file that builds on PyTorch."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import optuna
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from . import network
from .core.contract.columns import Answer, Columns
from .core.evaluation.measure import Rows, Target, take
from .core.task.answer import NAMES
from .core.task.interval import FOLDS, Width, calibrate
from .core.training.encoding import Encoder
from .core.training.fitting import Fit
from .network import ModelParams, Network


class Scaled(nn.Module):
    """A network whose one output is in units of a target's standard deviation, from its mean on."""

    mean: Tensor
    scale: Tensor

    def __init__(self, network: Network, mean: float, scale: float) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return what is predicted in the target's own units, shape (rows,)."""
        outputs: Tensor = self.network(numbers, codes)[:, 0]
        return outputs * self.scale + self.mean


class Model:
    """What predicts the value, what predicts how large the error of that is, and the interval that follows."""

    value: Scaled
    error: Scaled

    def __init__(self, params: ModelParams, seed: int) -> None:
        self.params, self.seed = params, seed
        self.encoder = Encoder([])
        self.width = Width(least=1, factor=0)


class Interval(nn.Module):
    """What a model answers: what is exported."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.value, self.error, self.width = model.value, model.error, model.width

    def forward(self, numbers: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the value and both ends of its interval, shape (rows,) each."""
        value = self.value(numbers, codes)
        reach = self.width.factor * self.error(numbers, codes).clamp(min=self.width.least)
        return value, value - reach, value + reach


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams`.
    """
    return Model(msgspec.convert(params, ModelParams), seed)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to the training rows until those for validation no longer gain from it."""
    model.encoder = Encoder.fit({name: values[~work.validation] for name, values in work.features.items()})
    model.value = _fit(model, work, work.checkpoints and work.checkpoints / "value.pt")
    silent = msgspec.structs.replace(work, report=lambda *_: None)
    rows = np.arange(len(work.target))

    def predict_out_of_fold(target: Target) -> NDArray[Any]:
        predicted = np.zeros(len(rows))
        for learn, check in FOLDS.split(rows):
            fitted = _fit(model, _choose(silent, target, learn))
            with torch.inference_mode():
                predicted[check] = fitted(*network.tensors(model.encoder, take(work.features, check))).numpy()
        return predicted

    errors, model.width = calibrate(work.target, predict_out_of_fold)
    model.error = _fit(model, _choose(silent, errors, rows), work.checkpoints and work.checkpoints / "error.pt")
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return the answer, shape (rows,) each, as the model itself gives it: what the export must equal."""
    with torch.inference_mode():
        answer = Interval(model)(*network.tensors(model.encoder, columns))
        return {name: numbers.numpy() for name, numbers in zip(NAMES, answer, strict=True)}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    return network.export(Interval(model), model.encoder, list(NAMES))


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return network.suggest(trial, params)


def _fit(model: Model, work: Fit, checkpoint: Path | None = None) -> Scaled:
    """Return a network that predicts the target."""
    learned = work.target[~work.validation]
    mean, scale = float(learned.mean()), float(learned.std()) or 1.0
    target = torch.tensor((work.target - mean) / scale, dtype=torch.float32)
    fitted = network.fit(model.params, model.seed, model.encoder, work, target, _loss, outputs=1, checkpoint=checkpoint)
    return Scaled(fitted, mean, scale)


def _choose(work: Fit, target: Target, rows: Rows) -> Fit:
    """Return some of the rows, with another target."""
    return msgspec.structs.replace(
        work,
        features=take(work.features, rows),
        target=target[rows],
        validation=work.validation[rows],
        weights=None if work.weights is None else work.weights[rows],
    )


def _loss(outputs: Tensor, target: Tensor) -> Tensor:
    return nn.functional.mse_loss(outputs[:, 0], target, reduction="none")
