"""A generated project as its owner has it: a repository, a command, a service."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

# What runs these tests must not decide what a project does.
FOREIGN = re.compile(
    r"(UV_(?!CACHE_DIR|PYTHON_INSTALL_DIR|INDEX|DEFAULT_INDEX|FIND_LINKS).*|VIRTUAL_ENV|PYTHON.*|PYTEST.*|COV.*)\Z"
)
SECONDS = 600


@dataclass(frozen=True)
class Project:
    """A project's repository and the folder in which its command is run: the repository, unless said otherwise.

    ``spent`` is how many seconds of a processor it took to make it, and a champion where it has one.
    """

    folder: Path
    name: str
    cwd: Path = field(default=Path())
    env: Mapping[str, str] = field(default_factory=dict)
    spent: float = 0.0

    def __post_init__(self) -> None:
        if self.cwd == Path():
            object.__setattr__(self, "cwd", self.folder)

    def __call__(self, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the project's command and insist on its exit code; what went wrong is never a traceback."""
        done = self.tool("uv", "run", "--project", self.folder, self.name, *arguments, code=code)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: object, code: int = 0) -> Any:
        """Run the project's command and return what it prints for scripts."""
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def refuses(self, *arguments: object, code: int = 1) -> str:
        """Run the project's command and return the one sentence that it ends with."""
        lines = self(*arguments, code=code).stderr.splitlines()
        complaints = [line for line in lines if line.startswith("error: ")]
        assert len(complaints) == 1, lines
        return complaints[0].removeprefix("error: ")

    def tool(self, *command: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run any command and insist on its exit code."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.cwd,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == code, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes."""
        return {name: value for name, value in os.environ.items() if not FOREIGN.match(name)} | dict(self.env)

    def with_env(self, **env: object) -> Project:
        """Return the same project with more variables."""
        return replace(self, env={**self.env, **{name: str(value) for name, value in env.items()}})

    def at(self, folder: Path) -> Project:
        """Return the same project, whose command is run in another folder."""
        return replace(self, cwd=folder)

    def elsewhere(self, folder: Path) -> Project:
        """Return the same project, run in another folder with the same parameters and data."""
        shutil.copy(self.folder / "params.yaml", folder)
        shutil.copytree(self.folder / "data", folder / "data")
        return self.at(folder)

    def copy(self, folder: Path, *options: str) -> Project:
        """Return a copy of the repository, installed, which may be changed; it knows what was compiled and checked."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".venv", "artifacts"), symlinks=True)
        copied = Project(folder, self.name, env=self.env)
        copied.tool("uv", "sync", "--locked", *options)
        _link_bytecode(self.folder / ".venv", folder / ".venv")
        return copied

    @property
    def task(self) -> str:
        """Return the task that was chosen."""
        return self._read(".copier-answers.yml", "task")

    @property
    def framework(self) -> str:
        """Return the framework that was chosen."""
        return self._read(".copier-answers.yml", "framework")

    @property
    def source(self) -> str:
        """Return the path of the sample, from where its command is run."""
        return self._read("params.yaml", "  source")

    @property
    def table(self) -> Path:
        """Return a table of the rows that it trains on, as requests carry them: it may cut them from its source."""
        path = self.cwd / "rows.csv"
        if not path.exists():
            script = f"""
import sys
from {self.package.name} import source
from {self.package.name}.core import params
source.read(params.load()).write_csv(sys.argv[1])
"""
            self.tool("uv", "run", "--project", self.folder, "python", "-c", script, path)
        return path

    @property
    def package(self) -> Path:
        """Return the folder of its code."""
        return self.folder / "src" / self.name.replace("-", "_")

    @property
    def touched(self) -> set[str]:
        """Return what git says has been changed, added or removed."""
        lines = self.tool(
            "git", "-C", self.folder, "status", "--porcelain", "--untracked-files=all"
        ).stdout.splitlines()
        return {line[3:].strip('"') for line in lines}

    def _read(self, file: str, name: str) -> str:
        found = re.search(rf"^{name}: (\S+)", (self.folder / file).read_text("utf-8"), re.M)
        assert found, f"{file} does not say {name}"
        return found[1]

    def parameters(self, *changes: tuple[str, str]) -> None:
        """Replace text in `params.yaml` of the folder in which it is run."""
        substitute(self.cwd / "params.yaml", *changes)

    @contextlib.contextmanager
    def served(self, *options: object, ready: bool = True) -> Iterator[Service]:
        """Run the service on a free port for as long as the context lasts, and insist that it ends in order."""
        command = [self.folder / ".venv/bin" / self.name, "serve", "--port", 0, *options]
        with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.cwd,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                service = Service(process, Path(output.name))
                if ready:
                    service.wait_until_ready()
                yield service
                service.stop()
                assert "Traceback" not in service.log.read_text(), service.log.read_text()
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Service:
    """A running service, and a client of it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log
        self.port = 0
        self.wait(self._listens)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send one request and return the status and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        status, content = self.request("GET", path)
        assert status == 200, content
        return json.loads(content)

    def post(self, body: object, **headers: str) -> tuple[int, Any]:
        """Ask for predictions; a body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = self.request("POST", "/v1/predict", content, headers)
        return status, json.loads(answer)

    def predict(self, rows: list[dict[str, Any]], **headers: str) -> list[dict[str, Any]]:
        """Return predictions for rows, in requests of at most 500."""
        predictions = []
        for start in range(0, len(rows), 500):
            status, answer = self.post({"instances": rows[start : start + 500]}, **headers)
            assert status == 200, answer
            predictions += answer["predictions"]
        return predictions

    def metrics(self, name: str, **labels: str) -> float:
        """Return a metric, summed over all that have these labels."""
        _, content = self.request("GET", "/metrics")
        total = 0.0
        for line in content.decode().splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if (
                found
                and found[1] == name
                and all(f'{key}="{value}"' in (found[2] or "") for key, value in labels.items())
            ):
                total += float(found[3])
        return total

    def is_ready(self) -> bool:
        """Tell whether it has a model."""
        return self.request("GET", "/readyz")[0] == 200

    def wait_until_ready(self) -> None:
        """Wait until it has a model."""
        self.wait(self.is_ready)

    def wait(self, condition: Any, seconds: float = 60) -> None:
        """Wait until something holds, or fail with what the service has said."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) in (0, -signal.SIGTERM), self.log.read_text()

    def _listens(self) -> bool:
        found = re.search(r"running on http://[\w.]+:(\d+)", self.log.read_text())
        if found is None:
            return False
        self.port = int(found[1])
        with socket.socket() as probe:  # with several workers the port is known before anybody listens
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _link_bytecode(one: Path, other: Path) -> None:
    """Give an environment the bytecode of another for the same sources; Python looks whether it is of the same."""
    for path in one.rglob("*.pyc"):
        twin = other / path.relative_to(one)
        if (twin.parent.parent / f"{path.name.partition('.')[0]}.py").exists() and not twin.exists():
            twin.parent.mkdir(exist_ok=True)
            twin.hardlink_to(path)


def processor_seconds() -> float:
    """Return what this process and its ended children have used so far; unlike a clock, it ignores what else runs."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def substitute(path: Path, *changes: tuple[str, str]) -> None:
    """Replace text in a file; each must be there."""
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text, f"{old!r} is not in {path}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
