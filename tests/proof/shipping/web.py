"""Requests to this machine."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a server answers; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, seconds: float = 60
) -> Answer:
    """Send a request and return the answer. Raises OSError where there is none, or half of one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body or None, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from error
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int, path: str, status: int = 200, text: str = "") -> bool:
    """Tell whether a path answers with a status, and some text in it; nobody listening is a no."""
    try:
        answer = ask(port, "GET", path)
    except OSError:
        return False
    return answer.status == status and text in answer.body.decode()


def wait(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something holds, or fail with *what* did not happen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"within {seconds:g} seconds: {what}"
        time.sleep(0.05)
