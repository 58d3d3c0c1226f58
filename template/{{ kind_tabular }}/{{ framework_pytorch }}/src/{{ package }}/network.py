"""The network, and how it is exported: what `model.py` builds on, whatever is predicted.

Categories are embedded, all of them by one table, beside standardized numbers. Codes and statistics are those of the
rows it learns from: a category that was not among them adds nothing, and a missing number is zero beside a flag.

PyTorch is installed without CUDA; README.md says how to train on an NVIDIA GPU. Two trainings give the same bundle on a
CPU; on a GPU they need not.
"""

from itertools import pairwise
from typing import Any

import onnx
import optuna
import torch
from torch import Tensor, nn

from .core.contract.columns import Columns
from .core.training.encoding import CATEGORIES, NUMBERS, Encoder, numbers
from .core.training.fitting import Fit
from .core.training.loop import Count, LoopParams, Loss, to_graph, train


class ModelParams(LoopParams, kw_only=True, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`."""

    hidden: tuple[Count, ...] = (128, 64)
    embedding: Count = 8
    dropout: float = 0.2


class Network(nn.Module):
    """Embeddings of categories beside standardized numbers, and layers on top."""

    mean: Tensor
    scale: Tensor
    starts: Tensor

    def __init__(self, params: ModelParams, sizes: list[int], numbers: Tensor, outputs: int) -> None:
        """Draw the weights of a network.

        Args:
            params: How large it is.
            sizes: How many codes each category has.
            numbers: Those that it will learn from, NaN where one is missing, shape (rows, numbers).
            outputs: How many numbers it says of a row.
        """
        super().__init__()
        exact = numbers.double()
        mean = exact.nanmean(0).nan_to_num(0)
        scale = (exact - mean).square().nanmean(0).sqrt()
        self.register_buffer("mean", mean.float())
        self.register_buffer("scale", torch.where(scale > 0, scale, 1).float())
        counts = torch.tensor(sizes, dtype=torch.int64)
        self.register_buffer("starts", counts.cumsum(0) - counts)
        self.embeddings = nn.Embedding(max(1, sum(sizes)), params.embedding)
        with torch.no_grad():
            self.embeddings.weight[self.starts] = 0  # code 0, which no row that it learns from has
        widths = [2 * len(mean) + params.embedding * len(sizes), *params.hidden]
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.ReLU(), nn.Dropout(params.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the outputs, shape (rows, outputs), for numbers and codes of categories, shape (rows, …) each."""
        parts = []
        if len(self.mean):
            missing = numbers.isnan()
            parts += [torch.where(missing, 0.0, (numbers - self.mean) / self.scale), missing.float()]
        if len(self.starts):
            parts.append(self.embeddings(codes + self.starts).flatten(1))
        outputs: Tensor = self.layers(torch.cat(parts, 1))
        return outputs


def fit(
    params: ModelParams,
    seed: int,
    encoder: Encoder,
    work: Fit,
    target: Tensor,
    loss: Loss,
    outputs: int,
) -> Network:
    """Return a network that has learned from the training rows until those for validation no longer gained from it.

    It goes on from its checkpoint, which it writes after each epoch, if an earlier fit was interrupted.

    Args:
        params: How large it is, and how it learns.
        seed: What its weights, the order of rows and dropout are drawn by.
        encoder: The codes of categories.
        work: The rows, where checkpoints lie, and what is told how it goes.
        target: What the loss compares the outputs with, shape (rows, …).
        loss: What it learns to make small.
        outputs: How many numbers it says of a row.
    """

    def make(learn: tuple[Tensor, ...]) -> Network:
        return Network(params, encoder.sizes, learn[0], outputs)

    return train(make, params, seed, work, tensors(encoder, work.features), target, loss)


def tensors(encoder: Encoder, columns: Columns) -> tuple[Tensor, Tensor]:
    """Return the numbers and the codes of categories, shape (rows, …) each."""
    return torch.tensor(numbers(columns)), torch.tensor(encoder.codes(columns))


def export(module: nn.Module, encoder: Encoder, outputs: list[str]) -> onnx.ModelProto:
    """Return a module that takes numbers and codes as a graph that takes numbers and texts."""
    present = {"numbers": NUMBERS, "codes": CATEGORIES}
    example = (torch.zeros(2, len(NUMBERS)), torch.zeros(2, len(CATEGORIES), dtype=torch.int64))
    graph = to_graph(module, example, list(present), outputs)
    for unused in [value for value in graph.graph.input if not present[value.name]]:
        graph.graph.input.remove(unused)
    encoder.prepend(graph)
    return graph


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    width = trial.suggest_categorical("width", [32, 64, 128, 256])
    depth = trial.suggest_int("depth", 1, 3)
    return params | {
        "hidden": [width] * depth,
        "embedding": trial.suggest_int("embedding", 2, 16),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
    }
