"""What a generated project does when more is asked of it than it can answer.

    uv run python bench/overload.py [--clients 256] [--seconds 20] [--rows 1000] [--patient]

So many clients post the largest requests that the service allows, each again as soon as it has its answer, also when
that is 503; with --patient they wait before, as `Retry-After` asks. Meanwhile `/healthz` and `/readyz` are asked, on
connections of their own, as Kubernetes does. In the end the service is told to stop in the middle of it. It fails if a
health check does, or if a request gets neither 200 with all its predictions nor 503 with `Retry-After`; after the stop
a connection may be closed instead, and these are counted. Linux only; loopback only. Needs uv and a network.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from generated import Project

HOST = "127.0.0.1"
HEALTH_SECONDS = 3.0
"""The longest that a health check may take: what the liveness probe in `deploy/base` allows."""
PAUSE = 0.1


@dataclass
class Seen:
    """What the clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    health: dict[str, list[float]] = field(default_factory=lambda: {"/healthz": [], "/readyz": []})
    failures: list[str] = field(default_factory=list)
    closed: int = 0
    memory_mb: float = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--patient", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        project = Project.make(Path(name) / "churn")
        project.run(*project.command("pipeline"), cwd=project.path)
        example = json.loads(project.run(*project.command("example"), cwd=project.path))
        body = json.dumps({"instances": example["instances"] * options.rows}).encode()
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        service = subprocess.Popen(
            project.command("serve", "--port", str(port)),
            cwd=project.path,
            env=project.environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_ready(port)
            seen = asyncio.run(load(port, body, options, service))
        finally:
            service.terminate()
            service.wait(60)
    report(seen, options, len(body))


def wait_until_ready(port: int) -> None:
    for _ in range(600):
        try:
            with urlopen(f"http://{HOST}:{port}/readyz"):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service does not become ready")


async def load(port: int, body: bytes, options: argparse.Namespace, service: subprocess.Popen[bytes]) -> Seen:
    seen, stopping = Seen(), asyncio.Event()
    asking = [asyncio.create_task(predict(port, body, options, seen, stopping)) for _ in range(options.clients)]
    checking = [asyncio.create_task(check(port, path, seen, stopping)) for path in seen.health]
    await asyncio.sleep(options.seconds)
    stopping.set()
    await asyncio.gather(*checking)
    seen.memory_mb = peak_memory(service.pid)
    service.send_signal(signal.SIGTERM)
    await asyncio.gather(*asking)
    return seen


async def predict(port: int, body: bytes, options: argparse.Namespace, seen: Seen, stopping: asyncio.Event) -> None:
    """Post a body again and again, until the service is being stopped."""
    head = f"POST /v1/predict HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(HOST, port)
    while True:
        start = time.perf_counter()
        try:
            writer.write(head + body)
            status, headers, answer = await read(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            if isinstance(error, asyncio.IncompleteReadError) and error.partial:
                seen.failures.append("an answer was broken off")
            elif stopping.is_set():
                seen.closed += 1
            else:
                seen.failures.append(f"a connection was lost: {error!r}")
            return
        seen.statuses[status] += 1
        taken = time.perf_counter() - start
        if status == 200 and len(json.loads(answer)["predictions"]) == options.rows:
            seen.answered.append(taken)
        elif status == 503 and "retry-after" in headers:
            seen.refused.append(taken)
        else:
            seen.failures.append(f"{status}: {answer[:200]!r}")
        if stopping.is_set():
            writer.close()
            return
        if status == 503 and options.patient:
            await asyncio.sleep(float(headers["retry-after"]))


async def check(port: int, path: str, seen: Seen, stopping: asyncio.Event) -> None:
    """Ask for a service's health again and again, each time on a new connection."""
    while not stopping.is_set():
        start = time.perf_counter()
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n".encode())
                status, _, answer = await read(reader)
                writer.close()
            if status != 200:
                seen.failures.append(f"{path} answers {status}: {answer!r}")
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            seen.failures.append(f"{path} fails: {error!r}")
        seen.health[path].append(time.perf_counter() - start)
        await asyncio.sleep(PAUSE)


async def read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body of an answer."""
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


def peak_memory(pid: int) -> float:
    """Return the most memory, in MB, that a process has held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def report(seen: Seen, options: argparse.Namespace, size: int) -> None:
    print(f"{options.clients} clients, requests of {options.rows} rows ({size:,} bytes), {options.seconds:g} s")
    for what, taken in (
        ("answered with 200", seen.answered),
        ("refused with 503", seen.refused),
        *seen.health.items(),
    ):
        times = f"median {statistics.median(taken):.3f} s, longest {max(taken):.3f} s" if taken else ""
        print(f"{what:<20}{len(taken):>8}  {times}")
    print(f"connections closed by the stop without an answer: {seen.closed}")
    print(f"peak memory of the service: {seen.memory_mb:.0f} MB")
    print(f"load of the machine (1, 5, 15 minutes): {os.getloadavg()}, {os.cpu_count()} cores")
    if seen.failures or not seen.answered or not seen.refused:
        raise SystemExit(
            "\n".join(["failed", *(f"{count} × {what}" for what, count in Counter(seen.failures).items())])
        )


if __name__ == "__main__":
    main()
