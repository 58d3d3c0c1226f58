"""Drift: how far the logged predictions are from the data that the model was made from.

A bundle's `reference.json` says for every column, and for the answers, how the values were distributed over some bins.
The log is counted into the same bins, one object at a time, and up to a number of rows, so it may be of any size.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

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
    """What the log says; `share` of it was read, and `enough` is false where that is too little for a verdict."""

    model: str
    rows: int
    share: float
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
    limits = reference.thresholds
    totals = [np.zeros(len(profile.counts), dtype=np.int64) for profile in reference.profiles]
    log = _Log(log_uri, signature, since)
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
    yield _facets(signature.outputs, unflatten([record.answer for record in records]))


def _facets(columns: Iterable[Column], arrays: Columns) -> Columns:
    return {name: facet for column in columns for name, facet in column.facets(arrays[column.name]).items()}


class _Log:
    """The objects of a log, in an order that a hash of their names gives: the first of them are a sample of the whole.

    `share` of its bytes has been read.
    """

    def __init__(self, uri: str, signature: Signature, since: datetime | None) -> None:
        self.share = 1.0
        self._uri = uri
        self._since = since
        columns = enumerate(signature.inputs)
        fields = {f"column_{i}": column.name for i, column in columns}  # which need not be a name of Python's
        inputs = msgspec.defstruct("Inputs", [(field, Any, msgspec.UNSET) for field in fields], rename=fields, gc=False)
        types = {field.name: field.type for field in msgspec.structs.fields(Record)} | {"inputs": inputs}
        read = ("time", "model", "inputs", "answer")  # the rest of a record would be decoded for nothing
        record = msgspec.defstruct("Logged", [(name, types[name]) for name in read], gc=False)
        self._decode: Callable[[bytes], list[Any]] = msgspec.json.Decoder(record).decode_lines

    def read(self, model: str) -> Iterator[list[Any]]:
        """Yield the records of each object that has any for the model."""
        since, read = self._since, 0
        # An object's name begins with the day of its writing: of a log of years, only the last days are listed.
        first = f"{since.astimezone(UTC):%Y-%m-%d}" if since else None
        try:
            store = open_folder(self._uri)
            listed = [meta for metas in obstore.list(store, offset=first) for meta in metas]
            objects = [meta for meta in listed if not since or meta["last_modified"] >= since]
            objects.sort(key=lambda meta: hashlib.blake2b(meta["path"].encode()).digest())
            size = sum(meta["size"] for meta in objects)
            for meta in objects:
                content = gzip.decompress(bytes(obstore.get(store, meta["path"]).bytes()))
                records = [record for record in self._decode(content) if record.model == model]
                read += meta["size"]
                self.share = read / size
                if records := [record for record in records if not since or record.time >= since]:
                    yield records
        except (OSError, obstore.exceptions.BaseError, msgspec.DecodeError) as error:
            reason = str(error).partition("\n")[0]
            raise ProjectError(f"the prediction log {self._uri} cannot be read: {reason}") from error


def _drift(profile: Profile, counts: NDArray[np.int64], limits: Thresholds) -> ColumnDrift:
    distance, ks = psi(np.array(profile.counts), counts), profile.ks(counts)
    return ColumnDrift(profile.name, distance, ks, distance >= limits.psi or (ks is not None and ks >= limits.ks))
