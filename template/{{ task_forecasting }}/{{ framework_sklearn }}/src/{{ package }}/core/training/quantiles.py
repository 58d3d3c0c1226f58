"""Quantiles: calibrated by what came later, never crossing, and those of all periods ahead in one graph.

Boosting knows the rows that it has learned from too well: its outer quantiles are too close to each other for new ones.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper

from ...schema import HORIZON
from ..contract.columns import Answer
from ..evaluation.measure import Target
from ..task.answer import QUANTILES

Shifts = dict[str, NDArray[Any]]
"""By how much each quantile is shifted, shape (horizon,)."""


def no_shifts() -> Shifts:
    """Return shifts of zero."""
    return {name: np.zeros(HORIZON) for name in QUANTILES}


def calibrate(target: Target, answer: Answer) -> Shifts:
    """Return by how much quantiles have to be shifted to hold their share of a target that they have not seen.

    The median stays: whether the newest rows were above or below it is of their time.
    """
    shifts = {name: np.quantile(target - answer[name], quantile, axis=0) for name, quantile in QUANTILES.items()}
    return shifts | {"q50": np.zeros(HORIZON)}


def put_in_order(answer: Answer) -> Answer:
    """Return quantiles of which the outer ones do not cross the median."""
    low, median, high = answer["q10"], answer["q50"], answer["q90"]
    return {"q10": np.minimum(low, median), "q50": median, "q90": np.maximum(high, median)}


def join(graphs: dict[str, list[onnx.ModelProto]], shifts: Shifts, level: int) -> onnx.ModelProto:
    """Return one graph with an output for each quantile, shape (rows, horizon), put in order.

    Args:
        graphs: For each quantile those of the periods ahead, which take the same inputs and have one output, shape
            (rows, 1): a forecast relative to the level.
        shifts: What is added to these forecasts.
        level: The position of the level among `numbers`.
    """
    named = {(name, step): graph for name, steps in graphs.items() for step, graph in enumerate(steps)}
    parts = {key: compose.add_prefix(graph, f"{key[0]}_{key[1]}_", rename_inputs=False) for key, graph in named.items()}
    whole, *others = parts.values()
    for part in others:
        whole.graph.node.extend(part.graph.node)
        whole.graph.initializer.extend(part.graph.initializer)
    whole.graph.initializer.append(numpy_helper.from_array(np.array([level]), "position"))
    nodes = [helper.make_node("Gather", ["numbers", "position"], ["level"], axis=1)]
    for name in graphs:
        outputs = [parts[name, step].graph.output[0].name for step in range(HORIZON)]
        nodes += [
            helper.make_node("Concat", outputs, [f"{name}_relative"], axis=1),
            helper.make_node("Add", [f"{name}_relative", f"{name}_shift"], [f"{name}_shifted"]),
            helper.make_node("Mul", [f"{name}_shifted", "level"], ["q50" if name == "q50" else f"{name}_free"]),
        ]
        whole.graph.initializer.append(numpy_helper.from_array(shifts[name].astype(np.float32), f"{name}_shift"))
    nodes += [
        helper.make_node("Min", ["q10_free", "q50"], ["q10"]),
        helper.make_node("Max", ["q90_free", "q50"], ["q90"]),
    ]
    whole.graph.node.extend(nodes)
    del whole.graph.output[:]
    shape = [None, HORIZON]
    whole.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in graphs)
    return whole
