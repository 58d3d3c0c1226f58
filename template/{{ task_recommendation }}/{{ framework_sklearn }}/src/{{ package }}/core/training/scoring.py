"""The ranking of items by a model that adds weights: as arrays, and as a graph that gives the same, to the last bit.

Two items whose scores nearly tie would change places where sums are rounded in another order, so nothing is rounded:
weights are multiples of a power of two that is large enough for all sums to fit into float32.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ...schema import TOP
from ..contract.columns import Answer

DIGITS = 23
"""How many binary digits a sum has in float32, less one for its rounding."""
LOWEST = np.finfo(np.float32).min
Floats = NDArray[np.float32]


def round_exactly(weights: NDArray[np.float64], prior: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Return weights, shape (items, items), and what is added to each item's sum, so that every sum is exact."""
    largest = max(float((np.abs(weights).sum(axis=0) + np.abs(prior)).max()), 1.0)
    step = 2.0 ** (np.ceil(np.log2(largest)) + 1 - DIGITS)
    one, other = (np.round(values / step) * step for values in (weights, prior))
    return one.astype(np.float32), other.astype(np.float32)


def rank(
    items: Sequence[str], popularity: Floats, scores: Floats, barred: NDArray[np.bool_], k: NDArray[np.float32]
) -> Answer:
    """Return the best items, shape (rows, TOP); where fewer are asked for or left, "" and zeros.

    Args:
        items: The names.
        popularity: The share of users who have each item.
        scores: Of each item, shape (rows, items).
        barred: Which of them are not to be recommended, shape (rows, items).
        k: How many are asked for, shape (rows,); TOP where it is not said.
    """
    top = min(TOP, len(items))
    left = np.where(barred, LOWEST, scores)
    best = np.argsort(-left, axis=1, kind="stable")[:, :top]
    told = np.take_along_axis(left, best, axis=1)
    shown = (told > LOWEST) & (np.arange(top) < np.where(np.isnan(k), TOP, k)[:, None])
    return {
        "items": np.where(shown, np.array(items, dtype=object)[best], ""),
        "scores": np.where(shown, told, 0).astype(np.float32),
        "popularity": np.where(shown, popularity[best], 0).astype(np.float32),
    }


def build_graph(
    items: Sequence[str], weights: Floats, prior: Floats, popularity: Floats, numbers: list[str], texts: list[str]
) -> onnx.ModelProto:
    """Return a graph that scores items by the weights of those in the history, and ranks them as `rank` does.

    Args:
        items: The names.
        weights: Of each known item for each other, shape (items, items).
        prior: What is added to each item's sum.
        popularity: The share of users who have each item.
        numbers: The features in `numbers`; `k` is one of them.
        texts: The features in `texts`; `history`, `exclude` and `candidates` are among them.
    """
    count, top = len(items), min(TOP, len(items))
    constants = {
        "weights": weights,
        "prior": prior,
        "popularities": popularity,
        "names": np.array(items, dtype=object),
        "nothing": np.array("", dtype=object),
        "lowest": np.array(LOWEST, dtype=np.float32),
        "zero": np.array(0, dtype=np.float32),
        "no_words": np.array(0, dtype=np.int64),
        "default_k": np.array(TOP, dtype=np.float32),
        "places": np.arange(top, dtype=np.float32),
        "top": np.array([top]),
        "start": np.array([0]),
        "stop": np.array([count]),
        "axis": np.array([1]),
        "width": np.array([count + 1]),
        "at_k": np.array([numbers.index("k")]),
        **{f"at_{name}": np.array(texts.index(name)) for name in ("history", "exclude", "candidates")},
    }
    nodes = [node for name in ("history", "exclude", "candidates") for node in _count_in_graph(name, items)]
    steps = [
        ("MatMul", "history_there weights", "sums"),
        ("Add", "sums prior", "raw"),
        ("Add", "history_there exclude_there", "known"),
        ("Greater", "known zero", "is_known"),
        ("Greater", "candidates_words no_words", "any_candidates"),
        ("Unsqueeze", "any_candidates axis", "are_candidates"),
        ("Equal", "candidates_there zero", "is_no_candidate"),
        ("And", "are_candidates is_no_candidate", "is_left_out"),
        ("Or", "is_known is_left_out", "is_barred"),
        ("Where", "is_barred lowest raw", "left"),
        ("TopK", "left top", "told best"),
        ("Gather", "names best", "best_names"),
        ("Gather", "popularities best", "best_popularity"),
        ("IsNaN", "asked", "is_not_said"),
        ("Where", "is_not_said default_k asked", "k"),
        ("Less", "places k", "is_asked"),
        ("Greater", "told lowest", "is_left"),
        ("And", "is_asked is_left", "is_shown"),
        ("Where", "is_shown best_names nothing", "items"),
        ("Where", "is_shown told zero", "scores"),
        ("Where", "is_shown best_popularity zero", "popularity"),
    ]
    nodes.append(helper.make_node("Gather", ["numbers", "at_k"], ["asked"], axis=1))
    nodes += [helper.make_node(operator, taken.split(), made.split()) for operator, taken, made in steps]
    value, number, text = helper.make_tensor_value_info, TensorProto.FLOAT, TensorProto.STRING
    graph = helper.make_graph(
        nodes,
        "model",
        [value("numbers", number, [None, len(numbers)]), value("texts", text, [None, len(texts)])],
        [value("items", text, [None, top]), *(value(name, number, [None, top]) for name in ("scores", "popularity"))],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 4)]
    return helper.make_model(graph, ir_version=9, opset_imports=opsets)


def _count_in_graph(name: str, items: Sequence[str]) -> list[onnx.NodeProto]:
    """Return what makes of one of the texts whether each item is there, shape (rows, items), and how many words are.

    Items that are not known are counted in a last column, which is cut off.
    """
    zero, one = (helper.make_tensor("value", TensorProto.FLOAT, [1], [number]) for number in (0.0, 1.0))
    encode = helper.make_node(
        "LabelEncoder",
        [f"{name}_words_each"],
        [f"{name}_positions"],
        domain="ai.onnx.ml",
        keys_strings=list(items),
        values_int64s=list(range(len(items))),
        default_int64=len(items),
    )
    return [
        helper.make_node("Gather", ["texts", f"at_{name}"], [f"{name}_text"], axis=1),
        helper.make_node("StringSplit", [f"{name}_text"], [f"{name}_words_each", f"{name}_words"]),
        encode,
        helper.make_node("Shape", [f"{name}_text"], [f"{name}_rows"]),
        helper.make_node("Concat", [f"{name}_rows", "width"], [f"{name}_size"], axis=0),
        helper.make_node("ConstantOfShape", [f"{name}_size"], [f"{name}_none"], value=zero),
        helper.make_node("Shape", [f"{name}_positions"], [f"{name}_shape"]),
        helper.make_node("ConstantOfShape", [f"{name}_shape"], [f"{name}_ones"], value=one),
        helper.make_node(
            "ScatterElements", [f"{name}_none", f"{name}_positions", f"{name}_ones"], [f"{name}_all"], axis=1
        ),
        helper.make_node("Slice", [f"{name}_all", "start", "stop", "axis"], [f"{name}_there"]),
    ]
