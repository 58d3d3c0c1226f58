"""How fast the service answers: it is started here, on loopback, asked for some seconds, and stopped.

Each connection sends its next request when it has the answer to the last one. Metrics and the prediction log are on;
the log goes to a folder that is removed afterwards, so that no drift is measured of it.
"""

import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import msgspec

from .bundle import Bundle
from .errors import ProjectError

HOST = "127.0.0.1"
STARTING_SECONDS = 60
STOPPING_SECONDS = 60
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)")


class Result(msgspec.Struct, frozen=True):
    """What was measured; memory is the peak of the largest process, and not known on Windows."""

    requests: int
    requests_per_second: float
    rows_per_second: float
    p50_ms: float
    p99_ms: float
    cold_start_seconds: float
    peak_memory_mb: float | None

    def __str__(self) -> str:
        memory = "unknown" if self.peak_memory_mb is None else f"{self.peak_memory_mb:.0f} MB"
        return (
            f"{self.requests_per_second:.0f} requests and {self.rows_per_second:.0f} rows a second\n"
            f"half of them answered within {self.p50_ms:.2f} ms, 99 % within {self.p99_ms:.2f} ms\n"
            f"ready {self.cold_start_seconds:.2f} s after the start; peak memory {memory}"
        )


def run(bundle: Bundle, *, seconds: float, connections: int, rows: int, workers: int) -> Result:
    """Start the service for a bundle, measure it, and stop it.

    Args:
        bundle: What is served.
        seconds: How long requests are sent.
        connections: How many requests are under way at once.
        rows: How many rows a request holds.
        workers: How many processes serve.

    Raises:
        ProjectError: the service does not become ready, or does not answer every request with 200.
    """
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", f"from {__package__}.cli import main; main()", "serve"]
    command += ["--host", HOST, "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryDirectory() as log:
        environment = os.environ | {"MODEL_URI": str(bundle.path), "PREDICTION_LOG_URI": log}
        start = time.perf_counter()
        service = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            _wait_until_ready(service, port)
            cold_start = time.perf_counter() - start
            body = msgspec.json.encode({"instances": [bundle.signature().example] * rows})
            latencies = asyncio.run(ask(port, body, seconds, connections))
        finally:
            service.terminate()
            try:
                service.wait(STOPPING_SECONDS)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()
    percentiles = statistics.quantiles(latencies, n=100)
    return Result(
        requests=len(latencies),
        requests_per_second=len(latencies) / seconds,
        rows_per_second=len(latencies) * rows / seconds,
        p50_ms=percentiles[49] * 1e3,
        p99_ms=percentiles[98] * 1e3,
        cold_start_seconds=cold_start,
        peak_memory_mb=_peak_memory(),
    )


def _peak_memory() -> float | None:
    """Return the most memory, in MB, that any child process which has ended has held."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _wait_until_ready(service: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.perf_counter() + STARTING_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/readyz"):
                return
        except urllib.error.HTTPError as error:
            reason = error.read().decode()
        except OSError as error:
            reason = str(error)
        if service.poll() is not None or time.perf_counter() > deadline:
            raise ProjectError(f"the service does not become ready: {reason}")
        time.sleep(0.005)


class _Client(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, and so on until the deadline."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self.latencies: list[float] = []
        self.refused = b""
        self.finished = False
        self.closed = asyncio.get_running_loop().create_future()
        self._request = request
        self._deadline = deadline
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or not length or len(body) < int(length[1]):
            return
        now = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200 "):
            self.refused = body
        self.latencies.append(now - self._sent)
        self.finished = now >= self._deadline
        if self.finished or self.refused:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set_result(None)

    def _send(self) -> None:
        self._answer = b""
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def ask(port: int, body: bytes, seconds: float, connections: int, path: str = "/v1/predict") -> list[float]:
    """Post a body again and again, and return how long each answer took, in seconds.

    Raises:
        ProjectError: an answer was not 200, or a connection was closed too early.
    """
    head = f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    request = head.encode() + b"\r\n\r\n" + body
    loop, deadline = asyncio.get_running_loop(), time.perf_counter() + seconds
    opening = [loop.create_connection(lambda: _Client(request, deadline), HOST, port) for _ in range(connections)]
    clients = [client for _, client in await asyncio.gather(*opening)]
    await asyncio.gather(*(client.closed for client in clients))
    for client in clients:
        if client.refused or not client.finished:
            reason = client.refused.decode() or "it closed a connection"
            raise ProjectError(f"the service did not answer every request: {reason}")
    return [latency for client in clients for latency in client.latencies]
