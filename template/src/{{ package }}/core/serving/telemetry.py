"""What Prometheus is told, right for one worker or several."""

import functools
import os
import time

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests", "Requests answered.", ["path", "status"])
SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ["path"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
ROWS = Counter("predicted_rows", "Rows predicted, by what was answered in a word.", ["outcome"])
UNSEEN = Counter("unseen_categories", "Values of a category that training did not see.", ["column"])
LOGGED = Counter("prediction_log_rows", "Rows of the prediction log that were written, or lost.", ["outcome"])
MODEL = Gauge("model_loaded", "1 for the bundle that is being served.", ["model"], multiprocess_mode="max")
SHADOW_MODEL = Gauge("shadow_loaded", "1 for the bundle of the shadow model.", ["model"], multiprocess_mode="max")
SHADOW = Counter("shadow_requests", "Requests to the shadow model, by outcome.", ["outcome"])


class Telemetry:
    """ASGI middleware that counts and times requests by route, so that no client can invent a new time series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and take note of its answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        start, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            count(getattr(scope.get("route"), "path", "other"), status, time.perf_counter() - start)


def count(path: str, status: int, seconds: float) -> None:
    """Count a request by its route and its status, and the time that it took."""
    requests, histogram = _children(path, status)
    requests.inc()
    histogram.observe(seconds)


def count_rows(outcome: str, number: int) -> None:
    """Count rows by what was answered."""
    _rows(outcome).inc(number)


@functools.cache
def _rows(outcome: str) -> Counter:
    return ROWS.labels(outcome)


@functools.cache  # to find a metric by its labels costs more than to count with it
def _children(path: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(path, status), SECONDS.labels(path)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format, summed over the workers where there are several."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
