"""Prometheus, with the generated configuration, finds data for whatever the generated dashboard shows."""

from __future__ import annotations

import json
import math
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.proof.project import Project
from tests.proof.shipping.conftest import NAME
from tests.proof.shipping.web import answers, ask, free_port, wait
from tests.tools import need

INTERVAL = "15s"
"""What Grafana puts in the place of $__rate_interval, at its least: four scrapes, here of a second or so each."""


@contextmanager
def running(*command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Iterator[None]:
    """Run a server for as long as the context lasts."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **(env or {})}, cwd=cwd, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def prometheus(
    project: Project, champion: Path, request_body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Return the port of a Prometheus that watches a service which is being asked, and the drift of its log."""
    prometheus, exporter = need("prometheus"), need("prometheus-node-exporter")
    folder = tmp_path_factory.mktemp("observability")
    service, report, port = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        log = {"PREDICTION_LOG_URI": str(folder / "log"), "PREDICTION_LOG_SECONDS": "1"}
        command = (str(project.folder / f".venv/bin/{NAME}"), "serve", "--port", str(service))
        stack.enter_context(running(*command, env=log | {"MODEL_URI": str(champion)}, cwd=folder))
        wait(lambda: answers(service, "/readyz"), "the service is not ready")
        traffic = threading.Event()
        stack.callback(traffic.set)
        threading.Thread(target=keep_asking, args=(service, request_body, traffic), daemon=True).start()
        wait(lambda: rows(project, folder / "log") > 300, "nothing is logged")
        measure_drift(project, folder, log)
        stack.enter_context(running(exporter, *exporter_options(project, folder, report)))
        config = configuration(project, {"service:8000": service, "drift-report:9100": report})
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")
        options = (f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}")
        stack.enter_context(running(prometheus, *options, f"--web.listen-address=127.0.0.1:{port}"))
        wait(lambda: len(query(port, "up == 1")) == 2, "Prometheus does not reach both")
        wait(lambda: bool(query(port, f"count_over_time(up[{INTERVAL}]) > 8")), "Prometheus has not scraped for long")
        yield port


def keep_asking(port: int, body: bytes, stop: threading.Event) -> None:
    """Send what a service gets in real life: requests in order, of unseen categories, and of nonsense."""
    (instance,) = json.loads(body)["instances"]
    strange = {name: "never seen" if isinstance(value, str) else value for name, value in instance.items()}
    sent = {"asked": [instance] * 20, "strange": [strange], "nonsense": [{"nonsense": 1}]}
    while not stop.wait(0.1):
        for name, rows in sent.items():
            ask(port, "POST", "/v1/predict", json.dumps({"instances": rows}).encode(), {"x-request-id": name})


def rows(project: Project, log: Path) -> int:
    """Return how many rows have been logged so far, roughly: a file is a second's."""
    return 60 * len(list(log.rglob("*.gz")))


def measure_drift(project: Project, folder: Path, log: Mapping[str, str]) -> None:
    """Run the project's monitoring, which must see that one row again and again is not what the model was made from.

    What happened to these rows is known, too.
    """
    happened = "".join(f"asked,{row},{('good', 'bad')[row % 2]}\n" for row in range(20))
    (folder / "labels.csv").write_text(f"request_id,row,credit_risk\n{happened}", encoding="utf-8")
    for arguments, code in ((("labels", folder / "labels.csv"), 0), (("monitor", "--out", folder / "drift"), 4)):
        command = [project.folder / f".venv/bin/{NAME}", *arguments]
        done = subprocess.run(command, cwd=project.folder, env={**os.environ, **log}, check=False, capture_output=True)
        assert done.returncode == code, done.stdout + done.stderr


def exporter_options(project: Project, folder: Path, port: int) -> Sequence[str]:
    """Return the options that compose.yaml gives to the exporter, for places on this machine."""
    compose = yaml.safe_load((project.folder / "compose.yaml").read_text(encoding="utf-8"))
    options = [
        o.replace("/artifacts/drift", str(folder / "drift")) for o in compose["services"]["drift-report"]["command"]
    ]
    return [*options, f"--web.listen-address=127.0.0.1:{port}"]


def configuration(project: Project, ports: Mapping[str, int]) -> str:
    """Return the generated configuration, for services on this machine, and with a scrape each second."""
    text = (project.folder / "deploy/monitoring/prometheus.yml").read_text(encoding="utf-8")
    for target, port in ports.items():
        assert target in text
        text = text.replace(target, f"127.0.0.1:{port}")
    return text.replace("scrape_interval: 5s", "scrape_interval: 1s")


def query(port: int, expression: str) -> list[dict[str, Any]]:
    """Return the series that Prometheus answers."""
    try:
        answer = ask(port, "GET", f"/api/v1/query?query={quote(expression)}")
    except OSError:
        return []
    document = json.loads(answer.body) if answer.status < 500 else {}
    assert document.get("status", "success") == "success", document
    result: list[dict[str, Any]] = document.get("data", {}).get("result", [])
    return result


def expressions(project: Project) -> dict[tuple[str, str], str]:
    """Return the dashboard's expressions, by panel and name, as Grafana sends them."""
    dashboard = json.loads((project.folder / "deploy/monitoring/dashboard.json").read_text(encoding="utf-8"))
    values = {"$__rate_interval": INTERVAL, "$namespace": ".*"}
    values |= {f"${v['name']}": v["query"] for v in dashboard["templating"]["list"] if v["type"] == "constant"}
    found = {}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in values.items():
                expression = expression.replace(name, value)
            found[panel["title"], target["legendFormat"]] = expression
    return found


def test_every_panel_has_data(prometheus: int, project: Project, champion: Path) -> None:
    series = {key: query(prometheus, expression) for key, expression in expressions(project).items()}
    assert [key for key, found in series.items() if not found] == []
    values = {key: [float(each["value"][1]) for each in found] for key, found in series.items()}
    assert [key for key, found in values.items() if any(math.isnan(value) for value in found)] == []
    for (panel, name), found in series.items():
        print(f"{panel} ({name}): {len(found)} series, such as {found[0]['metric']} = {found[0]['value'][1]}")
    assert 0.2 < values["Errors", "4xx"][0] < 0.5
    assert values["Errors", "5xx"] == [0]
    assert values["Latency", "p50"] <= values["Latency", "p95"] <= values["Latency", "p99"]
    assert {each["metric"]["status"] for each in series["Requests per second", "__auto"]} == {"200", "422"}
    assert [each["metric"]["model"] for each in series["Instances by model", "__auto"]] == [champion.name]
    assert max(values["Drift", "__auto"]) > 0.2
    (live,) = [
        each for each in series["Performance", "__auto"] if each["metric"] == {"metric": "roc_auc", "rows": "live"}
    ]
    assert float(live["value"][1]) == 0.5, "rows that are all the same cannot be told apart"


def test_a_misspelt_metric_has_no_data(prometheus: int, project: Project) -> None:
    for (panel, name), expression in expressions(project).items():
        for metric in ("http_requests_total", "http_request_duration", "predicted", "unseen", "drift", "model", "log"):
            if metric in expression:
                found = query(prometheus, expression.replace(metric, metric[:-1] + "x"))
                assert all(math.isnan(float(each["value"][1])) for each in found), (panel, name)


def test_prometheus_accepts_the_configuration(project: Project) -> None:
    command = [need("promtool"), "check", "config", str(project.folder / "deploy/monitoring/prometheus.yml")]
    subprocess.run(command, check=True, capture_output=True)
