"""Prediction intervals: split conformal inference, with a width that depends on the row.

Source: J. Lei et al., "Distribution-free predictive inference for regression", 2018. One model predicts the value, a
second one the size of the first one's error, and the interval reaches as many times that size to both sides as it takes
to hold the wanted share of rows. In place of a split, errors are out of fold, so that all rows are learnt from.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper
from sklearn.model_selection import KFold

from ...schema import COVERAGE
from ..contract.columns import Answer
from ..evaluation.measure import Target
from .answer import NAMES

FOLDS = KFold(3, shuffle=True, random_state=0)
"""Shuffled: where a file is sorted by its target, the errors of folds in its order are far too large."""


class Width(msgspec.Struct, frozen=True):
    """How far an interval reaches to each side: `factor` times the predicted error, which is at least `least`."""

    least: float
    factor: float

    def around(self, value: NDArray[Any], error: NDArray[Any]) -> Answer:
        """Return the answer of a model from its two predictions, shape (rows,) each."""
        reach = self.factor * np.maximum(error, self.least)
        return {"value": value, "low": value - reach, "high": value + reach}


def calibrate(target: Target, predict: Callable[[Target], NDArray[Any]]) -> tuple[NDArray[Any], Width]:
    """Find out how large the errors of a model are, and how wide its intervals have to be.

    Args:
        target: What happened, shape (rows,).
        predict: Takes a target and returns its prediction out of fold, by `FOLDS`, shape (rows,).

    Returns:
        The errors, shape (rows,), which are the target of the second model; and the width.
    """
    errors = np.abs(target - predict(target))
    least = float(errors.mean()) / 10 or 1.0
    ratios = np.sort(errors / np.maximum(predict(errors), least))
    rank = int(np.ceil((len(ratios) + 1) * COVERAGE))
    return errors, Width(least, float(ratios[min(rank, len(ratios)) - 1]))


def join(value: onnx.ModelProto, error: onnx.ModelProto, width: Width) -> onnx.ModelProto:
    """Return one graph of the two models, which take the same inputs and have one output each, shape (rows, 1)."""
    second = compose.add_prefix(error, "error_", rename_inputs=False)
    graph, outputs = value.graph, (value.graph.output[0].name, second.graph.output[0].name)
    graph.node.extend(second.graph.node)
    graph.initializer.extend(second.graph.initializer)
    numbers = {"least": np.float32(width.least), "factor": np.float32(width.factor), "row": np.array([-1])}
    graph.initializer.extend(numpy_helper.from_array(np.asarray(number), name) for name, number in numbers.items())
    steps = [
        ("Reshape", (outputs[0], "row"), "value"),
        ("Reshape", (outputs[1], "row"), "error"),
        ("Max", ("error", "least"), "size"),
        ("Mul", ("size", "factor"), "reach"),
        ("Sub", ("value", "reach"), "low"),
        ("Add", ("value", "reach"), "high"),
    ]
    graph.node.extend(helper.make_node(operator, inputs, [output]) for operator, inputs, output in steps)
    del graph.output[:]
    graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None]) for name in NAMES)
    return value
