"""The nodes of an exported graph in an order of their own."""

from collections.abc import Iterator

import onnx


def order(graph: onnx.GraphProto) -> None:
    """Put the nodes of a graph in the order in which its outputs need them, without those that none needs.

    tf2onnx sorts them by names that count up from one graph to the next in one process.
    """
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output}
    needs = [[makers[name] for name in _read(node) if name in makers] for node in graph.node]
    ordered: dict[int, None] = {}
    stack = [makers[value.name] for value in reversed(graph.output)]
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
