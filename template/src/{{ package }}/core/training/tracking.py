"""What MLflow is told of a run; where that is kept, `MLFLOW_TRACKING_URI` says."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import mlflow
import msgspec

from ..params import Params

EXPERIMENT = __name__.partition(".")[0]


class Reporter(Protocol):
    """Receives the progress of a fit."""

    def report(self, step: int, values: Mapping[str, float]) -> None:
        """Take note of the values of one step of a fit, such as an epoch."""


class Silent:
    """A reporter that keeps nothing."""

    def report(self, step: int, values: Mapping[str, float]) -> None:
        """Do nothing."""


class Run:
    """An open run of MLflow's."""

    def report(self, step: int, values: Mapping[str, float]) -> None:
        """Record the values of one step of a fit, such as an epoch."""
        mlflow.log_metrics(dict(values), step=step)

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
    with mlflow.start_run():
        mlflow.log_params(dict(_flat(msgspec.to_builtins(params))))
        yield Run()


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested values as (dotted name, value)."""
    pairs = []
    for name, value in values.items():
        pairs += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return pairs
