"""Quantiles: calibrated by what came later, never crossing, and all of them in one graph.

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
from .periods import spread_in_graph

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


def join(
    graphs: dict[str, onnx.ModelProto], shifts: Shifts, inputs: dict[str, list[str]], level: str
) -> onnx.ModelProto:
    """Return one graph with an output for each quantile, shape (rows, horizon), put in order.

    Args:
        graphs: For each quantile one that takes features of each period, as `period_numbers` and `period_texts`, and
            has one output, shape (rows · horizon, 1): a forecast relative to the level.
        shifts: What is added to these forecasts.
        inputs: The names of the features in `numbers` and `texts`.
        level: The feature that forecasts are relative to.
    """
    parts = {name: compose.add_prefix(graph, f"{name}_", rename_inputs=False) for name, graph in graphs.items()}
    first = next(iter(parts.values()))
    whole = onnx.ModelProto(ir_version=first.ir_version, opset_import=first.opset_import)
    graph = whole.graph
    for taken in first.graph.input:
        name = taken.name.removeprefix("period_")
        kind = taken.type.tensor_type.elem_type
        graph.input.append(helper.make_tensor_value_info(name, kind, [None, len(inputs[name])]))
        spread_in_graph(graph, inputs[name], name, taken.name)
    numbers = {"position": np.array([inputs["numbers"].index(level)]), "shape": np.array([-1, HORIZON])}
    numbers |= {f"{name}_shift": shift.astype(np.float32) for name, shift in shifts.items()}
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in numbers.items())
    graph.node.append(helper.make_node("Gather", ["numbers", "position"], ["level"], axis=1))
    for name, part in parts.items():
        graph.node.extend(part.graph.node)
        graph.initializer.extend(part.graph.initializer)
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, HORIZON]))
        steps = [
            ("Reshape", (part.graph.output[0].name, "shape"), f"{name}_relative"),
            ("Add", (f"{name}_relative", f"{name}_shift"), f"{name}_shifted"),
            ("Mul", (f"{name}_shifted", "level"), "q50" if name == "q50" else f"{name}_free"),
        ]
        graph.node.extend(helper.make_node(operator, taken, [made]) for operator, taken, made in steps)
    graph.node.append(helper.make_node("Min", ["q10_free", "q50"], ["q10"]))
    graph.node.append(helper.make_node("Max", ["q90_free", "q50"], ["q90"]))
    return whole
