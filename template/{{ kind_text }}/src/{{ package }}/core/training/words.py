"""The counting of words in an exported graph.

`features.py` has brought the words to one form and put spaces between them: lower-casing in a graph needs a locale that
a slim image does not have, and patterns for words differ between Python and ONNX Runtime.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = {"": 20, "ai.onnx.ml": 1}
"""The oldest versions of ONNX's operators that have those used here."""


def prepend(model: onnx.ModelProto, vocabulary: Mapping[str, int], labels: int) -> onnx.ModelProto:
    """Let a graph that takes `counts` take `texts` instead, shape (rows, 1), of words with spaces between them.

    Args:
        model: It gives `probabilities`, the only output that is kept.
        vocabulary: The place of each word, or of each run of words with a space between them, among the counts.
        labels: How many probabilities a row has.
    """
    runs: dict[int, list[str]] = {}
    for run in sorted(vocabulary, key=lambda run: vocabulary[run]):
        runs.setdefault(run.count(" ") + 1, []).append(run)
    longest = max(runs)
    by_length = [runs.get(length, []) for length in range(1, longest + 1)]
    starts = np.cumsum([0, *(length * len(group) for length, group in enumerate(by_length, 1))])
    nodes = [
        helper.make_node("Squeeze", ["texts", "axis"], ["text"]),
        helper.make_node("StringSplit", ["text"], ["words", "number"]),
        helper.make_node(
            "TfIdfVectorizer",
            ["words"],
            ["counts"],
            mode="TF",
            min_gram_length=min(runs),
            max_gram_length=longest,
            max_skip_count=0,
            ngram_counts=starts[:-1].tolist(),
            ngram_indexes=[vocabulary[run] for group in by_length for run in group],
            pool_strings=[word for group in by_length for run in group for word in run.split(" ")],
        ),
    ]
    axis = numpy_helper.from_array(np.array([1], dtype=np.int64), "axis")
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    graph = helper.make_graph(
        [*nodes, *model.graph.node],
        "model",
        [helper.make_tensor_value_info("texts", TensorProto.STRING, [None, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, labels])],
        [axis, *model.graph.initializer],
    )
    return helper.make_model(
        graph,
        ir_version=model.ir_version,
        opset_imports=[helper.make_opsetid(domain, max(v, opsets.get(domain, v))) for domain, v in OPSETS.items()],
    )
