"""A client that loads a service on loopback where wrk is not installed; it is slower than an empty application.

    python bench/client.py PORT PATH FILE SECONDS CONNECTIONS

Each connection sends its next request when it has the answer to the last one. Prints requests a second, and the median
and the 99th percentile of latency in seconds, as a JSON list.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from pathlib import Path

HOST = "127.0.0.1"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Client(asyncio.Protocol):
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
        """Send the first request."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take note of an answer that is complete, and send the next request."""
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
        """Tell that the connection is over."""
        self.closed.set_result(None)

    def _send(self) -> None:
        self._answer = b""
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def ask(port: int, path: str, body: bytes, seconds: float, connections: int) -> list[float]:
    """Post a body again and again, and return how long each answer took, in seconds."""
    head = f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    request = head.encode() + b"\r\n\r\n" + body
    loop, deadline = asyncio.get_running_loop(), time.perf_counter() + seconds
    opening = [loop.create_connection(lambda: Client(request, deadline), HOST, port) for _ in range(connections)]
    clients = [client for _, client in await asyncio.gather(*opening)]
    await asyncio.gather(*(client.closed for client in clients))
    for client in clients:
        if client.refused or not client.finished:
            raise SystemExit(f"not every request was answered: {client.refused.decode() or 'a connection was closed'}")
    return [latency for client in clients for latency in client.latencies]


def main() -> None:
    port, path, file, seconds, connections = sys.argv[1:]
    taken = asyncio.run(ask(int(port), path, Path(file).read_bytes(), float(seconds), int(connections)))
    cuts = statistics.quantiles(taken, n=100)
    print(json.dumps([len(taken) / float(seconds), cuts[49], cuts[98]]))


if __name__ == "__main__":
    main()
