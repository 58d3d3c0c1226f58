"""The model: built, fitted, searched and exported; the only file that builds on PyTorch.

A network of embeddings, one table for all categories, beside standardized numbers. What it learned from has codes and
statistics; a category that it did not see adds nothing, and a missing number is zero beside a flag that says so.
"""

import copy
import logging
import math
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import onnx
import optuna
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

from .core.contract.columns import Answer, Columns
from .core.training.encoding import CATEGORIES, NUMBERS, Encoder, numbers
from .core.training.fitting import Fit
from .schema import LABELS

MAX_NORM = 1.0
"""Gradients are clipped to this length."""


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`."""

    hidden: tuple[int, ...] = (128, 64)
    embedding: int = 8
    dropout: float = 0.2
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    batch_size: int = 128
    epochs: int = 100
    patience: int = 10
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


class Network(nn.Module):
    """Embeddings of categories beside standardized numbers, and layers on top."""

    mean: Tensor
    scale: Tensor
    starts: Tensor

    def __init__(self, params: ModelParams, sizes: list[int], mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        starts = torch.tensor([0, *np.cumsum(sizes)[:-1]] if sizes else [], dtype=torch.int64)
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.register_buffer("starts", starts)
        self.embeddings = nn.Embedding(max(1, sum(sizes)), params.embedding)
        with torch.no_grad():
            self.embeddings.weight[starts] = 0  # code 0, which no row of training has
        widths = [2 * len(mean) + params.embedding * len(sizes), *params.hidden]
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.ReLU(), nn.Dropout(params.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], len(LABELS)))

    def forward(self, numbers: Tensor | None = None, codes: Tensor | None = None) -> Tensor:
        """Return logits, shape (rows, labels).

        Args:
            numbers: NaN where one is missing, shape (rows, numbers); None where the model takes none.
            codes: Shape (rows, categories); None where the model takes none.
        """
        parts = []
        if numbers is not None:
            missing = torch.isnan(numbers)
            parts += [torch.where(missing, 0.0, (numbers - self.mean) / self.scale), missing.to(torch.float32)]
        if codes is not None:
            parts.append(self.embeddings(codes + self.starts).flatten(1))
        logits: Tensor = self.layers(torch.cat(parts, 1))
        return logits


class Probabilities(nn.Module):
    """A network that answers probabilities: what is exported."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, numbers: Tensor | None = None, codes: Tensor | None = None) -> Tensor:
        """Return probabilities, shape (rows, labels)."""
        return torch.softmax(self.network(numbers, codes), 1)


class Model:
    """A network, and the codes of its categories."""

    network: Network

    def __init__(self, params: ModelParams, seed: int) -> None:
        self.params, self.seed = params, seed
        self.encoder = Encoder([])

    def tensors(self, columns: Columns) -> dict[str, Tensor]:
        """Return numbers and codes, as far as there are any."""
        arrays: dict[str, NDArray[Any]] = {"numbers": numbers(columns), "codes": self.encoder.codes(columns)}
        return {name: torch.tensor(array) for name, array in arrays.items() if array.shape[1]}


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams`.
    """
    return Model(msgspec.convert(params, ModelParams), seed)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to the training rows until those for validation no longer gain from it."""
    learn = ~work.validation
    model.encoder = Encoder.fit({name: values[learn] for name, values in work.features.items()})
    with torch.random.fork_rng():  # what draws elsewhere is not disturbed
        torch.manual_seed(model.seed)
        model.network = Network(model.params, model.encoder.sizes, *_statistics(numbers(work.features)[learn]))
        _train(model, work)
    return model


def _train(model: Model, work: Fit) -> None:
    """Train the network of a model, from the last checkpoint if there is one, and leave it with its best weights."""
    params, device = model.params, _device(model.params.device)
    network = model.network.to(device)
    tensors, target = model.tensors(work.features), torch.tensor(work.target)
    learn, validate = torch.tensor(~work.validation), torch.tensor(work.validation)
    weights = torch.ones(len(target)) if work.weights is None else torch.tensor(work.weights, dtype=torch.float32)
    rows = TensorDataset(*(tensor[learn] for tensor in tensors.values()), target[learn], weights[learn])
    held = {name: tensor[validate].to(device) for name, tensor in tensors.items()}
    order = torch.Generator().manual_seed(model.seed)
    loader = DataLoader(
        rows,
        params.batch_size,
        shuffle=True,
        generator=order,
        drop_last=len(rows) > params.batch_size,
        pin_memory=device.type == "cuda",
    )
    optimizer = torch.optim.AdamW(network.parameters(), params.learning_rate, weight_decay=params.weight_decay)
    schedule = OneCycleLR(optimizer, params.learning_rate, epochs=params.epochs, steps_per_epoch=len(loader))
    parts: dict[str, Any] = {"network": network, "optimizer": optimizer, "schedule": schedule}
    best, best_loss, best_epoch, first = copy.deepcopy(network.state_dict()), math.inf, 0, 0
    path = work.checkpoints / "checkpoint.pt" if work.checkpoints else None
    if path and path.exists():
        kept = torch.load(path, map_location="cpu", weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(kept[name])
        torch.set_rng_state(kept["random"])
        order.set_state(kept["order"])
        best, best_loss, best_epoch, first = kept["best"], kept["best_loss"], kept["best_epoch"], kept["epoch"] + 1
    for epoch in range(first, params.epochs):
        network.train()
        for *batch, answers, counts in loader:
            inputs = {n: part.to(device, non_blocking=True) for n, part in zip(tensors, batch, strict=True)}
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                losses = nn.functional.cross_entropy(network(**inputs), answers.to(device), reduction="none")
                loss = (losses * counts.to(device)).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), MAX_NORM)
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            losses = nn.functional.cross_entropy(network(**held), target[validate].to(device), reduction="none")
            validation_loss = float((losses * weights[validate].to(device)).mean())
        if validation_loss < best_loss:
            best, best_loss, best_epoch = copy.deepcopy(network.state_dict()), validation_loss, epoch
        if path:
            states = {name: part.state_dict() for name, part in parts.items()}
            state = {"best": best, "best_loss": best_loss, "best_epoch": best_epoch, "epoch": epoch}
            _save({**states, **state, "random": torch.get_rng_state(), "order": order.get_state()}, path)
        work.report(epoch, {"validation_loss": validation_loss, "training_loss": float(loss.detach())})
        if epoch - best_epoch >= params.patience:
            break
    network.load_state_dict(best)
    network.cpu().eval()


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    with torch.inference_mode():
        return {"probabilities": Probabilities(model.network)(**model.tensors(columns)).numpy()}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    shapes = {"numbers": torch.zeros(2, len(NUMBERS)), "codes": torch.zeros(2, len(CATEGORIES), dtype=torch.int64)}
    inputs = {name: tensor for name, tensor in shapes.items() if tensor.shape[1]}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it would miss torchvision, which nothing here needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        program: Any = torch.onnx.export(
            Probabilities(model.network).eval(),
            kwargs=inputs,
            input_names=list(inputs),
            output_names=["probabilities"],
            dynamic_shapes={name: {0: torch.export.Dim("rows")} for name in inputs},
            dynamo=True,
            verbose=False,
        )
    graph: onnx.ModelProto = program.model_proto
    model.encoder.prepend(graph)
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


def _device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def _statistics(numbers: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation of each number, as far as it is there; 0 and 1 where it never is."""
    present = np.ma.masked_invalid(numbers)
    mean, scale = present.mean(axis=0).filled(0), present.std(axis=0).filled(1)
    return torch.tensor(mean, dtype=torch.float32), torch.tensor(np.where(scale > 0, scale, 1), dtype=torch.float32)


def _save(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
