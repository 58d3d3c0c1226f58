"""How fast a generated project answers over HTTP: against an empty application, and against `mlflow models serve`.

    uv run python bench/serving.py [--rounds 5] [--seconds 5] [--connections 8] [--client wrk|python]

Three services of one process each run side by side and are asked in turns, so that a busy machine is busy for all of
them: an empty ASGI application under uvicorn, which is the most that any service here can reach; the project's own
`serve`, with metrics and the prediction log on; and the same scikit-learn pipeline under MLflow, in an environment of
its own. A request holds one row, the example of the model's signature; the answer holds probabilities. Cold start is
the time from the start of the process to its first answer that it is ready; memory is resident, of all processes of a
service, after the load. Requests come from wrk where it is installed, else from `client.py`, which is slower than the
empty application (`--client` chooses). Linux only. Needs uv and a network.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from generated import PACKAGE, Project

HOST = "127.0.0.1"
CLIENT = Path(__file__).with_name("client.py")
MLFLOW = "3.17.2"
STARTING_SECONDS = 120
WARMING_REQUESTS = 50
EMPTY = """
async def app(scope, receive, send):
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
"""
# In the project's environment: fits the champion's pipeline once more, and says what a request for it holds.
FIT = f"""
import json, pickle, sklearn
from pathlib import Path
from {PACKAGE} import model
from {PACKAGE}.core import params
from {PACKAGE}.core.bundles import registry
from {PACKAGE}.core.data import snapshots
from {PACKAGE}.core.task import examples
from {PACKAGE}.core.training import run
from {PACKAGE}.settings import Settings
chosen = params.load()
signature = registry.fetch("champion", Settings()).signature()
training, _ = examples.split(snapshots.load(snapshots.latest()), chosen.split)
fitted = run.fit(chosen.model, chosen.seed, signature, training, lambda number, values: None)
Path("pipeline.pickle").write_bytes(pickle.dumps(fitted))
row = signature.model_inputs({{c.name: c.array([signature.example[c.name]]) for c in signature.inputs}})
names = [*model.NUMBERS, *model.CATEGORIES]
print(json.dumps({{
    "sklearn": sklearn.__version__,
    "ours": {{"instances": [signature.example]}},
    "mlflow": {{"dataframe_split": {{"columns": names, "data": [[row[name].tolist()[0] for name in names]]}}}},
}}))
"""
SAVE = """
import pickle, sys, mlflow.sklearn
pipeline = pickle.load(open(sys.argv[1], "rb"))
mlflow.sklearn.save_model(pipeline, sys.argv[2], serialization_format="cloudpickle", pyfunc_predict_fn="predict_proba")
"""


@dataclass
class Contender:
    """A service, and what was measured of it."""

    name: str
    command: list[str]
    ready: str
    path: str
    body: Path
    cwd: Path
    environment: dict[str, str]
    port: int = 0
    pid: int = 0
    cold_start: float = 0
    rounds: list[tuple[float, float, float]] = field(default_factory=list)
    memory_mb: float = 0

    def median(self, index: int) -> float:
        """Return the median over the rounds of one of the figures that `ask` returns."""
        return statistics.median(taken[index] for taken in self.rounds)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the service, wait until it is ready, and stop it at the end."""
        with socket.create_server((HOST, 0)) as free:
            self.port = free.getsockname()[1]
        command = [word.replace("PORT", str(self.port)) for word in self.command]
        start = time.perf_counter()
        # A session of its own, because a service may be several processes.
        process = subprocess.Popen(
            command,
            cwd=self.cwd,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = process.pid
        try:
            while not self.is_ready():
                if process.poll() is not None or time.perf_counter() - start > STARTING_SECONDS:
                    raise SystemExit(f"{self.name} does not start: {' '.join(command)}")
                time.sleep(0.005)
            self.cold_start = time.perf_counter() - start
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)

    def is_ready(self) -> bool:
        """Tell whether the service says so."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}{self.ready}") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def warm_up(self) -> None:
        """Have some requests answered, however long that takes."""
        connection = HTTPConnection(HOST, self.port, timeout=STARTING_SECONDS)
        for _ in range(WARMING_REQUESTS):
            connection.request("POST", self.path, self.body.read_bytes(), {"content-type": "application/json"})
            connection.getresponse().read()
        connection.close()

    def measure_memory(self) -> None:
        """Add up the resident memory of all processes of the service's session."""
        kilobytes = 0
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                if os.getsid(int(status.parent.name)) == self.pid:
                    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
                    kilobytes += int(found[1]) if found else 0
            except OSError:  # it has ended
                continue
        self.memory_mb = kilobytes / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--client", choices=("wrk", "python"), default="wrk" if shutil.which("wrk") else "python")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        project = Project.make(folder / "churn")
        contenders = prepare(project, folder)
        with ExitStack() as stack:
            for contender in contenders:
                stack.enter_context(contender.running())
            for contender in contenders:  # what happens once is no part of the rounds
                contender.warm_up()
            for _ in range(options.rounds):
                for contender in contenders:
                    contender.rounds.append(ask(project, contender, options))
            for contender in contenders:
                contender.measure_memory()
    report(*contenders)


def prepare(project: Project, folder: Path) -> tuple[Contender, Contender, Contender]:
    project.run(*project.command("pipeline"), cwd=project.path)
    known: dict[str, Any] = json.loads(project.run(str(project.bin / "python"), "-c", FIT, cwd=project.path))
    for name in ("ours", "mlflow"):
        (folder / f"{name}.json").write_text(json.dumps(known[name]))
    (folder / "empty.py").write_text(EMPTY)

    python = folder / "mlflow" / "bin" / "python"
    project.run("uv", "venv", "--quiet", "--python", str(project.bin / "python"), str(folder / "mlflow"))
    packages = [f"mlflow=={MLFLOW}", f"scikit-learn=={known['sklearn']}"]
    project.run("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *packages)
    project.run(str(python), "-c", SAVE, str(project.path / "pipeline.pickle"), str(folder / "model"))

    uvicorn = [str(project.bin / "uvicorn"), "empty:app", "--lifespan", "off", "--no-access-log"]
    mlflow = [str(python.with_name("mlflow")), "models", "serve", "--model-uri", str(folder / "model")]
    mlflow_path = f"{python.parent}{os.pathsep}{project.environment['PATH']}"  # it looks for its uvicorn there
    return (
        Contender(
            "empty uvicorn application",
            [*uvicorn, "--host", HOST, "--port", "PORT"],
            "/",
            "/",
            folder / "ours.json",
            folder,
            project.environment,
        ),
        Contender(
            "generated project",
            project.command("serve", "--port", "PORT"),
            "/readyz",
            "/v1/predict",
            folder / "ours.json",
            project.path,
            project.environment,
        ),
        Contender(
            "mlflow models serve",
            [*mlflow, "--host", HOST, "--port", "PORT", "--env-manager", "local"],
            "/ping",
            "/invocations",
            folder / "mlflow.json",
            folder,
            project.environment | {"PATH": mlflow_path},
        ),
    )


def ask(project: Project, contender: Contender, options: argparse.Namespace) -> tuple[float, float, float]:
    """Load a service and return requests a second, and the median and the 99th percentile of latency in seconds."""
    seconds, connections = str(options.seconds), str(options.connections)
    if options.client == "python":
        arguments = [str(contender.port), contender.path, str(contender.body), seconds, connections]
        rate, median, late = json.loads(project.run(sys.executable, str(CLIENT), *arguments))
        return rate, median, late
    script = contender.body.with_suffix(".lua")
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
        f'wrk.body = io.open("{contender.body}"):read("*a")\n'
    )
    load = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    text = project.run("wrk", *load, "-s", str(script), f"http://{HOST}:{contender.port}{contender.path}")
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{contender.name} did not answer every request:\n{text}")
    # At the beginning of a line: other percentages, such as 98.50%, stand at the end of one.
    found = re.search(r"^ +50% +(\S+).*?^ +99% +(\S+).*?Requests/sec: +(\S+)", text, re.DOTALL | re.MULTILINE)
    if not found:  # wrk prints no latency where nothing was answered
        raise SystemExit(f"{contender.name} answered nothing within {seconds} s; give it more with --seconds:\n{text}")
    return float(found[3]), to_seconds(found[1]), to_seconds(found[2])


def to_seconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\D+)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]


def report(empty: Contender, ours: Contender, mlflow: Contender) -> None:
    print(f"{'':<28}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'memory MB':>11}{'cold start s':>14}")
    for one in (empty, ours, mlflow):
        rate, median, late = one.median(0), one.median(1) * 1e3, one.median(2) * 1e3
        print(f"{one.name:<28}{rate:>12,.0f}{median:>9.2f}{late:>9.2f}{one.memory_mb:>11.0f}{one.cold_start:>14.2f}")
    of_empty = statistics.median(a[0] / b[0] for a, b in zip(ours.rounds, empty.rounds, strict=True))
    of_mlflow = statistics.median(a[0] / b[0] for a, b in zip(ours.rounds, mlflow.rounds, strict=True))
    print(f"\n1/{1 / of_empty:.1f} of the empty application (reach: 1/3), {of_mlflow:.1f} × MLflow (reach: 20)")
    print("reach: memory 120 MB, cold start 1.0 s; medians of the rounds, ratios within each round")
    print(f"load of the machine (1, 5, 15 minutes): {os.getloadavg()}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
