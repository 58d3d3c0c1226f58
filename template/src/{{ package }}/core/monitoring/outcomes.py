"""Outcomes: what happened to the rows that were asked about, and how good the answers to them were.

An outcome belongs to a logged prediction by the id of the request and the row therein. The live metrics are compared
with those of the held-out rows; both are samples, and the interval of their difference takes account of both.
"""

import gzip
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import obstore

from ...metrics import METRICS
from ..bundles.bundle import Bundle
from ..bundles.storage import open_folder, store_errors
from ..contract.columns import Answer
from ..evaluation.intervals import Estimate, estimate, subtract
from ..evaluation.measure import Metric, Target
from ..task.answer import read_outcomes, restore
from .profiles import Thresholds
from .reader import Log, select
from .reader import read_outcomes as read_kept
from .record import OUTCOMES, SUFFIX, Outcome

WIDER = 2.576 / 1.960
"""By how much an interval of 99 % is wider than one of 95 %: who looks every day must not be alarmed by chance."""


class Performance(msgspec.Struct, frozen=True):
    """How good the answers were whose outcomes are known: `joined` of all `outcomes`.

    `metric` decides: by `loss` it is worse than on the held-out rows, if there are rows enough to say so.
    """

    outcomes: int
    joined: int
    enough: bool
    metric: str
    live: dict[str, Estimate]
    held_out: dict[str, Estimate]
    loss: Estimate | None

    @property
    def worse(self) -> bool:
        """Tell whether the answers are worse than on the held-out rows, beyond chance."""
        return self.enough and self.loss is not None and self.loss.low > 0


class _Gate(msgspec.Struct):
    metric: str
    resamples: int


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
    known = {(outcome.request_id, outcome.row): outcome.outcome for outcome in read_kept(log_uri, since)}
    if not known:
        return None
    values, predictions, rows = [], [], 0
    for records in Log(log_uri, select("request_id", "row", "time", "model", "answer")).read(bundle.id):
        matches = [record for record in records if (record.request_id, record.row) in known]
        values += [known[record.request_id, record.row] for record in matches]
        predictions += [record.answer for record in matches]
        rows += len(records)
        if rows >= limits.max_rows:
            break
    gate = msgspec.json.decode((bundle.path / "params.json").read_bytes(), type=_Params).gate
    held_out = msgspec.json.decode((bundle.path / "metrics.json").read_bytes(), type=_Report).metrics
    live = {}
    if predictions:
        target, answer = read_outcomes(values), bundle.signature().decide(restore(predictions))
        shared = [name for name in METRICS if name in held_out]
        live = {name: estimate_live(METRICS[name], target, answer, gate.resamples) for name in shared}
    both = gate.metric in live
    return Performance(
        outcomes=len(known),
        joined=len(values),
        enough=len(values) >= limits.min_rows,
        metric=gate.metric,
        live=live,
        held_out=held_out,
        loss=compare(METRICS[gate.metric], live[gate.metric], held_out[gate.metric]) if both else None,
    )


def estimate_live(metric: Metric, target: Target, answer: Answer, resamples: int) -> Estimate:
    """Estimate a metric of rows that are independent of each other."""
    return estimate(metric, target, answer, np.arange(len(target)), resamples)


def compare(metric: Metric, live: Estimate, held_out: Estimate) -> Estimate:
    """Return by how much a metric is worse live than on the held-out rows, with its interval of 99 %."""
    loss = subtract(held_out, live) if metric.higher_is_better else subtract(live, held_out)
    low, high = (loss.value + WIDER * (end - loss.value) for end in (loss.low, loss.high))
    return Estimate(loss.value, low, high)
