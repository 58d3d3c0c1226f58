"""The export of an isolation forest as one ensemble of regression trees.

skl2onnx exports each tree as a graph of its own with a dozen operators, for which a service takes two hundred times
as long. A tree whose leaves predict how deep they lie is a regression tree, and a forest of those is one operator.
"""

import copy
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from sklearn.ensemble import ExtraTreesRegressor, IsolationForest


def to_regressor(forest: IsolationForest) -> ExtraTreesRegressor:
    """Return a forest that predicts the mean depth at which rows are isolated."""
    regressor = ExtraTreesRegressor(len(forest.estimators_))
    regressor.estimators_ = [copy.deepcopy(tree) for tree in forest.estimators_]
    regressor.n_outputs_, regressor.n_features_in_ = 1, forest.n_features_in_
    for tree, columns in zip(regressor.estimators_, forest.estimators_features_, strict=True):
        nodes = tree.tree_
        nodes.value[:, 0, 0] = nodes.compute_node_depths() - 1 + mean_depth(nodes.n_node_samples)
        inner = nodes.children_left != nodes.children_right
        nodes.feature[inner] = columns[nodes.feature[inner]]  # a tree numbers the columns that it was given
    return regressor


def add_score(model: onnx.ModelProto, rows: int) -> onnx.ModelProto:
    """Return a graph whose output is a score instead of a mean depth, shape (rows,): 0.5 at the depth to be expected.

    Args:
        model: The graph of `to_regressor`, with one output, shape (rows, 1).
        rows: How many rows each tree was given.
    """
    expected = float(mean_depth(np.array([rows]))[0])
    numbers = {"row": np.array([-1]), "factor": np.float32(-1 / expected), "two": np.float32(2)}
    graph = model.graph
    graph.initializer.extend(numpy_helper.from_array(np.asarray(number), name) for name, number in numbers.items())
    steps = [
        ("Reshape", (graph.output[0].name, "row"), "depth"),
        ("Mul", ("depth", "factor"), "power"),
        ("Pow", ("two", "power"), "score"),
    ]
    graph.node.extend(helper.make_node(operator, inputs, [output]) for operator, inputs, output in steps)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, [None]))
    return model


def mean_depth(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return how deep a random tree isolates one of so many rows, on average, shape (nodes,).

    Source: F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", 2008, equation 1.
    """
    many = np.maximum(rows, 3)
    depth: NDArray[np.float64] = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(rows > 2, depth, rows == 2)
