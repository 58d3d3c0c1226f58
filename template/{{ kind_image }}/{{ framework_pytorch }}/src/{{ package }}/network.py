"""The network, and how it is exported: what `model.py` builds on.

Convolutions, each followed by half the height and width, or a backbone: a network that somebody else has trained, read
from a file. Pixels are standardized by those of the rows it learns from, in the network, so the graph takes them as
they are. In training, images are shifted by a few pixels.

PyTorch is installed without CUDA; README.md says how to train on an NVIDIA GPU. Two trainings give the same bundle on a
CPU; on a GPU they need not.
"""

import hashlib
import importlib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
import onnx
import optuna
import torch
from torch import Tensor, nn

from .core.contract.columns import Columns, Pixels
from .core.training.fitting import Fit
from .core.training.loop import Count, LoopParams, Loss, to_graph, train


class Backbone(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A network that somebody else has trained: what it says of an image are the features of ours.

    `module` names what returns it, such as `torchvision.models:resnet18`; it takes images of the schema's size and
    channels, shape (rows, channels, height, width). `weights` is the path of the state that `torch.save` has written,
    and `sha256` that file's. Nothing is downloaded. Where it is not `frozen`, it learns, too.
    """

    module: str
    weights: str
    sha256: str
    frozen: bool = True


class ModelParams(LoopParams, kw_only=True, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`."""

    channels: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)] = (32, 64, 128)
    dropout: float = 0.2
    shift: Annotated[int, msgspec.Meta(ge=0)] = 1
    backbone: Backbone | None = None


class Network(nn.Module):
    """Layers that see standardized pixels, and one on top."""

    mean: Tensor
    scale: Tensor

    def __init__(self, params: ModelParams, pixels: Tensor, outputs: int) -> None:
        """Draw the weights of a network.

        Args:
            params: How large it is.
            pixels: Those that it will learn from, shape (rows, height, width, channels).
            outputs: How many numbers it says of a row.

        Raises:
            ValueError: the backbone cannot be read, or does not take such images.
        """
        super().__init__()
        mean, scale = measure(pixels)
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.is_frozen = params.backbone is not None and params.backbone.frozen
        self.body = load(params.backbone) if params.backbone else _convolve((pixels.shape[3], *params.channels))
        self.body.requires_grad_(not self.is_frozen)
        self.top = nn.Sequential(nn.Dropout(params.dropout), nn.Linear(self._measure_body(pixels[:1]), outputs))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the outputs, shape (rows, outputs), for pixels, shape (rows, height, width, channels)."""
        outputs: Tensor = self.top(self._see(pixels))
        return outputs

    def train(self, mode: bool = True) -> Self:
        """Make it learn, or answer; a frozen backbone always answers."""
        super().train(mode)
        self.body.train(mode and not self.is_frozen)
        return self

    def _see(self, pixels: Tensor) -> Tensor:
        """Return the features of images, shape (rows, features)."""
        images = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.scale
        features: Tensor = self.body(images).flatten(1)
        return features

    def _measure_body(self, pixels: Tensor) -> int:
        self.body.eval()
        try:
            with torch.inference_mode():
                return self._see(pixels).shape[1]
        except RuntimeError as error:
            raise ValueError(f"backbone: it does not take images of this size: {error}") from error


def load(backbone: Backbone) -> nn.Module:
    """Return a network as somebody else has trained it.

    Raises:
        ValueError: there is none of that name, or the file is not its state.
    """
    name, _, function = backbone.module.partition(":")
    try:
        module: nn.Module = getattr(importlib.import_module(name), function)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"backbone.module: {backbone.module} is not MODULE:FUNCTION of a network: {error}") from error
    try:
        with Path(backbone.weights).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"backbone.weights: {error}") from error
    if found != backbone.sha256:
        raise ValueError(f"backbone.sha256: {backbone.weights} has the SHA-256 {found}")
    try:
        module.load_state_dict(torch.load(backbone.weights, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises whatever another file leads it to
        raise ValueError(f"backbone.weights: not the state of {backbone.module}: {error}") from error
    return module


def fit(params: ModelParams, seed: int, work: Fit, pixels: Tensor, target: Tensor, loss: Loss, outputs: int) -> Network:
    """Return a network that has learned from the training rows until those for validation no longer gained from it.

    Args:
        params: How large it is, and how it learns.
        seed: What its weights, the order of rows, shifts and dropout are drawn by.
        work: The rows, where checkpoints lie, and what is told how it goes.
        pixels: The images, shape (rows, height, width, channels).
        target: What the loss compares the outputs with, shape (rows, …).
        loss: What it learns to make small.
        outputs: How many numbers it says of a row.
    """

    def make(learn: tuple[Tensor, ...]) -> Network:
        return Network(params, learn[0], outputs)

    def change(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (shift(inputs[0], params.shift),)

    return train(make, params, seed, work, (pixels,), target, loss, change)


def shift(pixels: Tensor, most: int) -> Tensor:
    """Return images, each shifted by up to so many pixels; what comes in repeats the edge."""
    rows, height, width, _ = pixels.shape
    down, right = torch.randint(-most, most + 1, (2, rows, 1))
    down, right = ((torch.arange(size) + by).clamp(0, size - 1) for size, by in ((height, down), (width, right)))
    return pixels[torch.arange(rows)[:, None, None], down[:, :, None], right[:, None, :]]


def measure(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation of each channel, shape (channels, 1, 1)."""
    values = torch.arange(256, dtype=torch.float64)
    counts = torch.stack([channel.flatten().bincount(minlength=256) for channel in pixels.unbind(3)])
    shares = counts / counts.sum(1, keepdim=True)
    mean = (shares * values).sum(1, keepdim=True)
    scale = (shares * (values - mean).square()).sum(1, keepdim=True).sqrt()
    return mean.float()[:, :, None], torch.where(scale > 0, scale, 1).float()[:, :, None]


def to_tensor(columns: Columns, pixels: Pixels) -> Tensor:
    """Return the pixels of rows, shape (rows, height, width, channels)."""
    return torch.from_numpy(columns[pixels.name])


def export(module: nn.Module, pixels: Pixels, outputs: list[str]) -> onnx.ModelProto:
    """Return a module that takes pixels as a graph."""
    return to_graph(module, (torch.zeros(2, *pixels.shape, dtype=torch.uint8),), [pixels.name], outputs)


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    width = trial.suggest_categorical("width", [16, 32, 64])
    depth = trial.suggest_int("depth", 1, 4)
    return params | {
        "channels": [width * 2**i for i in range(depth)],
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "shift": trial.suggest_int("shift", 0, 2),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
    }


def _convolve(channels: tuple[int, ...]) -> nn.Sequential:
    """Return layers of so many channels, the first of which is the images'."""
    layers: list[nn.Module] = []
    for channel, following in pairwise(channels):
        layers += [
            nn.Conv2d(channel, following, 3, padding=1, bias=False),
            nn.BatchNorm2d(following),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))
