"""The network, how it is trained, and how it is exported: what `model.py` builds on, whatever is predicted.

Categories are embedded, all of them by one table, beside standardized numbers. Codes and statistics are those of the
rows it learns from: a category that was not among them adds nothing, and a missing number is zero beside a flag.

PyTorch is installed without CUDA; README.md says how to train on an NVIDIA GPU. Two trainings give the same bundle on a
CPU; on a GPU they need not.
"""

import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import onnx
import optuna
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, SequentialSampler, TensorDataset

from .core.contract.columns import Columns
from .core.training import processes
from .core.training.encoding import CATEGORIES, NUMBERS, Encoder, numbers
from .core.training.fitting import Fit, Watch

MAX_NORM = 1.0
"""Gradients are clipped to this length."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Takes what the network says and the target of some rows, and returns the loss of each, shape (rows,)."""


Count = Annotated[int, msgspec.Meta(ge=1)]


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`."""

    hidden: tuple[Count, ...] = (128, 64)
    embedding: Count = 8
    dropout: float = 0.2
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    batch_size: Count = 128
    epochs: Count = 100
    patience: Count = 10
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


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


class Progress:
    """How far a training has come, and the best weights so far: those with the lowest validation loss."""

    def __init__(self, network: Network) -> None:
        self.epochs, self.best_epoch, self.best_loss = 0, 0, math.inf
        self.best = copy.deepcopy(network.state_dict())

    def note(self, network: Network, loss: float) -> None:
        """Take note of an epoch."""
        self.epochs += 1
        if loss < self.best_loss:
            self.best_epoch, self.best_loss, self.best = self.epochs, loss, copy.deepcopy(network.state_dict())

    def is_over(self, params: ModelParams) -> bool:
        """Tell whether there is nothing more to be gained."""
        return self.epochs == params.epochs or self.epochs - self.best_epoch >= params.patience

    def state_dict(self) -> dict[str, Any]:
        """Return all of it."""
        return vars(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        vars(self).update(state)


class Share(Sampler[list[int]]):
    """Of each batch the rows that this process learns from: all of them where it is the only one."""

    def __init__(self, batches: BatchSampler) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return (batch[processes.rank() :: processes.count()] for batch in self.batches)


class Draws:
    """Where the random numbers stand: of the order of rows, and of everything else on the CPU."""

    def __init__(self, seed: int) -> None:
        self.seed, self.order = seed, torch.Generator().manual_seed(seed)

    def differ(self, epoch: int) -> None:
        """Let dropout draw otherwise in each process, from the second on."""
        if processes.rank():
            torch.manual_seed(hash((self.seed, processes.rank(), epoch)))

    def state_dict(self) -> dict[str, Tensor]:
        """Return it."""
        return {"order": self.order.get_state(), "others": torch.get_rng_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from there."""
        self.order.set_state(state["order"])
        torch.set_rng_state(state["others"])


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
    weights = torch.ones(len(target)) if work.weights is None else torch.tensor(work.weights, dtype=torch.float32)
    rows = TensorDataset(*tensors(encoder, work.features), target, weights)
    validation = torch.tensor(work.validation)
    learn, validate = (TensorDataset(*rows[mask]) for mask in (~validation, validation))
    torch.manual_seed(seed)
    network = Network(params, encoder.sizes, learn.tensors[0], outputs)
    device = _device(params.device)
    if min(len(learn), params.batch_size) < processes.count():
        raise ValueError(f"{processes.count()} processes cannot share a batch: it has fewer rows")
    checkpoint = work.checkpoints / "network.pt" if work.checkpoints else None
    processes.call(
        _train, network, params, learn, validate, loss, seed, device, watch=work.report, checkpoint=checkpoint
    )
    return network.cpu().eval()


def tensors(encoder: Encoder, columns: Columns) -> tuple[Tensor, Tensor]:
    """Return the numbers and the codes of categories, shape (rows, …) each."""
    return torch.tensor(numbers(columns)), torch.tensor(encoder.codes(columns))


def export(module: nn.Module, encoder: Encoder, outputs: list[str]) -> onnx.ModelProto:
    """Return a module that takes numbers and codes as a graph that takes numbers and texts."""
    present = {"numbers": NUMBERS, "codes": CATEGORIES}
    example = (torch.zeros(2, len(NUMBERS)), torch.zeros(2, len(CATEGORIES), dtype=torch.int64))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it would miss torchvision, which nothing here needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        program: Any = torch.onnx.export(
            module.eval(),
            example,
            input_names=list(present),
            output_names=outputs,
            dynamic_shapes=({0: torch.export.Dim("rows")},) * 2,
            dynamo=True,
            verbose=False,
        )
    graph: onnx.ModelProto = program.model_proto
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


def _train(
    network: Network,
    params: ModelParams,
    learn: TensorDataset,
    validate: TensorDataset,
    loss: Loss,
    seed: int,
    device: torch.device,
    watch: Watch = lambda *_: None,
    checkpoint: Path | None = None,
) -> None:
    """Train a network, from its checkpoint if there is one, and leave it with its best weights.

    Where there are several processes, each takes its share of every batch, and all have the same weights after it.
    """
    network.to(device)
    trained = _spread(network)
    draws = Draws(seed)
    whole = len(learn) > params.batch_size  # the last batch of an epoch is left out if it is smaller than the others
    batches = _load(learn, BatchSampler(RandomSampler(learn, generator=draws.order), params.batch_size, whole), device)
    held = _load(validate, BatchSampler(SequentialSampler(validate), params.batch_size, drop_last=False), device)
    optimizer = torch.optim.AdamW(network.parameters(), params.learning_rate, weight_decay=params.weight_decay)
    schedule = OneCycleLR(optimizer, params.learning_rate, epochs=params.epochs, steps_per_epoch=len(batches))
    progress = Progress(network)
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule, "progress": progress, "draws": draws}
    _resume(parts, checkpoint)
    while not progress.is_over(params):
        network.train()
        draws.differ(progress.epochs)
        losses = []
        for batch in batches:
            numbers, codes, target, weights = (part.to(device, non_blocking=True) for part in batch)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                mean_loss = (loss(trained(numbers, codes), target) * weights).mean()
            optimizer.zero_grad(set_to_none=True)
            mean_loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), MAX_NORM)
            optimizer.step()
            schedule.step()
            losses.append(mean_loss.detach())
        validation_loss = _measure(network, held, loss, device)
        progress.note(network, validation_loss)
        _save(parts, checkpoint)
        training_loss = processes.mean(torch.stack(losses))
        watch(progress.epochs, {"validation_loss": validation_loss, "training_loss": training_loss})
    network.load_state_dict(progress.best)


def _measure(network: Network, rows: DataLoader[Any], loss: Loss, device: torch.device) -> float:
    """Return the mean loss of rows."""
    network.eval()
    losses = []
    with torch.inference_mode():
        for batch in rows:
            numbers, codes, target, weights = (part.to(device, non_blocking=True) for part in batch)
            losses.append(loss(network(numbers, codes), target) * weights)
    return processes.mean(torch.cat(losses))


def _spread(network: Network) -> nn.Module:
    """Return the network, or where there are several processes what also averages its gradients over them."""
    if processes.count() == 1:
        return network
    return DistributedDataParallel(network, static_graph=True)


def _load(rows: TensorDataset, sampler: BatchSampler, device: torch.device) -> DataLoader[Any]:
    """Return what yields this process' share of each batch: taken from the tensors at once, not row by row."""
    return DataLoader(rows, batch_size=None, sampler=Share(sampler), pin_memory=device.type == "cuda")


def _device(name: str) -> torch.device:
    """Return the device of a name.

    Raises:
        ValueError: there is none, or not one for each process.
    """
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator and name != "cpu" and torch.accelerator.device_count() < processes.count_here():
        raise ValueError(f"there are more processes than {accelerator.type} devices here; start fewer, or use cpu")
    if name == "auto":
        return accelerator or torch.device("cpu")
    if name != "cpu" and (accelerator is None or name != accelerator.type):
        raise ValueError(f"there is no {name} device here, or PyTorch is installed without it; use auto or cpu")
    return torch.device(name)


def _resume(parts: dict[str, Any], checkpoint: Path | None) -> None:
    """Let the parts of a training go on from its checkpoint, if there is one."""
    states = {}
    if checkpoint and checkpoint.exists():
        states = torch.load(checkpoint, map_location="cpu", weights_only=True)
    for name, state in processes.share(states).items():
        parts[name].load_state_dict(state)


def _save(parts: dict[str, Any], checkpoint: Path | None) -> None:
    """Write a checkpoint at once or not at all."""
    if checkpoint:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        new = checkpoint.with_suffix(".new")
        torch.save({name: part.state_dict() for name, part in parts.items()}, new)
        new.replace(checkpoint)
