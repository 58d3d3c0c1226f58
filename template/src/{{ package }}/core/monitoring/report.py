"""The report on drift and performance, for people (Markdown), scripts (JSON) and Prometheus (its text format)."""

from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from ..evaluation.groups import Slice
from .drift import DriftReport
from .outcomes import Comparison, Performance
from .profiles import Thresholds


def summary(report: DriftReport, limits: Thresholds) -> str:
    """Return the verdict: a sentence on drift, one on the performance and one on the other model, if they are known."""
    performance = _tell_performance(report.performance, limits) if report.performance else ""
    comparison = _tell_comparison(report.comparison, limits) if report.comparison else ""
    return f"{_tell_drift(report, limits)}{performance}{comparison}"


def _tell_drift(report: DriftReport, limits: Thresholds) -> str:
    if not report.enough:
        return f"{report.rows} rows logged: too few for a verdict, at least {limits.min_rows} are needed"
    if not report.drifted:
        return f"{report.rows} rows logged: no drift"
    return f"{report.rows} rows logged: {len(report.drifted)} of {len(report.columns)} columns have drifted"


def _tell_performance(performance: Performance, limits: Thresholds) -> str:
    known = f". {performance.joined} of {performance.outcomes} labels belong to logged predictions"
    if not performance.enough:
        return f"{known}: too few for a verdict, at least {limits.min_rows} are needed"
    if not performance.worse:
        return f"{known}: {performance.metric} is not worse than on the held-out rows, beyond chance"
    return f"{known}: {performance.metric} is worse than on the held-out rows, by {performance.loss}"


def _tell_comparison(comparison: Comparison, limits: Thresholds) -> str:
    known = f". {comparison.rows} labels belong to rows that both models have answered"
    if not comparison.enough:
        return f"{known}: too few for a verdict, at least {limits.min_rows} are needed"
    verdict = "worse" if comparison.worse else "not worse"
    return f"{known}: it is {verdict} than the other one, beyond chance ({comparison.metric} gain {comparison.gain})"


def write(report: DriftReport, limits: Thresholds, folder: Path) -> None:
    """Write `drift.md`, `drift.json` and `drift.prom` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drift.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    (folder / "drift.md").write_text(_markdown(report, limits))
    write_to_textfile(str(folder / "drift.prom"), _registry(report))


def _markdown(report: DriftReport, limits: Thresholds) -> str:
    rows = "\n".join(
        f"| {c.name} | {c.psi:.3f} | {'' if c.ks is None else f'{c.ks:.3f}'} | {'**yes**' if c.drifted else 'no'} |"
        for c in sorted(report.columns, key=lambda c: -c.psi)
    )
    parts = [
        _performance(report.performance) if report.performance else "",
        _comparison(report.comparison) if report.comparison else "",
    ]
    return f"""# Drift of model {report.model}

{summary(report, limits)}.

{report.share:.1%} of the log was read, in parts that a hash of their names chose, so that they spread over the whole
period. By chance alone, the PSI of ten bins over n rows is about 10/n: at {limits.max_rows} rows, where reading stops,
it is far below any limit.

A column counts as drifted from a population stability index (PSI) of {limits.psi:g} or, for numbers, a
Kolmogorov–Smirnov distance (KS) of {limits.ks:g}.

| Column | PSI | KS | Drifted |
| --- | ---: | ---: | --- |
{rows}
{"".join(parts)}"""


def _performance(performance: Performance) -> str:
    rows = "\n".join(
        f"| {name} | {estimate} | {performance.held_out[name]} |" for name, estimate in performance.live.items()
    )
    return f"""
## Performance

Of {performance.outcomes} labels, {performance.joined} belong to logged predictions of this model. It has become worse
if the whole interval of its loss of {performance.metric} is above 0; the loss is {performance.loss}.

| Metric | Live | Held-out rows |
| --- | ---: | ---: |
{rows}
{_slices("Group", performance.slices, performance.metric)}{_slices("Day", performance.days, performance.metric)}"""


def _comparison(comparison: Comparison) -> str:
    gain = f"On them, this model gains {comparison.gain} in {comparison.metric}. " if comparison.gain else ""
    return f"""
## Comparison

This model and {comparison.other}
have both answered {comparison.rows} rows whose labels are known. {gain}This model is worse
if the whole interval of its gain is below {-comparison.tolerance:g}.
"""


def _slices(title: str, slices: list[Slice], metric: str) -> str:
    """Return the table of a metric on groups of rows, if there are any."""
    rows = "\n".join(
        f"| {found.group if found.column == 'day' else f'{found.column}: {found.group}'} | {found.rows} "
        f"| {found.estimate or 'too few rows to tell'} |"
        for found in slices
    )
    return f"\n| {title} | Rows | {metric} |\n| --- | ---: | ---: |\n{rows}\n" if slices else ""


def _registry(report: DriftReport) -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("drift_rows", "Rows of the prediction log that were compared.", registry=registry).set(report.rows)
    psi = Gauge("drift_psi", "Population stability index.", ["column"], registry=registry)
    ks = Gauge("drift_ks", "Kolmogorov–Smirnov distance.", ["column"], registry=registry)
    drifted = Gauge("drift_detected", "1 for a column that has drifted.", ["column"], registry=registry)
    for column in report.columns:
        psi.labels(column.name).set(column.psi)
        drifted.labels(column.name).set(int(column in report.drifted))
        if column.ks is not None:
            ks.labels(column.name).set(column.ks)
    comparison = report.comparison
    if comparison and comparison.gain:
        gain = Gauge("model_gain", "By how much it is better than another.", ["metric", "other"], registry=registry)
        gain.labels(comparison.metric, comparison.other).set(comparison.gain.value)
    if report.performance:
        _tell_prometheus(report.performance, registry)
    return registry


def _tell_prometheus(performance: Performance, registry: CollectorRegistry) -> None:
    Gauge("labels_joined", "Labels that belong to logged predictions.", registry=registry).set(performance.joined)
    Gauge("model_worse", "1 if the model has become worse.", registry=registry).set(performance.worse)
    metric = Gauge("model_metric", "A metric, live or on the held-out rows.", ["metric", "rows"], registry=registry)
    for rows, estimates in (("live", performance.live), ("held_out", performance.held_out)):
        for name, estimate in estimates.items():
            metric.labels(name, rows).set(estimate.value)
    labels = ["metric", "column", "group"]
    of_group = Gauge("model_group_metric", "The gate's metric, live, on a group of rows.", labels, registry=registry)
    for found in performance.slices:
        if found.estimate:
            of_group.labels(performance.metric, found.column, found.group).set(found.estimate.value)
