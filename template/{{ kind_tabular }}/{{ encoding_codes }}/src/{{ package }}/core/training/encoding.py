"""Categories as whole numbers, in training and in the exported graph alike, for frameworks that take no text.

Code 0 stands for what the model did not learn from; a missing value is the text "", which has a code of its own if the
model learned from one.
"""

from typing import Self

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ...schema import FEATURES
from ..contract.columns import Columns

NUMBERS = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
CATEGORIES = [feature.name for feature in FEATURES if feature.matrix == "texts"]
OPSETS = {"": 13, "ai.onnx.ml": 2}
"""The oldest versions of ONNX's operators that have those used here."""


class Encoder(msgspec.Struct, frozen=True):
    """The values of each category that the model learned from, sorted."""

    vocabularies: list[list[str]]

    @classmethod
    def fit(cls, columns: Columns) -> Self:
        """Learn the values of each category."""
        return cls([sorted(set(columns[name])) for name in CATEGORIES])

    @property
    def sizes(self) -> list[int]:
        """Return how many codes each category has."""
        return [len(vocabulary) + 1 for vocabulary in self.vocabularies]

    def codes(self, columns: Columns) -> NDArray[np.int64]:
        """Return the codes, shape (rows, categories)."""
        places = [{text: code for code, text in enumerate(vocabulary, 1)} for vocabulary in self.vocabularies]
        codes = [[place.get(text, 0) for text in columns[name]] for name, place in zip(CATEGORIES, places, strict=True)]
        return np.array(codes, dtype=np.int64).reshape(len(CATEGORIES), _rows(columns)).T

    def prepend(self, model: onnx.ModelProto, codes: str = "codes") -> None:
        """Let a graph that takes codes, int64 of shape (rows, categories), take `texts` instead.

        These are three nodes, however many categories there are: one finds a text's place among all texts of all
        categories, and the others look it up in the part of one table that belongs to the category.
        """
        if not CATEGORIES:
            return
        texts = sorted(set().union(*self.vocabularies))
        places = {text: place for place, text in enumerate(texts, 1)}
        table = np.zeros((len(CATEGORIES), len(texts) + 1), dtype=np.int64)
        for row, vocabulary in zip(table, self.vocabularies, strict=True):
            row[[places[text] for text in vocabulary]] = range(1, len(vocabulary) + 1)
        starts = np.arange(len(CATEGORIES), dtype=np.int64) * (len(texts) + 1)
        find = helper.make_node(
            "LabelEncoder",
            ["texts"],
            ["places"],
            domain="ai.onnx.ml",
            keys_strings=texts,
            values_int64s=list(places.values()),
            default_int64=0,
        )
        add = helper.make_node("Add", ["places", "starts"], ["positions"])
        look_up = helper.make_node("Gather", ["table", "positions"], [codes])
        prepend_nodes(model, [find, add, look_up])
        model.graph.initializer.append(numpy_helper.from_array(starts, "starts"))
        model.graph.initializer.append(numpy_helper.from_array(table.ravel(), "table"))
        kept = [value for value in model.graph.input if value.name != codes]
        del model.graph.input[:]
        shape = [None, len(CATEGORIES)]
        model.graph.input.extend([*kept, helper.make_tensor_value_info("texts", onnx.TensorProto.STRING, shape)])


def numbers(columns: Columns) -> NDArray[np.float32]:
    """Return the numbers, shape (rows, numbers), with NaN where one is missing."""
    arrays = [columns[name] for name in NUMBERS]
    return np.array(arrays, dtype=np.float32).reshape(len(NUMBERS), _rows(columns)).T


def prepend_nodes(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    """Put nodes in front of a graph, and declare the operators that they need."""
    after = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *after])
    versions = {opset.domain: opset.version for opset in model.opset_import}
    del model.opset_import[:]
    needed = {domain: max(version, versions.get(domain, 0)) for domain, version in OPSETS.items()}
    model.opset_import.extend(helper.make_opsetid(*opset) for opset in {**versions, **needed}.items())


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values())))
