"""How long a generated project takes to explain a row over HTTP, and what predictions wait meanwhile.

    uv run python bench/explain.py [--rounds 5] [--requests 100]

One service of one process. Rows of the sample are explained one after the other over one connection; then predictions
of one row are timed, alone and while another connection asks for explanations without a pause. Figures are medians of
the requests, of the quietest round. Linux only. Needs uv and a network.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import http.client
import json
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generated import Project

HOST = "127.0.0.1"
STARTING_SECONDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        project = Project.make(Path(name) / "churn")
        project.run(*project.command("pipeline"), cwd=project.path)
        with running(project) as port:
            bodies = requests(project, port, options.requests)
            explained = min(milliseconds(port, "/v1/explain", bodies) for _ in range(options.rounds))
            alone = min(milliseconds(port, "/v1/predict", bodies) for _ in range(options.rounds))
            with explaining(port, bodies):
                beside = min(milliseconds(port, "/v1/predict", bodies) for _ in range(options.rounds))
    print(f"explain one row:                    p50 {explained:7.2f} ms")
    print(f"predict one row:                    p50 {alone:7.2f} ms")
    print(f"predict one row, beside explaining: p50 {beside:7.2f} ms")
    print(f"load of the machine (1, 5, 15 minutes): {os.getloadavg()}, {os.cpu_count()} cores")


@contextlib.contextmanager
def running(project: Project) -> Iterator[int]:
    """Run the service for as long as the context lasts, and return its port."""
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(
        project.command("serve", "--port", str(port)),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + STARTING_SECONDS
        while not is_ready(port):
            if time.monotonic() > end:
                raise SystemExit("the service does not start")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def requests(project: Project, port: int, count: int) -> list[bytes]:
    """Return requests of one row each, with rows of the sample."""
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("GET", "/v1/model")
    inputs: list[dict[str, Any]] = json.loads(connection.getresponse().read())["signature"]["inputs"]
    connection.close()
    (table,) = (project.path / "data").glob("*.csv")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    read = {"number": float, "category": str}
    names = {column["name"]: read[column["type"]] for column in inputs}
    instances = [{name: kind(row[name]) if row[name] else None for name, kind in names.items()} for row in rows]
    return [json.dumps({"instances": [instance]}).encode() for instance in instances]


def milliseconds(port: int, path: str, bodies: list[bytes]) -> float:
    """Return the median time of a request."""
    connection, times = http.client.HTTPConnection(HOST, port), []
    for body in bodies:
        begin = time.perf_counter()
        connection.request("POST", path, body)
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.perf_counter() - begin)
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}: {content.decode()}")
    connection.close()
    return 1e3 * statistics.median(times)


@contextlib.contextmanager
def explaining(port: int, bodies: list[bytes]) -> Iterator[None]:
    """Ask for explanations without a pause for as long as the context lasts."""
    end = threading.Event()

    def ask() -> None:
        while not end.is_set():
            milliseconds(port, "/v1/explain", bodies[:5])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


if __name__ == "__main__":
    main()
