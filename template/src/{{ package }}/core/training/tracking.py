"""What MLflow is told of a run; where that is kept, `MLFLOW_TRACKING_URI` says."""

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mlflow
import msgspec
from mlflow.entities import Metric

from ..params import Params

EXPERIMENT = __name__.partition(".")[0]
SECONDS_KEPT, METRICS_KEPT = 5, 500
"""How long, and how many, the values of steps are kept before they are recorded together: each record takes time."""


class Run:
    """An open run of MLflow's."""

    def __init__(self, run_id: str) -> None:
        self._id = run_id
        self._kept: list[Metric] = []
        self._recorded = time.monotonic()

    def report(self, step: int, values: Mapping[str, float]) -> None:
        """Take note of the values of one step of a fit, such as an epoch."""
        now = time.time_ns() // 1_000_000
        self._kept += [Metric(name, value, now, step) for name, value in values.items()]
        if len(self._kept) >= METRICS_KEPT or time.monotonic() - self._recorded >= SECONDS_KEPT:
            self.record()

    def record(self) -> None:
        """Record the values that have been kept."""
        mlflow.MlflowClient().log_batch(self._id, metrics=self._kept)
        self._kept, self._recorded = [], time.monotonic()

    def finish(self, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        """Record what the run came to, and tags that say what it was made of and what it made."""
        mlflow.log_metrics(dict(metrics))
        mlflow.set_tags(dict(tags))


@contextlib.contextmanager
def track(uri: str, params: Params) -> Iterator[Run]:
    """Open a run before anything is fitted, so that one which fails leaves a trace, too."""
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run() as started:
        mlflow.log_params(dict(_flat(msgspec.to_builtins(params))))
        run = Run(started.info.run_id)
        try:
            yield run
        finally:
            run.record()


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested values as (dotted name, value)."""
    pairs = []
    for name, value in values.items():
        pairs += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return pairs
