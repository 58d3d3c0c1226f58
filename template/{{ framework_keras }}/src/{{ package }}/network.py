"""The network, how it is trained, and how it is exported: what `model.py` builds on, whatever is predicted.

Categories are embedded, all of them by one table, beside standardized numbers. Codes and statistics are those of the
rows it learns from: a category that was not among them adds nothing, and a missing number is zero beside a flag.

Two trainings give the same bundle on the same machine; another machine may round sums otherwise.
"""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import onnx
import optuna
from numpy.typing import NDArray

from .core.contract.columns import Columns
from .core.evaluation.measure import Target
from .core.training.backend import keras
from .core.training.encoding import CATEGORIES, NUMBERS, Encoder, numbers
from .core.training.fitting import Fit
from .core.training.nodes import order

MAX_NORM = 1.0
"""Gradients are clipped to this length."""
BATCH = 4096
"""How many rows are predicted at once."""

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


def fit(
    params: ModelParams,
    seed: int,
    encoder: Encoder,
    work: Fit,
    target: Target,
    loss: str | Callable[[Any, Any], Any],
    outputs: int,
    activation: str | None = None,
) -> keras.Model:
    """Return a network that has learned from the training rows until those for validation no longer gained from it.

    Args:
        params: How large it is, and how it learns.
        seed: What its weights, the order of rows and dropout are drawn by.
        encoder: The codes of categories.
        work: The rows; how it goes is reported to it.
        target: What the loss compares the outputs with, shape (rows,).
        loss: What it learns to make small.
        outputs: How many numbers it says of a row.
        activation: What they go through.
    """
    keras.utils.clear_session()  # layers are named and drawn from the start: both are part of what is exported
    keras.utils.set_random_seed(seed)
    features = arrays(encoder, work.features)
    weights = np.ones(len(target)) if work.weights is None else work.weights

    def choose(rows: NDArray[np.bool_]) -> tuple[dict[str, NDArray[Any]], Target, NDArray[np.float64]]:
        return {name: array[rows] for name, array in features.items()}, target[rows], weights[rows]

    def report(epoch: int, logs: dict[str, float]) -> None:
        work.report(epoch, {"validation_loss": logs["val_loss"], "training_loss": logs["loss"]})

    learned, answers, counts = choose(~work.validation)
    network = _build(params, encoder, learned, keras.layers.Dense(outputs, activation=activation, name="outputs"))
    steps = params.epochs * -(-len(answers) // params.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(params.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=params.weight_decay, global_clipnorm=MAX_NORM)
    network.compile(optimizer=optimizer, loss=loss)
    network.fit(
        learned,
        answers,
        sample_weight=counts,
        validation_data=choose(work.validation),
        batch_size=params.batch_size,
        epochs=params.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=report),
            keras.callbacks.EarlyStopping("val_loss", patience=params.patience, restore_best_weights=True),
        ],
    )
    return network


def predict(network: keras.Model, encoder: Encoder, columns: Columns) -> Any:
    """Return the outputs for features: one array, or one for each output, shape (rows, …)."""
    return network.predict(arrays(encoder, columns), batch_size=BATCH, verbose=0)


def arrays(encoder: Encoder, columns: Columns) -> dict[str, NDArray[Any]]:
    """Return numbers and codes of categories, as far as there are any, shape (rows, …) each."""
    both: dict[str, NDArray[Any]] = {"numbers": numbers(columns), "codes": encoder.codes(columns)}
    return {name: np.ascontiguousarray(array) for name, array in both.items() if array.shape[1]}


def export(network: keras.Model, encoder: Encoder, outputs: list[str]) -> onnx.ModelProto:
    """Return a network as a graph that takes numbers and texts; Keras exports one that has been called."""
    network({name: keras.ops.zeros((1, *value.shape[1:]), value.dtype) for name, value in network.input.items()})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters about themselves
        path = Path(folder) / "model.onnx"
        network.export(path, format="onnx", verbose=False)
        graph = onnx.load(path)
    for value, name in zip(graph.graph.output, outputs, strict=True):
        graph.graph.node.append(onnx.helper.make_node("Identity", [value.name], [name]))
        value.name = name
    order(graph.graph)
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


def _build(
    params: ModelParams, encoder: Encoder, learned: dict[str, NDArray[Any]], head: keras.layers.Layer
) -> keras.Model:
    """Return an untrained network of as many hidden layers as the parameters say."""
    inputs, parts = {}, []
    if NUMBERS:
        inputs["numbers"] = values = keras.Input((len(NUMBERS),), name="numbers", dtype="float32")
        missing = keras.ops.isnan(values)
        mean, scale = _measure(learned["numbers"])
        parts = [keras.ops.where(missing, 0.0, (values - mean) / scale), keras.ops.cast(missing, "float32")]
    if CATEGORIES:
        inputs["codes"] = codes = keras.Input((len(CATEGORIES),), name="codes", dtype="int64")
        starts = np.cumsum([0, *encoder.sizes[:-1]])
        table = keras.layers.Embedding(sum(encoder.sizes), params.embedding)
        parts.append(keras.layers.Flatten()(table(codes + starts)))
        (drawn,) = table.get_weights()
        drawn[starts] = 0  # code 0, which no row that it learns from has
        table.set_weights([drawn])
    hidden = keras.ops.concatenate(parts, axis=1)
    for width in params.hidden:
        hidden = keras.layers.Dropout(params.dropout)(keras.layers.Dense(width, activation="relu")(hidden))
    return keras.Model(inputs, head(hidden))


def _measure(learned: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and the standard deviation of each number, as far as it is there; 0 and 1 where it never is."""
    present = np.ma.masked_invalid(learned.astype(np.float64))
    mean, scale = present.mean(axis=0).filled(0), present.std(axis=0).filled(1)
    return mean.astype(np.float32), np.where(scale > 0, scale, 1).astype(np.float32)
