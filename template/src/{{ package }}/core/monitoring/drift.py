"""Drift: how far the logged predictions are from the data that the model was made from.

A bundle's `reference.json` says for every column, and for the answers, how the values were distributed over some bins.
The log is counted into the same bins, one object at a time, and up to a number of rows, so it may be of any size.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer, Column, Columns
from ..contract.signature import Signature
from ..errors import ProjectError
from ..task.answer import flatten, unflatten
from .outcomes import Comparison, Performance
from .profiles import Profile, Reference, Thresholds, make_profile, psi
from .reader import Log, select, select_inputs


class ColumnDrift(msgspec.Struct, frozen=True):
    """How far one column is from its reference; `ks` is for numbers only."""

    name: str
    psi: float
    ks: float | None
    drifted: bool


class DriftReport(msgspec.Struct, frozen=True):
    """What the log says; `share` of it was read, and `enough` is false where that is too little for a verdict.

    `performance` is that of the predictions whose outcomes are known, if there are any, and `comparison` the one with
    another model, if it is asked for.
    """

    model: str
    rows: int
    share: float
    enough: bool
    columns: list[ColumnDrift]
    performance: Performance | None = None
    comparison: Comparison | None = None

    @property
    def drifted(self) -> list[ColumnDrift]:
        """Return the columns that have drifted, if there are rows enough to say so."""
        return [column for column in self.columns if column.drifted] if self.enough else []


def make_reference(signature: Signature, inputs: Columns, answer: Answer, thresholds: Thresholds) -> Reference:
    """Profile the data that a model was made from.

    Args:
        signature: Which columns there are.
        inputs: All rows, as a request carries them.
        answer: Of held-out rows only: the model knows the others too well.
        thresholds: When to speak of drift.
    """
    facets = _facets(signature.inputs, inputs) | _answered(signature, flatten(answer))
    return Reference(thresholds, [make_profile(name, values) for name, values in facets.items()])


def measure(
    reference: Reference, signature: Signature, model: str, log_uri: str, since: datetime | None = None
) -> DriftReport:
    """Compare the logged predictions of a model with its reference.

    Args:
        reference: What to compare with.
        signature: The model's.
        model: The bundle's id; what other models answered is left out.
        log_uri: Where the prediction log is.
        since: Leaves out what is older. A column that the log hides is left out too.

    Raises:
        ProjectError: nothing is logged anywhere, or the log cannot be read.
    """
    if not log_uri:
        raise ProjectError("PREDICTION_LOG_URI is empty: predictions are not logged, so drift cannot be measured")
    limits = reference.thresholds
    totals = [np.zeros(len(profile.counts), dtype=np.int64) for profile in reference.profiles]
    log = Log(log_uri, select("time", "model", "answer", inputs=select_inputs(signature.inputs)), since)
    rows = 0
    for records in log.read(model):
        rows += len(records)
        for facets in _logged(signature, records):
            for profile, total in zip(reference.profiles, totals, strict=True):
                if profile.name in facets:
                    total += profile.count(facets[profile.name])
        if rows >= limits.max_rows:
            break
    logged = [(profile, total) for profile, total in zip(reference.profiles, totals, strict=True) if total.any()]
    return DriftReport(model, rows, log.share, rows >= limits.min_rows, [_drift(*pair, limits) for pair in logged])


def _logged(signature: Signature, records: list[Any]) -> Iterator[Columns]:
    """Yield what may drift of some records: the inputs that are logged, each for itself, and the answers."""
    rows = zip(*(msgspec.structs.astuple(record.inputs) for record in records), strict=True)
    for column, everything in zip(signature.inputs, rows, strict=True):
        values = [value for value in everything if value is not msgspec.UNSET]
        if values:
            yield column.facets(signature.known({column.name: column.array(values)})[column.name])
    yield _answered(signature, unflatten([record.answer for record in records]))


def _answered(signature: Signature, answers: Columns) -> Columns:
    """Return what may drift of answers; an output that is called as an input is has a profile of its own."""
    taken = {column.name for column in signature.inputs}
    facets = _facets(signature.outputs, answers)
    return {f"predicted {name}" if name in taken else name: facet for name, facet in facets.items()}


def _facets(columns: Iterable[Column], arrays: Columns) -> Columns:
    return {name: facet for column in columns for name, facet in column.facets(arrays[column.name]).items()}


def _drift(profile: Profile, counts: NDArray[np.int64], limits: Thresholds) -> ColumnDrift:
    distance, ks = psi(np.array(profile.counts), counts), profile.ks(counts)
    return ColumnDrift(profile.name, distance, ks, distance >= limits.psi or (ks is not None and ks >= limits.ks))
