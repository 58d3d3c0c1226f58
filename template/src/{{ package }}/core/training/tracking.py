"""What MLflow is told of a run; where that is kept, `MLFLOW_TRACKING_URI` says."""

import logging
from pathlib import Path
from typing import Any

import mlflow
import msgspec

from ..params import Params

EXPERIMENT = __name__.partition(".")[0]


def track(uri: str, params: Params, metrics: dict[str, float], tags: dict[str, str]) -> None:
    """Record a run: its parameters, its metrics, and tags that say what it was made of and what it made."""
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(tags=tags):
        mlflow.log_params(dict(_flat(msgspec.to_builtins(params))))
        mlflow.log_metrics(metrics)


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested values as (dotted name, value)."""
    pairs = []
    for name, value in values.items():
        pairs += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return pairs
