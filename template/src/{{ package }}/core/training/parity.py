"""The check that the exported model answers as the trained one does.

It goes the whole way, from the JSON of a request to the answer, on held-out rows as they are, with every value missing
that may be, and with categories that training never saw: exports go wrong silently, and there first.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from ... import model
from ..bundles.predictor import Predictor
from ..contract.columns import Answer, Columns
from ..contract.signature import Signature
from ..errors import ProjectError
from ..serving.decoder import RequestDecoder

MAX_ROWS = 500


class Parity(msgspec.Struct, frozen=True):
    """The largest difference between a model and its export, over so many rows: `parity.json` in a bundle.

    A difference is relative to the largest number of a row's answer where that is above 1: float32 has about seven
    digits, of which the difference between two large numbers keeps few.
    """

    rows: int
    max_difference: float
    tolerance: float


def check(trained: model.Model, exported: Predictor, columns: Columns, tolerance: float) -> Parity:
    """Compare a trained model with its export.

    Args:
        trained: What `model.py` fitted.
        exported: The same, loaded from the bundle.
        columns: Held-out rows, as a request carries them.
        tolerance: The largest difference that is let pass.

    Raises:
        ProjectError: the export answers differently.
    """
    probes = _probes(columns, exported.signature)
    expected = model.predict(trained, exported.signature.model_inputs(probes))
    answered = exported.predict(_through_json(probes, exported.signature))
    differences = _differences(expected, answered)
    parity = Parity(len(differences), float(differences.max()), tolerance)
    if not parity.max_difference <= tolerance:
        wrong = int(np.count_nonzero(~(differences <= tolerance)))
        raise ProjectError(
            f"the exported model differs from the trained one on {wrong} of {parity.rows} rows, by up to "
            f"{parity.max_difference:.2g} where {tolerance:.2g} is allowed; see model.py for what cannot be exported"
        )
    return parity


def _differences(expected: Answer, answered: Answer) -> NDArray[np.float64]:
    """Return the largest difference of each row, shape (rows,); that of two texts is infinite."""
    texts = {name for name, values in expected.items() if values.dtype == object}
    numbers = {name: values for name, values in expected.items() if name not in texts}
    differences = {name: one - answered[name] for name, one in numbers.items()}
    found = _largest(differences) / np.maximum(1, _largest(numbers))
    for name in texts:
        differ = (expected[name] != answered[name]).reshape(len(found), -1).any(axis=1)
        found = np.where(differ, np.inf, found)
    return found


def _largest(answer: Answer) -> NDArray[np.float64]:
    """Return the largest number of each row regardless of its sign, shape (rows,)."""
    each = [np.abs(numbers).reshape(len(numbers), -1).max(axis=1) for numbers in answer.values()]
    largest: NDArray[np.float64] = np.max(each, axis=0)
    return largest


def _probes(columns: Columns, signature: Signature) -> Columns:
    """Return rows as they are, with their nullable values missing, and with unseen categories."""
    rows = {name: values[:MAX_ROWS] for name, values in columns.items()}
    variants = [rows]
    for column in signature.inputs:
        variants += [rows | {column.name: probe} for probe in column.probes(rows[column.name])]
    return {name: np.concatenate([variant[name] for variant in variants]) for name in rows}


def _through_json(columns: Columns, signature: Signature) -> Columns:
    """Return columns as they arrive when each row is sent as a request."""
    values = [column.plain(columns[column.name]) for column in signature.inputs]
    names = [column.name for column in signature.inputs]
    instances = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    decode = RequestDecoder(signature, 1)
    rows = [decode(msgspec.json.encode({"instances": [instance]})) for instance in instances]
    return {name: np.concatenate([row[name] for row in rows]) for name in names}
