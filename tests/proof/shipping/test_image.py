"""The image: it is built, runs as hardened as a cluster will run it, and changes its model without losing a request."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.proof.project import Project
from tests.proof.shipping.conftest import NAME
from tests.proof.shipping.images import Container, Image, Store
from tests.proof.shipping.web import Answer, answers, ask, free_port, wait

MODEL = "/model"
CLIENTS = 4
PAUSE = 0.02  # seconds between two requests of a client, which bounds the load
CHANGES = 3


@contextmanager
def serving(image: Image, bundle: Path) -> Iterator[tuple[int, Container]]:
    """Run a service with a bundle on its disk until the context ends; yield its port, ready to answer."""
    port, place = free_port(), f"{MODEL}/{bundle.name}"
    arguments = ("serve", "--host", "127.0.0.1", "--port", str(port))
    with image.run(*arguments, env={"MODEL_URI": place}, mounts={bundle: place}) as container:
        wait(lambda: answers(port, "/readyz"), f"the service is not ready:\n{container.log.read_text()}")
        yield port, container


# ── What is inside ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_image_holds_the_packages_and_nothing_else_of_the_project(service: Image) -> None:
    with service.root() as root:
        assert {path.name for path in (root / "app").iterdir()} == {".venv", "artifacts"}
        modules = {path.name for path in next((root / "app/.venv/lib").glob("python*/site-packages")).iterdir()}
    assert {NAME, "onnxruntime", "fastapi"} <= modules
    assert modules & {"sklearn", "scipy", "mlflow", "polars", "onnx", "pytest", "uv", "pip"} == set()


def test_packages_are_small_and_compiled(service: Image, record_property: Callable[[str, object], None]) -> None:
    with service.root() as root:
        files = [path for path in (root / "app/.venv").rglob("*") if path.is_file() and not path.is_symlink()]
        sizes = {path: path.stat().st_size / 1e6 for path in files}
        compiled = {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in files if path.suffix == ".pyc"}
        sources = {path for path in files if path.suffix == ".py" and "site-packages" in path.parts}
    total = sum(sizes.values())
    plain = total - sum(size for path, size in sizes.items() if path.suffix == ".pyc")
    record_property("megabytes", {"without bytecode": round(plain, 1), "with": round(total, 1)})
    print(f"packages of the service: {plain:.1f} MB without bytecode, {total:.1f} MB with")
    assert plain <= 160
    assert total <= 200
    assert len(sources & compiled) > 0.99 * len(sources)


def test_an_image_is_not_built_without_a_lock_file(image_store: Store, project: Project, tmp_path: Path) -> None:
    context = shutil.copytree(project.folder, tmp_path / "context", ignore=shutil.ignore_patterns(".venv", "artifacts"))
    (context / "uv.lock").unlink()
    with pytest.raises(AssertionError, match=r"uv\.lock"):
        image_store.build(context, "localhost/unlocked")


# ── How it runs ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_runs_with_its_own_command_and_no_rights(service: Image) -> None:
    with service.run(own_network=True) as container:
        check = service.config["Healthcheck"]["Test"]
        assert check[0] == "CMD"
        wait(lambda: container.exec(check[1:]).returncode == 0, f"unhealthy:\n{container.log.read_text()}")
        status = container.status()
        assert {*status["Uid"].split(), *status["Gid"].split()} == {"10001"}
        assert status["NoNewPrivs"] == "1"
        assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {0}
        for place in ("/", "/app", "/app/.venv", "/etc"):
            assert "Read-only file system" in container.exec(["touch", f"{place}/x"], root=True).stderr
        assert container.stop() == 0


def test_its_health_check_can_fail(service: Image) -> None:
    with service.run("serve", "--port", "8001", own_network=True) as container:
        wait(lambda: "running on" in container.log.read_text(), "the service does not start")
        assert container.exec(service.config["Healthcheck"]["Test"][1:]).returncode != 0


def test_an_empty_environment_waits_instead_of_ending(service: Image) -> None:
    port = free_port()
    with service.run("serve", "--host", "127.0.0.1", "--port", str(port)) as container:
        wait(lambda: answers(port, "/readyz", 503, "MODEL_URI names no bundle"), "it does not say what it waits for")
        assert answers(port, "/healthz")
        assert container.stop() == 0


def test_it_answers_and_ends_when_told(service: Image, champion: Path, request_body: bytes) -> None:
    with serving(service, champion) as (port, container):
        answer = ask(port, "POST", "/v1/predict", request_body)
        assert (answer.status, json.loads(answer.body)["model"]) == (200, champion.name)
        assert container.stop() == 0


def test_several_workers_count_together(service: Image, champion: Path, request_body: bytes) -> None:
    port, place = free_port(), f"{MODEL}/{champion.name}"
    command = ("serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "2")
    with service.run(*command, env={"MODEL_URI": place}, mounts={champion: place}):
        wait(lambda: answers(port, "/metrics", text="model_loaded"), "no worker has a model")
        sent = sum(ask(port, "POST", "/v1/predict", request_body).status == 200 for _ in range(20))
        assert answers(port, "/metrics", text=f'http_requests_total{{path="/v1/predict",status="200"}} {sent}.0')


def test_the_other_image_trains_without_a_network(trainer: Image) -> None:
    with trainer.run(own_network=True) as container:
        code = container.process.wait(300)
        log = container.log.read_text()
    assert code == 0, log
    assert "is the champion" in log


def test_it_does_for_compose_what_is_asked_of_it(service: Image, project: Project, champion: Path) -> None:
    """On a laptop it finds the champion by itself, and measures drift again and again."""
    services = yaml.safe_load((project.folder / "compose.yaml").read_text(encoding="utf-8"))["services"]
    store = {project.folder / "artifacts/store": "/store"}
    port, env = (
        free_port(),
        {name: value for name, value in services["service"]["environment"].items() if "$" not in value},
    )
    with service.run("serve", "--host", "127.0.0.1", "--port", str(port), env=env, mounts=store) as container:
        wait(lambda: answers(port, "/readyz", text=champion.name), f"not ready:\n{container.log.read_text()}")
    drift = services["drift"]
    with service.run(entrypoint=drift["entrypoint"], env=drift["environment"], mounts=store) as container:
        wait(lambda: "too few for a verdict" in container.log.read_text(), "drift is not measured")
        assert "drift_rows 0.0" in container.exec(["cat", "/app/artifacts/drift/drift.prom"]).stdout


def test_it_does_for_sagemaker_what_is_asked_of_it(service: Image, champion: Path, request_body: bytes) -> None:
    """It is run with the argument `serve`, whoever it is, and told all else by its environment."""
    port, place, user = free_port(), f"{MODEL}/{champion.name}", "4242"
    env = {"SERVE_HOST": "127.0.0.1", "SERVE_PORT": str(port), "SERVE_WORKERS": "2", "MODEL_URI": place}
    image = replace(service, config=service.config | {"User": user})
    with image.run("serve", env=env, mounts={champion: place}) as container:
        wait(lambda: answers(port, "/ping", text=champion.name), f"not healthy:\n{container.log.read_text()}")
        assert container.status()["Uid"].split() == [user] * 4
        assert ask(port, "GET", "/ping", seconds=2).status == 200
        answer = ask(port, "POST", "/invocations", request_body, {"Content-Type": "application/json"})
        assert (answer.status, json.loads(answer.body)["model"]) == (200, champion.name)
        assert container.stop(seconds=30) == 0


# ── A change of model ───────────────────────────────────────────────────────────────────────────────────────────────


class Balancer:
    """Passes each request to one of the services behind it in turn, as a cluster's Service does."""

    def __init__(self) -> None:
        self.backends: list[int] = []
        self._turn = 0

    def ask(self, path: str, body: bytes) -> Answer:
        self._turn += 1
        return ask(self.backends[self._turn % len(self.backends)], "POST", path, body)

    @contextmanager
    def listening(self) -> Iterator[int]:
        balancer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    answer = balancer.ask(self.path, body)
                except OSError as error:
                    answer = Answer(502, {}, str(error).encode())
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            server.server_close()


def test_a_change_of_model_under_load_loses_no_request(
    service: Image, champion: Path, other_model: Path, request_body: bytes
) -> None:
    """What a rolling update does: a new one becomes ready and is asked, an old one is asked no more and told to end."""
    balancer, stop = Balancer(), threading.Event()
    answered: list[tuple[int, str]] = []

    def client(port: int) -> None:
        while not stop.wait(PAUSE):
            answer = ask(port, "POST", "/v1/predict", request_body)
            answered.append((answer.status, json.loads(answer.body)["model"] if answer.status == 200 else ""))

    with ExitStack() as stack:
        port = stack.enter_context(balancer.listening())
        running = [stack.enter_context(serving(service, champion)) for _ in range(2)]
        balancer.backends = [backend for backend, _ in running]
        clients = [threading.Thread(target=client, args=(port,)) for _ in range(CLIENTS)]
        for thread in clients:
            thread.start()
        try:
            for change in range(CHANGES):
                bundle = (other_model, champion)[change % 2]
                for _ in range(2):
                    new, old = stack.enter_context(serving(service, bundle)), running.pop(0)
                    running.append(new)
                    balancer.backends = [backend for backend, _ in running]
                    assert old[1].stop() == 0
                seen = len(answered)
                wait(lambda seen=seen: len(answered) > seen + 50, "nothing is answered any more")  # type: ignore[misc]
                assert {model for _, model in answered[seen + CLIENTS :]} == {bundle.name}
        finally:
            stop.set()
            for thread in clients:
                thread.join()
    failed = [status for status, _ in answered if status != 200]
    print(f"{len(answered)} requests during {CHANGES} changes of model, {len(failed)} failed")
    assert failed == []
    assert {model for _, model in answered} == {champion.name, other_model.name}


def test_a_change_that_does_not_wait_loses_requests(service: Image, champion: Path, request_body: bytes) -> None:
    """The test above can fail: where the old one is killed and still asked, requests are lost."""
    balancer = Balancer()
    with balancer.listening() as port, serving(service, champion) as one, serving(service, champion) as other:
        balancer.backends = [one[0], other[0]]
        os.kill(one[1].pid, signal.SIGKILL)
        one[1].process.wait(30)
        assert 502 in {ask(port, "POST", "/v1/predict", request_body).status for _ in range(4)}
