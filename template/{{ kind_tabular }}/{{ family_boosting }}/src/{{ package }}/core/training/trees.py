"""Numbers and categories as the one matrix of floats that a library for boosted trees takes."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from ..contract.columns import Columns
from .encoding import CATEGORIES, NUMBERS, Encoder, numbers, prepend_nodes

WIDTH = len(NUMBERS) + len(CATEGORIES)
CATEGORY_POSITIONS = list(range(len(NUMBERS), WIDTH))


def matrix(encoder: Encoder, columns: Columns) -> NDArray[np.float32]:
    """Return the numbers, then the codes of the categories, shape (rows, features)."""
    return np.hstack([numbers(columns), encoder.codes(columns)], dtype=np.float32)


def take_features(model: onnx.ModelProto, encoder: Encoder, name: str = "matrix") -> None:
    """Let a graph that takes one matrix take `numbers` and `texts` instead."""
    cast = helper.make_node("Cast", ["codes"], ["codes_as_floats"], to=onnx.TensorProto.FLOAT)
    parts = [*(["numbers"] if NUMBERS else []), *(["codes_as_floats"] if CATEGORIES else [])]
    join = helper.make_node("Concat", parts, [name], axis=1)
    prepend_nodes(model, [cast, join] if CATEGORIES else [join])
    del model.graph.input[:]
    if NUMBERS:
        shape = [None, len(NUMBERS)]
        model.graph.input.append(helper.make_tensor_value_info("numbers", onnx.TensorProto.FLOAT, shape))
    encoder.prepend(model)
