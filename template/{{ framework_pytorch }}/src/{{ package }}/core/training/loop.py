"""The loop that trains a network, whatever it is made of: early stopping, checkpoints, devices."""

import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import onnx
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, SequentialSampler, TensorDataset

from . import processes
from .fitting import Fit, Watch

MAX_NORM = 1.0
"""Gradients are clipped to this length."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Takes what the network says and the target of some rows, and returns the loss of each, shape (rows,)."""
Change = Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]
"""Takes the inputs of some rows, and returns them as the network is to see them in training."""
N = TypeVar("N", bound=nn.Module)
Count = Annotated[int, msgspec.Meta(ge=1)]


class LoopParams(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What of the section `model` of `params.yaml` is about training."""

    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    batch_size: Count = 128
    epochs: Count = 100
    patience: Count = 10
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


class Progress:
    """How far a training has come, and the best weights so far: those with the lowest validation loss."""

    def __init__(self, network: nn.Module) -> None:
        self.epochs, self.best_epoch, self.best_loss = 0, 0, math.inf
        self.best = copy.deepcopy(network.state_dict())

    def note(self, network: nn.Module, loss: float) -> None:
        """Take note of an epoch."""
        self.epochs += 1
        if loss < self.best_loss:
            self.best_epoch, self.best_loss, self.best = self.epochs, loss, copy.deepcopy(network.state_dict())

    def is_over(self, params: LoopParams) -> bool:
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


def train(
    make: Callable[[tuple[Tensor, ...]], N],
    params: LoopParams,
    seed: int,
    work: Fit,
    inputs: tuple[Tensor, ...],
    target: Tensor,
    loss: Loss,
    change: Change = tuple,
) -> N:
    """Return a network that has learned from the training rows until those for validation no longer gained from it.

    It goes on from its checkpoint, which it writes after each epoch, if an earlier fit was interrupted.

    Args:
        make: Draws the weights of the network, for the inputs of the rows that it will learn from.
        params: How it learns.
        seed: What its weights, the order of rows and dropout are drawn by.
        work: The rows, where checkpoints lie, and what is told how it goes.
        inputs: What the network takes, shape (rows, …) each.
        target: What the loss compares the outputs with, shape (rows, …).
        loss: What it learns to make small.
        change: What is done to the inputs each time that it learns from them.
    """
    weights = torch.ones(len(target)) if work.weights is None else torch.tensor(work.weights, dtype=torch.float32)
    rows = TensorDataset(*inputs, target, weights)
    validation = torch.tensor(work.validation)
    learn, validate = (TensorDataset(*rows[mask]) for mask in (~validation, validation))
    torch.manual_seed(seed)
    network = make(learn.tensors[:-2])
    device = _device(params.device)
    if min(len(learn), params.batch_size) < processes.count():
        raise ValueError(f"{processes.count()} processes cannot share a batch: it has fewer rows")
    checkpoint = work.checkpoints / "network.pt" if work.checkpoints else None
    given = (network, params, learn, validate, loss, change, seed, device)
    processes.call(_train, *given, watch=work.report, checkpoint=checkpoint)
    trained: N = network.cpu().eval()
    return trained


def to_graph(module: nn.Module, example: tuple[Tensor, ...], inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    """Return a module as a graph, for any number of rows.

    Args:
        module: It takes tensors, shape (rows, …) each, and returns some.
        example: What it takes, for a few rows.
        inputs: Their names in the graph.
        outputs: The names of what it returns.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it would miss torchvision, which nothing here needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        program: Any = torch.onnx.export(
            module.eval(),
            example,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=({0: torch.export.Dim("rows")},) * len(inputs),
            dynamo=True,
            verbose=False,
        )
    graph: onnx.ModelProto = program.model_proto
    return graph


def _train(
    network: nn.Module,
    params: LoopParams,
    learn: TensorDataset,
    validate: TensorDataset,
    loss: Loss,
    change: Change,
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
            *inputs, target, weights = (part.to(device, non_blocking=True) for part in batch)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                mean_loss = (loss(trained(*change(tuple(inputs))), target) * weights).mean()
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


def _measure(network: nn.Module, rows: DataLoader[Any], loss: Loss, device: torch.device) -> float:
    """Return the mean loss of rows."""
    network.eval()
    losses = []
    with torch.inference_mode():
        for batch in rows:
            *inputs, target, weights = (part.to(device, non_blocking=True) for part in batch)
            losses.append(loss(network(*inputs), target) * weights)
    return processes.mean(torch.cat(losses))


def _spread(network: nn.Module) -> nn.Module:
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
