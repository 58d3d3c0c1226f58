"""From the features of a forecast to those of each of its periods: in arrays for the fit, in a graph for the export.

One model then forecasts all periods, however many they are, and learns from all of them.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ...schema import HORIZON
from ..contract.columns import Columns
from ..task.check import AHEAD


def align(names: Sequence[str]) -> list[list[str]]:
    """Return for each feature of a period what it is called in each of them, the nearest period first.

    `NAME_ahead_1`, `NAME_ahead_2` and so on are one feature; all periods share the others.
    """
    shared = [[name] * HORIZON for name in names if AHEAD not in name]
    stems = dict.fromkeys(name.rpartition("_")[0] for name in names if AHEAD in name)
    return [*shared, *([f"{stem}_{period}" for period in range(1, HORIZON + 1)] for stem in stems)]


def spread(columns: Columns, names: Sequence[str]) -> Columns:
    """Return the features of each period of each row, shape (rows · horizon,) each, the periods of a row together.

    Args:
        columns: Features, shape (rows,) each.
        names: Those that are taken.
    """
    return {each[0]: np.column_stack([columns[name] for name in each]).ravel() for each in align(names)}


def spread_in_graph(graph: onnx.GraphProto, names: Sequence[str], matrix: str, result: str) -> None:
    """Add to a graph what does as `spread`.

    Args:
        graph: The graph.
        names: The features, in the order in which the matrix has them.
        matrix: The name of the matrix, shape (rows, features).
        result: The name of what is made of it, shape (rows · horizon, features of a period).
    """
    positions = np.array([[names.index(name) for name in each] for each in align(names)]).T
    constants = {"positions": positions, "shape": np.array([-1, positions.shape[1]])}
    graph.initializer.extend(numpy_helper.from_array(of, f"{result}_{name}") for name, of in constants.items())
    graph.node.append(helper.make_node("Gather", [matrix, f"{result}_positions"], [f"{result}_apart"], axis=1))
    graph.node.append(helper.make_node("Reshape", [f"{result}_apart", f"{result}_shape"], [result]))
