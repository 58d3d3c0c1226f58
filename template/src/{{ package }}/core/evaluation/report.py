"""What a model is worth on the held-out rows: metrics with intervals, slices, and importances."""

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np

from ...metrics import METRICS
from ...schema import SLICES
from ..bundles.predictor import Predictor
from ..contract.columns import Answer, Columns
from ..errors import ProjectError
from ..params import Gate
from .intervals import Estimate, bootstrap
from .measure import Examples, Metric, Rows

MIN_SLICE_ROWS = 20


class Slice(msgspec.Struct, frozen=True):
    """The gate's metric on one group of rows; no estimate where the group is too small to say anything."""

    column: str
    group: str
    rows: int
    estimate: Estimate | None


class Report(msgspec.Struct, frozen=True):
    """What one model is worth: `metrics.json` in its bundle."""

    rows: int
    metrics: dict[str, Estimate]
    naive: dict[str, float]
    slices: list[Slice]
    importances: dict[str, float]


def gate_metric(gate: Gate) -> Metric:
    """Return the metric that decides.

    Raises:
        ProjectError: `params.yaml` names none of `metrics.py` by which models can be compared.
    """
    names = [name for name, metric in METRICS.items() if metric.higher_is_better is not None]
    if gate.metric not in names:
        raise ProjectError(f"params.yaml, gate.metric: {gate.metric} is none of {', '.join(names)}")
    return METRICS[gate.metric]


def evaluate(predictor: Predictor, held_out: Examples, baseline: Answer, gate: Gate) -> Report:
    """Measure a model on held-out rows.

    Args:
        predictor: The model.
        held_out: The rows.
        baseline: The naive answer for them.
        gate: Which metric slices and importances are about, and how often to resample.
    """
    answer, target = predictor.predict(held_out.columns), held_out.target
    statistics = {name: metric.statistic(target, answer) for name, metric in METRICS.items()}
    everywhere = np.arange(held_out.rows)
    gate_metric(gate)

    def estimate(name: str, where: Rows) -> Estimate:
        return bootstrap(lambda rows: statistics[name](where[rows]), held_out.units[where], gate.resamples)

    return Report(
        rows=held_out.rows,
        metrics={name: estimate(name, everywhere) for name in METRICS},
        naive={name: metric.value(target, baseline) for name, metric in METRICS.items()},
        slices=[
            Slice(column, group, len(where), estimate(gate.metric, where) if len(where) >= MIN_SLICE_ROWS else None)
            for column, group, where in _groups(held_out.columns | held_out.audit)
        ],
        importances=_importances(predictor, held_out, answer, gate_metric(gate)),
    )


def _groups(columns: Columns) -> Iterator[tuple[str, str, Rows]]:
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


def _importances(predictor: Predictor, held_out: Examples, answer: Answer, metric: Metric) -> dict[str, float]:
    """Return how much of the metric is lost when a column is shuffled (L. Breiman, "Random forests", 2001)."""
    rng, rows = np.random.default_rng(0), np.arange(held_out.rows)

    def loss(name: str) -> float:
        shuffled = held_out.columns | {name: rng.permutation(held_out.columns[name])}
        return metric.gain(held_out.target, answer, predictor.predict(shuffled))(rows)

    return {name: float(np.mean([loss(name) for _ in range(5)])) for name in held_out.columns}
