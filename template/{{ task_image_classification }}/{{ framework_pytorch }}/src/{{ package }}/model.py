"""The model: built, fitted, searched and exported; with `network.py`, the only file that builds on PyTorch."""

from typing import Any

import msgspec
import onnx
import optuna
import torch
from torch import Tensor, nn

from . import network
from .core.contract.columns import Answer, Columns
from .core.task.pixels import find_pixels
from .core.task.target import spare
from .core.training.fitting import Fit
from .network import ModelParams, Network
from .schema import FEATURES, LABELS

ROWS_AT_ONCE = 100


class Model:
    """A network whose outputs are the logits of the labels."""

    network: Network

    def __init__(self, params: ModelParams, seed: int) -> None:
        self.params, self.seed = params, seed


class Probabilities(nn.Module):
    """What a network answers: what is exported."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Return probabilities, shape (rows, labels)."""
        return torch.softmax(self.network(pixels), 1)


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams`.
    """
    return Model(msgspec.convert(params, ModelParams), seed)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to the training rows until those for validation no longer gain from it.

    Raises:
        ValueError: its backbone cannot be read.
    """
    work = msgspec.structs.replace(work, validation=spare(work.target, work.validation))
    pixels, target = network.to_tensor(work.features, find_pixels(FEATURES)), torch.tensor(work.target)
    model.network = network.fit(model.params, model.seed, work, pixels, target, _loss, outputs=len(LABELS))
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    pixels, answer = network.to_tensor(columns, find_pixels(FEATURES)), Probabilities(model.network)
    with torch.inference_mode():
        return {"probabilities": torch.cat([answer(part) for part in torch.split(pixels, ROWS_AT_ONCE)]).numpy()}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    return network.export(Probabilities(model.network), find_pixels(FEATURES), ["probabilities"])


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return network.suggest(trial, params)


def _loss(logits: Tensor, target: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, target, reduction="none")
