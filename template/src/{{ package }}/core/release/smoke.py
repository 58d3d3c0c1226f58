"""A smoke test: does a running service answer, with the model that it should have, and does it answer sensibly?

It needs the service's address and nothing else: what a request looks like, the service itself tells.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..errors import ProjectError

TIMEOUT = 10.0
"""Seconds that one request may take."""
PAUSE = 2.0
"""Seconds between two questions whether the service is ready."""


class Report(msgspec.Struct, frozen=True):
    """What was found: the bundle's id, and how long a request of one row took, in milliseconds."""

    model: str
    milliseconds: float


def run(url: str, model: str = "", image: str = "", wait: float = 0) -> Report:
    """Ask a service for real predictions.

    Args:
        url: Where it is, such as `https://churn.example.org`.
        model: The bundle that it should serve, by its id or URI; any if empty.
        image: The image that it should run, as its release names it; any if empty.
        wait: Seconds within which it has to become ready with both.

    Raises:
        ProjectError: it does not, or something about its answers is wrong.
    """
    expected = {"model": model.rstrip("/").rpartition("/")[2], "image": image}
    served = _wait(url, {name: value for name, value in expected.items() if value}, time.monotonic() + wait)
    status, known = _ask(url, "GET", "/v1/model")
    if status != 200:
        raise ProjectError(f"{url}/v1/model answers {status}: {known}")
    row = known["signature"]["example"]
    for rows in ([row], [row] * 3):
        start = time.perf_counter()
        status, answer = _ask(url, "POST", "/v1/predict", {"instances": rows})
        milliseconds = (time.perf_counter() - start) * 1000
        if status != 200:
            raise ProjectError(f"{url}/v1/predict answers {status} to {len(rows)} rows: {answer}")
        if answer["model"] != served or len(answer["predictions"]) != len(rows):
            raise ProjectError(f"{url}/v1/predict does not answer {len(rows)} rows with the model {served}: {answer}")
        if not all(map(_is_value, _leaves(answer["predictions"]))):
            raise ProjectError(f"{url}/v1/predict answers with something that is no prediction: {answer}")
    status, answer = _ask(url, "POST", "/v1/predict", {"instances": "no rows"})
    if status != 422:
        raise ProjectError(f"{url}/v1/predict answers {status} to a request that it should refuse with 422: {answer}")
    return Report(served, round(milliseconds, 1))


def _wait(url: str, expected: Mapping[str, str], deadline: float) -> str:
    """Wait until the service is ready with what is expected, and return the id of its bundle."""
    while True:
        try:
            status, answer = _ask(url, "GET", "/readyz")
            if status == 200 and expected.items() <= answer.items():
                return str(answer["model"])
            reason = f"it answers {status}: {answer}"
        except ProjectError as error:
            reason = str(error)
        if time.monotonic() >= deadline:
            wanted = f" with {', '.join(expected.values())}" if expected else ""
            raise ProjectError(f"{url} is not ready{wanted}: {reason}")
        time.sleep(PAUSE)


def _ask(url: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Send a request and return the status and the JSON of the answer."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProjectError(f"{url!r} is not the address of a service, such as https://churn.example.org")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, parts.path.rstrip("/") + path, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        raise ProjectError(f"{url}{path} does not answer as the service would: {error!r}") from error
    finally:
        connection.close()


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what is at the ends of a JSON value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    else:
        yield value


def _is_value(value: Any) -> bool:
    """Tell whether a model can have answered it: a text or a finite number; JSON turns NaN into null."""
    return isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
