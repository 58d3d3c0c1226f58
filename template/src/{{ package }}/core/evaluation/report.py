"""What a model is worth: its metrics with intervals, its slices, and the gate that a challenger must pass."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...metrics import METRICS, Metric, Probabilities, Target, naive
from ...schema import SLICES
from ..bundles.predictor import Predictor
from ..contract.columns import Columns
from ..errors import ProjectError
from ..params import Gate

CONFIDENCE = 0.95
MIN_SLICE_ROWS = 20


class Estimate(msgspec.Struct, frozen=True):
    """A value and its bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Slice(msgspec.Struct, frozen=True):
    """The gate's metric on one group of rows; no estimate where the group is too small to say anything."""

    column: str
    group: str
    rows: int
    estimate: Estimate | None


class Report(msgspec.Struct, frozen=True):
    """What one model is worth on the held-out rows: `metrics.json` in its bundle."""

    rows: int
    metrics: dict[str, Estimate]
    naive: dict[str, float]
    slices: list[Slice]
    importances: dict[str, float]


class Decision(msgspec.Struct, frozen=True):
    """What the gate says of a challenger, and why; `gain` is positive where the challenger is the better one."""

    verdict: Literal["passed", "refused", "incomparable"]
    reason: str
    metric: str
    gain: Estimate | None = None

    def __str__(self) -> str:
        return f"{self.verdict}, {self.reason}" + (f" ({self.metric} gain {self.gain})" if self.gain else "")


def gate_metric(gate: Gate) -> Metric:
    """Return the metric that decides.

    Raises:
        ProjectError: `params.yaml` names none of `metrics.py`.
    """
    if gate.metric not in METRICS:
        raise ProjectError(f"params.yaml, gate.metric: {gate.metric} is none of {', '.join(METRICS)}")
    return METRICS[gate.metric]


def bootstrap(statistic: Callable[[NDArray[np.int64]], float], rows: int, resamples: int) -> Estimate:
    """Estimate a statistic of rows, and its percentile interval (B. Efron, "Bootstrap methods", 1979).

    Args:
        statistic: Takes positions of rows, shape (rows,), some of them repeated.
        rows: How many rows there are.
        resamples: How often they are drawn; the same rows always give the same interval.
    """
    rng = np.random.default_rng(0)
    draws = [statistic(rng.integers(0, rows, rows)) for _ in range(resamples)]
    low, high = np.nanquantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(statistic(np.arange(rows)), float(low), float(high))


def evaluate(
    predictor: Predictor, columns: Columns, audit: Columns, target: Target, prior: Target, gate: Gate
) -> Report:
    """Measure a model on held-out rows.

    Args:
        predictor: The model.
        columns: The rows, as a request carries them.
        audit: Columns that only slices use.
        target: What happened, shape (rows,).
        prior: The target of the training rows, for the naive baseline.
        gate: Which metric slices and importances are about, and how often to resample.
    """
    deciding = gate_metric(gate)
    probabilities = predictor.predict(columns)
    rows = len(target)

    def estimate(metric: Metric, where: NDArray[np.int64]) -> Estimate:
        return bootstrap(
            lambda i: metric.function(target[where[i]], probabilities[where[i]]), len(where), gate.resamples
        )

    return Report(
        rows=rows,
        metrics={name: estimate(metric, np.arange(rows)) for name, metric in METRICS.items()},
        naive={name: metric.function(target, naive(prior, rows)) for name, metric in METRICS.items()},
        slices=[
            Slice(column, group, len(where), estimate(deciding, where) if len(where) >= MIN_SLICE_ROWS else None)
            for column, group, where in _groups(columns | audit)
        ],
        importances=_importances(predictor, columns, target, deciding),
    )


def compare(target: Target, challenger: Probabilities, champion: Probabilities, gate: Gate) -> Decision:
    """Let a challenger meet the champion on the same held-out rows.

    It is refused when it is worse than the tolerance allows and chance does not explain it: when the whole interval of
    the paired difference lies below −tolerance. A bare threshold would refuse every fifth honest challenger.
    """
    gain = _gain(target, challenger, champion, gate)
    if gain.high < -gate.tolerance:
        return Decision("refused", f"worse than the champion by more than {gate.tolerance}", gate.metric, gain)
    return Decision("passed", "not worse than the champion", gate.metric, gain)


def beats_naive(target: Target, challenger: Probabilities, prior: Target, gate: Gate) -> Decision:
    """Let a challenger meet the naive baseline, which it must beat beyond chance."""
    gain = _gain(target, challenger, naive(prior, len(target)), gate)
    if gain.low > 0:
        return Decision("passed", "better than the naive baseline", gate.metric, gain)
    return Decision("refused", "not better than the naive baseline", gate.metric, gain)


def _gain(target: Target, new: Probabilities, old: Probabilities, gate: Gate) -> Estimate:
    metric = gate_metric(gate)
    return bootstrap(lambda i: metric.gain(target[i], new[i], old[i]), len(target), gate.resamples)


def _groups(columns: Columns) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Yield column, group and positions of rows for each slice of the schema."""
    for column, bounds in SLICES.items():
        values = columns[column]
        if not bounds:
            for value in sorted(set(values)):
                yield column, value or "missing", np.flatnonzero(values == value)
            continue
        edges = [-np.inf, *bounds, np.inf]
        for low, high in pairwise(edges):
            group = f"below {high:g}" if low == -np.inf else f"{low:g} or more"
            group += f", below {high:g}" if np.isfinite(low) and np.isfinite(high) else ""
            yield column, group, np.flatnonzero((values >= low) & (values < high))


def _importances(predictor: Predictor, columns: Columns, target: Target, metric: Metric) -> dict[str, float]:
    """Return how much of the metric is lost when a column is shuffled (L. Breiman, "Random forests", 2001)."""
    rng = np.random.default_rng(0)
    whole = predictor.predict(columns)
    losses = {
        name: [
            metric.gain(target, whole, predictor.predict(columns | {name: rng.permutation(values)})) for _ in range(5)
        ]
        for name, values in columns.items()
    }
    return {name: float(np.mean(values)) for name, values in losses.items()}
