"""Drift: how far the logged predictions are from the data that the model was made from.

A bundle's `reference.json` says for every column, and for the answers, how the values were distributed over some bins.
The log is counted into the same bins, one object at a time, so it may be of any size.
"""

import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
import numpy as np
import obstore
from numpy.typing import NDArray

from ..bundles.storage import open_folder
from ..contract.columns import Answer, Column, Columns
from ..contract.signature import Signature
from ..errors import ProjectError
from ..task.answer import flatten, unflatten
from .profiles import Profile, Thresholds, make_profile, psi
from .record import Record


class Reference(msgspec.Struct, frozen=True):
    """What drift is measured against: `reference.json` in a bundle."""

    thresholds: Thresholds
    profiles: list[Profile]


class ColumnDrift(msgspec.Struct, frozen=True):
    """How far one column is from its reference; `ks` is for numbers only."""

    name: str
    psi: float
    ks: float | None
    drifted: bool


class DriftReport(msgspec.Struct, frozen=True):
    """What the log says; `enough` is false where there are too few rows for a verdict."""

    model: str
    rows: int
    enough: bool
    columns: list[ColumnDrift]

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
    facets = _facets(signature.inputs, inputs) | _facets(signature.outputs, flatten(answer))
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
    totals = [np.zeros(len(profile.counts), dtype=np.int64) for profile in reference.profiles]
    rows = 0
    for records in _read(log_uri, model, since):
        rows += len(records)
        for facets in _logged(signature, records):
            for profile, total in zip(reference.profiles, totals, strict=True):
                if profile.name in facets:
                    total += profile.count(facets[profile.name])
    limits = reference.thresholds
    logged = [(profile, total) for profile, total in zip(reference.profiles, totals, strict=True) if total.any()]
    return DriftReport(model, rows, rows >= limits.min_rows, [_drift(*pair, limits) for pair in logged])


def _logged(signature: Signature, records: list[Record]) -> Iterator[Columns]:
    """Yield what may drift of some records: the inputs that are logged, each for itself, and the answers."""
    for column in signature.inputs:
        values = [record.inputs[column.name] for record in records if column.name in record.inputs]
        if values:
            yield column.facets(signature.known({column.name: column.array(values)})[column.name])
    yield _facets(signature.outputs, unflatten([record.answer for record in records]))


def _facets(columns: Iterable[Column], arrays: Columns) -> Columns:
    return {name: facet for column in columns for name, facet in column.facets(arrays[column.name]).items()}


def _read(uri: str, model: str, since: datetime | None) -> Iterator[list[Record]]:
    """Yield the records of each object of the log that has any for the model."""
    decoder = msgspec.json.Decoder(Record)
    store = open_folder(uri)
    # An object's name begins with the day of its writing: of a log of years, only the last days are listed.
    first = f"{since.astimezone(UTC):%Y-%m-%d}" if since else None
    try:
        for objects in obstore.list(store, offset=first):
            for meta in objects:
                if since and meta["last_modified"] < since:
                    continue
                content = gzip.decompress(bytes(obstore.get(store, meta["path"]).bytes()))
                records = [record for record in decoder.decode_lines(content) if record.model == model]
                if records := [record for record in records if not since or record.time >= since]:
                    yield records
    except (OSError, obstore.exceptions.BaseError, msgspec.DecodeError) as error:
        raise ProjectError(f"the prediction log {uri} cannot be read: {str(error).partition(chr(10))[0]}") from error


def _drift(profile: Profile, counts: NDArray[np.int64], limits: Thresholds) -> ColumnDrift:
    distance, ks = psi(np.array(profile.counts), counts), profile.ks(counts)
    return ColumnDrift(profile.name, distance, ks, distance >= limits.psi or (ks is not None and ks >= limits.ks))
