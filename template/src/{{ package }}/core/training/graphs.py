"""An exported graph as a file whose bytes depend on the model alone."""

from pathlib import Path

import onnx


def save(graph: onnx.ModelProto, path: Path) -> None:
    """Write a graph; what differs from run to run without changing an answer is left out."""
    graph.opset_import.sort(key=lambda opset: opset.domain)
    path.write_bytes(graph.SerializeToString(deterministic=True))
