"""Outcomes: what happened to the rows that were asked about, and how good the answers to them were.

An outcome belongs to a logged prediction by the id of the request and the row therein. The live metrics are compared
with those of the held-out rows; both are samples, and the interval of their difference takes account of both.
"""

import gzip
import uuid
from collections.abc import Container, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import obstore

from ...metrics import METRICS
from ...schema import SLICES
from ..bundles.bundle import Bundle
from ..bundles.storage import open_folder, store_errors
from ..contract.columns import Answer, Column, Columns
from ..errors import ProjectError
from ..evaluation.groups import Slice, estimate_slices, find_groups
from ..evaluation.intervals import Estimate, estimate, estimate_gain, subtract
from ..evaluation.measure import Metric, Rows, Target
from ..task.answer import read_outcomes, restore
from .profiles import Thresholds
from .reader import Log, select, select_inputs
from .reader import read_outcomes as read_kept
from .record import OUTCOMES, SUFFIX, Outcome

WIDER = 2.576 / 1.960
"""By how much an interval of 99 % is wider than one of 95 %: who looks every day must not be alarmed by chance."""
DAYS = 31
"""For how many days, the last ones, the metric is told of each."""
Key = tuple[str, int]
"""The id of a request, and the number of a row in it."""


class Performance(msgspec.Struct, frozen=True):
    """How good the answers were whose outcomes are known: `joined` of all `outcomes`.

    `metric` decides: by `loss` it is worse than on the held-out rows, if there are rows enough to say so. `slices` tell
    it of each group of the schema that the log knows, `days` of each day on which rows were answered.
    """

    outcomes: int
    joined: int
    enough: bool
    metric: str
    live: dict[str, Estimate]
    held_out: dict[str, Estimate]
    loss: Estimate | None
    slices: list[Slice] = []
    days: list[Slice] = []

    @property
    def worse(self) -> bool:
        """Tell whether the answers are worse than on the held-out rows, beyond chance."""
        return self.enough and self.loss is not None and self.loss.low > 0


class Comparison(msgspec.Struct, frozen=True):
    """How good a model's answers were beside another's to the same rows, whose outcomes are known.

    `gain` is positive where the model is the better one; `tolerance` is what the gate allows it to be worse.
    """

    other: str
    rows: int
    enough: bool
    metric: str
    tolerance: float
    gain: Estimate | None

    @property
    def worse(self) -> bool:
        """Tell whether the model is worse than the other by more than the tolerance, beyond chance."""
        return self.enough and self.gain is not None and self.gain.high < -self.tolerance


class _Gate(msgspec.Struct):
    metric: str
    resamples: int
    tolerance: float


class _Params(msgspec.Struct):
    """What has to be known of a bundle's `params.json`."""

    gate: _Gate


class _Report(msgspec.Struct):
    """What has to be known of a bundle's `metrics.json`."""

    metrics: dict[str, Estimate]


def keep(outcomes: Iterable[tuple[str, int, Any]], log_uri: str) -> None:
    """Keep outcomes beside the log.

    Args:
        outcomes: The id of a request, the number of a row in it, and what happened, each.
        log_uri: Where the prediction log is.

    Raises:
        ProjectError: the log's store refuses them.
    """
    now = datetime.now(UTC)
    lines = msgspec.json.Encoder().encode_lines([Outcome(name, row, now, value) for name, row, value in outcomes])
    with store_errors(f"the outcomes cannot be written to {log_uri}"):
        path = f"{OUTCOMES}{now:%Y-%m-%d/%H%M%S.%f}-{uuid.uuid4().hex}{SUFFIX}"
        obstore.put(open_folder(log_uri), path, gzip.compress(lines))


def measure(bundle: Bundle, limits: Thresholds, log_uri: str, since: datetime | None = None) -> Performance | None:
    """Compare a model's answers with what happened.

    Args:
        bundle: The model.
        limits: How many rows it takes for a verdict, and after how many of the log no more are read.
        log_uri: Where the prediction log is.
        since: Leaves out what became known before.

    Returns:
        None where no outcome is known.

    Raises:
        ProjectError: the log cannot be read.
    """
    known = _find_known(log_uri, since)
    if not known:
        return None
    sliced = [column for column in bundle.signature().inputs if column.name in SLICES]
    fields = select("request_id", "row", "time", "model", "answer", inputs=select_inputs(sliced))
    matches = list(_join(known, Log(log_uri, fields), bundle.id, limits.max_rows).values())
    gate = _read_gate(bundle)
    held_out = msgspec.json.decode((bundle.path / "metrics.json").read_bytes(), type=_Report).metrics
    if not matches:
        return Performance(len(known), 0, enough=False, metric=gate.metric, live={}, held_out=held_out, loss=None)
    target = read_outcomes([known[record.request_id, record.row] for record in matches])
    answer = bundle.signature().decide(restore([record.answer for record in matches]))
    shared = [name for name in METRICS if name in held_out]
    live = {name: estimate_live(METRICS[name], target, answer, gate.resamples) for name in shared}
    performance = Performance(
        outcomes=len(known),
        joined=len(matches),
        enough=len(matches) >= limits.min_rows,
        metric=gate.metric,
        live=live,
        held_out=held_out,
        loss=None,
    )
    if gate.metric not in live:
        return performance
    metric = METRICS[gate.metric]

    def estimate_each(groups: Iterable[tuple[str, str, Rows]]) -> list[Slice]:
        return estimate_slices(metric, target, answer, groups, np.arange(len(target)), gate.resamples)

    return msgspec.structs.replace(
        performance,
        loss=compare(metric, live[gate.metric], held_out[gate.metric]),
        slices=estimate_each(find_groups(_logged(sliced, matches))),
        days=estimate_each(_find_days(matches)),
    )


def measure_against(
    bundle: Bundle, other: Bundle, limits: Thresholds, log_uri: str, since: datetime | None = None
) -> Comparison:
    """Compare a model's answers with those of another to the same rows, by the outcomes that are known.

    Args:
        bundle: The model.
        other: One that was asked the same, such as the one in whose shadow it runs.
        limits: How many rows it takes for a verdict, and after how many of the log no more are read.
        log_uri: Where the prediction log is.
        since: Leaves out what became known before.

    Raises:
        ProjectError: the log cannot be read, or the two answer different questions.
    """
    if bundle.signature().outputs != other.signature().outputs:
        raise ProjectError(f"{bundle.id} and {other.id} have different outputs, so they cannot be compared")
    gate, known, gain = _read_gate(bundle), _find_known(log_uri, since), None
    log = Log(log_uri, select("request_id", "row", "time", "model", "answer"))
    mine, others = (_join(known, log, model.id, limits.max_rows) if known else {} for model in (bundle, other))
    rows = [key for key in mine if key in others]
    if rows:
        target = read_outcomes([known[key] for key in rows])
        new, old = (
            model.signature().decide(restore([joined[key].answer for key in rows]))
            for model, joined in ((bundle, mine), (other, others))
        )
        gain = estimate_gain(METRICS[gate.metric], target, new, old, np.arange(len(rows)), gate.resamples)
    enough = len(rows) >= limits.min_rows
    return Comparison(other.id, len(rows), enough, gate.metric, gate.tolerance, gain)


def _read_gate(bundle: Bundle) -> _Gate:
    return msgspec.json.decode((bundle.path / "params.json").read_bytes(), type=_Params).gate


def _find_known(log_uri: str, since: datetime | None) -> dict[Key, Any]:
    return {(outcome.request_id, outcome.row): outcome.outcome for outcome in read_kept(log_uri, since)}


def _join(known: Container[Key], log: Log, model: str, max_rows: int) -> dict[Key, Any]:
    """Return the records of a model whose outcomes are known, of so many rows of the log."""
    matches: dict[Key, Any] = {}
    rows = 0
    for records in log.read(model):
        matches |= {key: record for record in records if (key := (record.request_id, record.row)) in known}
        rows += len(records)
        if rows >= max_rows:
            break
    return matches


def _logged(columns: list[Column], records: list[Any]) -> Columns:
    """Return the columns that all records hold, shape (rows,) each."""
    rows = zip(*(msgspec.structs.astuple(record.inputs) for record in records), strict=True)
    whole = ((column, values) for column, values in zip(columns, rows, strict=True) if msgspec.UNSET not in values)
    return {column.name: column.array(values) for column, values in whole}


def _find_days(records: list[Any]) -> Iterator[tuple[str, str, Rows]]:
    """Yield the last days, in UTC, on which records were written, and the positions of each day's."""
    days = np.array([f"{record.time.astimezone(UTC):%Y-%m-%d}" for record in records])
    for day in np.unique(days)[-DAYS:]:
        yield "day", str(day), np.flatnonzero(days == day)


def estimate_live(metric: Metric, target: Target, answer: Answer, resamples: int) -> Estimate:
    """Estimate a metric of rows that are independent of each other."""
    return estimate(metric, target, answer, np.arange(len(target)), resamples)


def compare(metric: Metric, live: Estimate, held_out: Estimate) -> Estimate:
    """Return by how much a metric is worse live than on the held-out rows, with its interval of 99 %."""
    loss = subtract(held_out, live) if metric.higher_is_better else subtract(live, held_out)
    low, high = (loss.value + WIDER * (end - loss.value) for end in (loss.low, loss.high))
    return Estimate(loss.value, low, high)
