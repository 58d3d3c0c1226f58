"""The one way a model is called, by evaluation, serving and batch alike.

To serve something that is not ONNX, change `export` in `model.py`, how `graphs.py` saves it, and what `open_model`
returns here: everything else asks for no more than `Predictor`.
"""

import math
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import onnxruntime as ort

from ..contract.columns import Answer, Columns
from ..contract.signature import Signature
from ..errors import ProjectError
from .bundle import Bundle
from .fingerprint import features_sha256

ROWS_AT_ONCE = 2_000
"""How many rows a graph is given: what it makes of each may be as wide as a vocabulary."""
PIXELS_AT_ONCE = 4_000_000
"""How many values of pixels it is given: what it makes of each may be as wide as a layer has channels."""


class Predictor(Protocol):
    """A model that is ready to answer."""

    signature: Signature

    def predict(self, columns: Columns) -> Answer:
        """Return the answer for columns as a request carries them."""


class OnnxPredictor:
    """A model in ONNX, run by ONNX Runtime.

    The graph takes `numbers` and `texts`, the features of each kind in the order of the signature, shape (rows, …), and
    each feature of pixels by its name; what there is no feature of is absent. Its outputs, by name, are the answer.
    """

    def __init__(self, session: ort.InferenceSession, signature: Signature) -> None:
        self.signature = signature
        self._session = session
        self._inputs = [graph_input.name for graph_input in session.get_inputs()]
        self._outputs = [graph_output.name for graph_output in session.get_outputs()]
        pixels = [feature for feature in signature.features if feature.matrix == "pixels"]
        known = ["numbers", "texts", *(feature.name for feature in pixels)]
        if not set(known).issuperset(self._inputs):
            raise ValueError(f"its graph takes {', '.join(self._inputs)} instead of {' and '.join(known)}")
        values = sum(math.prod(feature.shape) for feature in pixels)
        self._most = min(ROWS_AT_ONCE, max(1, PIXELS_AT_ONCE // values)) if values else ROWS_AT_ONCE

    @classmethod
    def load(cls, folder: Path, signature: Signature, threads: int = 1) -> Self:
        """Read `model.onnx`; one thread serves small requests best (more of them spin and wait for each other)."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return cls(ort.InferenceSession(folder / "model.onnx", options, ["CPUExecutionProvider"]), signature)

    def predict(self, columns: Columns) -> Answer:
        """Return the answer for columns as a request carries them."""
        matrices = self.signature.matrices(columns)
        feeds = {name: matrices[name] for name in self._inputs}
        rows = len(next(iter(feeds.values())))
        if rows <= self._most:
            return self._run(feeds)
        starts = range(0, rows, self._most)
        parts = [self._run({name: values[i : i + self._most] for name, values in feeds.items()}) for i in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _run(self, feeds: Columns) -> Answer:
        return dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))


def open_model(folder: Path, signature: Signature, threads: int = 1) -> Predictor:
    """Return the predictor for a model that has been exported into a folder."""
    return OnnxPredictor.load(folder, signature, threads)


def load(bundle: Bundle, threads: int = 1) -> Predictor:
    """Load a bundle's model.

    Raises:
        ProjectError: it was trained with another version of `features.py`, or cannot be read.
    """
    if bundle.manifest.features != features_sha256():
        raise ProjectError(f"the bundle {bundle.id} was trained with another version of features.py; train again")
    try:
        return complete(open_model(bundle.path, bundle.signature(), threads))
    except Exception as error:  # ONNX Runtime raises classes that it does not export
        raise ProjectError(f"the model of the bundle {bundle.id} cannot be loaded: {error}") from error


class DecidingPredictor:
    """A model whose signature holds numbers that decide: they become part of the answer."""

    def __init__(self, predictor: Predictor) -> None:
        self.signature = predictor.signature
        self._predict = predictor.predict

    def predict(self, columns: Columns) -> Answer:
        """Return the answer for columns as a request carries them."""
        return self.signature.decide(self._predict(columns))


def complete(predictor: Predictor) -> Predictor:
    """Return a predictor whose answers hold all that its signature says of them."""
    return DecidingPredictor(predictor) if predictor.signature.decision else predictor
