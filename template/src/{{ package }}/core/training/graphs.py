"""An exported graph as a file whose bytes depend on the model alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx

from ..errors import ProjectError

MAX_BYTES = 2**31 - 1
"""What one file of ONNX can hold."""


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a model; what differs from run to run or from machine to machine without changing an answer is left out.

    Raises:
        ProjectError: the model is larger than one file of ONNX can be.
    """
    if model.ByteSize() > MAX_BYTES:
        raise ProjectError(
            f"the exported model has {model.ByteSize() / 1e9:.1f} GB, and one ONNX file holds 2: make the model smaller"
        )
    _normalize(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _normalize(model: onnx.ModelProto) -> None:
    """Forget notes, such as paths of source files, and name what is inside a graph by its place.

    Converters put an id of the run into names, or count up from one graph to the next in one process.
    """
    _forget_notes(model)
    model.opset_import.sort(key=lambda opset: opset.domain)
    model.graph.name = "model"
    _order(model.graph)
    names = {value.name: value.name for value in [*model.graph.input, *model.graph.output]}
    _rename(model.graph, {"": "", **names})
    sizes: dict[str, str] = {}
    for value in [*model.graph.input, *model.graph.output]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = sizes.setdefault(size.dim_param, f"size_{len(sizes)}")


def _order(graph: onnx.GraphProto) -> None:
    """Put the nodes of a graph in the order in which its outputs need them; converters sort them by such names."""
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output}
    needs = [[makers[name] for name in _read(node) if name in makers] for node in graph.node]
    ordered: dict[int, None] = {}
    stack = [makers[value.name] for value in reversed(graph.output) if value.name in makers]
    while stack:
        missing = [place for place in needs[stack[-1]] if place not in ordered]
        if missing:
            stack += reversed(missing)
        else:
            ordered[stack.pop()] = None
    nodes = [graph.node[place] for place in ordered]
    del graph.node[:]
    graph.node.extend(nodes)


def _read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names of the values that a node reads, itself or in the graphs inside it."""
    yield from node.input
    for attribute in node.attribute:
        for inner in [attribute.g, *attribute.graphs]:
            yield from (value.name for value in inner.output)
            for each in inner.node:
                yield from _read(each)


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename the values of a graph and of the graphs inside it, whose names are unique among all of them."""

    def renamed(name: str) -> str:
        return names.setdefault(name, f"value_{len(names)}")

    del graph.value_info[:], graph.quantization_annotation[:]
    for place, node in enumerate(graph.node):
        node.name = f"node_{place}"
        node.input[:] = [renamed(name) for name in node.input]
        for attribute in node.attribute:
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                inner.name = "inner"
                _rename(inner, names)
        node.output[:] = [renamed(name) for name in node.output]
    for value in [*graph.input, *graph.output, *graph.initializer]:
        value.name = renamed(value.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = renamed(sparse.values.name)
    graph.initializer.sort(key=lambda value: value.name)


def _forget_notes(part: Any) -> None:
    """Empty the notes of a message of ONNX's and of all messages inside it."""
    for field, value in part.ListFields():
        if field.name in ("doc_string", "metadata_props"):
            part.ClearField(field.name)
        elif field.message_type is not None:
            for inner in value if isinstance(value, Sequence) else [value]:
                _forget_notes(inner)
