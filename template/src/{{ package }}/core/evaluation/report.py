"""What a model is worth on the held-out rows: metrics with intervals, slices, and importances."""

from collections import Counter

import msgspec
import numpy as np

from ... import metrics
from ...metrics import METRICS
from ..bundles.predictor import Predictor
from ..contract.columns import Answer
from ..errors import ProjectError
from ..params import Gate
from .fairness import Gap, compare_groups
from .groups import Slice, estimate_slices, find_groups
from .intervals import Estimate, estimate
from .measure import Examples, Metric, take

Table = list[dict[str, str | int | float]]
"""Rows of the same keys, which are the head."""
MAX_SHUFFLED_ROWS = 5_000
"""Importances are about this many rows, chosen at random: ranking columns needs no more, whatever the data hold."""


class Report(msgspec.Struct, frozen=True):
    """What one model is worth: `metrics.json` in its bundle.

    `slices` are about the gate's metric, `tables` are what `tabulate` of `metrics.py` returns.
    """

    rows: int
    metrics: dict[str, Estimate]
    naive: dict[str, float]
    slices: list[Slice]
    importances: dict[str, float]
    tables: dict[str, Table] = {}
    fairness: list[Gap] = []


def show(report: Report) -> str:
    """Return the metrics and the tables as text for a terminal."""
    lines = [f"  {name:<20}{estimate}" for name, estimate in report.metrics.items()]
    for title, table in report.tables.items():
        head, rows = to_text(table)
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines.append(f"{title}:")
        lines += ["  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in [head, *rows]]
    if report.fairness:
        counts = Counter(gap.verdict for gap in report.fairness)
        told = ", ".join(f"{count} × {verdict}" for verdict, count in counts.items())
        lines.append(f"Fairness of {len(report.fairness)} groups, each in the model card: {told}")
    return "\n".join(lines)


def to_text(table: Table) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table as text."""
    rows = [[f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()] for row in table]
    return list(table[0]), rows


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
    deciding = gate_metric(gate)
    groups = find_groups(held_out.columns | held_out.audit)
    return Report(
        rows=held_out.rows,
        metrics={
            name: estimate(metric, target, answer, held_out.units, gate.resamples) for name, metric in METRICS.items()
        },
        naive={name: metric.value(target, baseline) for name, metric in METRICS.items()},
        slices=estimate_slices(deciding, target, answer, groups, held_out.units, gate.resamples),
        importances=_importances(predictor, held_out, deciding),
        tables=getattr(metrics, "tabulate", lambda *_: {})(target, answer),
        fairness=compare_groups(held_out, answer, gate),
    )


def _importances(predictor: Predictor, held_out: Examples, metric: Metric) -> dict[str, float]:
    """Return how much of the metric is lost when a column is shuffled (L. Breiman, "Random forests", 2001)."""
    rng = np.random.default_rng(0)
    few = held_out.rows > MAX_SHUFFLED_ROWS
    rows = rng.choice(held_out.rows, MAX_SHUFFLED_ROWS, replace=False) if few else np.arange(held_out.rows)
    columns, target = take(held_out.columns, rows), held_out.target[rows]
    sign = 1 if metric.higher_is_better else -1
    whole = metric.value(target, predictor.predict(columns))

    def loss(name: str) -> float:
        shuffled = columns | {name: rng.permutation(columns[name])}
        return sign * (whole - metric.value(target, predictor.predict(shuffled)))

    return {name: float(np.mean([loss(name) for _ in range(5)])) for name in columns}
