"""The service as a process: over HTTP, with several workers, under nonsense, and at its end."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof import tasks
from tests.proof.project import Project, Service

Rows = list[dict[str, Any]]
READERS: dict[str, Callable[[str], Any]] = {
    "number": float,
    "count": int,
    "category": str,
    "text": str,
    "items": str.split,
    "date": str,
    "image": str,
}
"""How a value of a table is read as a request carries it, for each kind of column."""
EXAMPLES = 400
BOUNDED = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def rows(champion: Project, service: Service) -> Rows:
    """Return the rows of the data as a request carries them."""
    return instances(champion.table, service)


def instances(path: Path, service: Service) -> Rows:
    """Return rows of a table as a request carries them."""
    kinds = {column["name"]: column["type"] for column in service.get("/v1/model")["signature"]["inputs"]}
    with path.open(newline="") as file:
        table = list(csv.DictReader(file))
    return [{name: READERS[kind](row[name]) if row[name] else None for name, kind in kinds.items()} for row in table]


def schema_of(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the type of a row, and all types, from the service's own OpenAPI document."""
    schemas = service.get("/openapi.json")["components"]["schemas"]
    return schemas["Instance"], schemas


def test_the_example_of_the_command_and_of_the_page_can_be_posted(champion: Project, service: Service) -> None:
    printed = champion("example").stdout.encode()
    post = service.get("/openapi.json")["paths"]["/v1/predict"]["post"]
    shown = post["requestBody"]["content"]["application/json"]["example"]
    assert json.loads(printed) == shown
    for body in (printed, shown):
        status, answer = service.post(body)
        assert status == 200
        assert answer["model"] == service.get("/readyz")["model"] == service.get("/v1/model")["model"]
    assert service.get("/healthz") == {"status": "alive"}
    assert service.request("GET", "/docs")[0] == 200


def test_batch_answers_as_the_service_does(champion: Project, service: Service, rows: Rows, tmp_path: Path) -> None:
    done = champion.json("predict", champion.table, tmp_path / "out", "--rows-a-part", 300)
    assert (done["rows"], done["parts"], done["invalid"]) == (len(rows), math.ceil(len(rows) / 300), 0)
    script = "import polars, sys; polars.read_parquet(sys.argv[1]).write_csv(sys.argv[2])"
    champion.tool(
        "uv", "run", "--project", champion.folder, "python", "-c", script, tmp_path / "out", tmp_path / "out.csv"
    )
    with (tmp_path / "out.csv").open(newline="") as file:
        batch = list(csv.DictReader(file))
    online = service.predict(rows)
    for row, answer in zip(batch, online, strict=True):
        columns = tasks.as_columns(answer)
        largest = max(0.1, *(abs(value) for value in columns.values() if not isinstance(value, str)))
        for name, value in columns.items():
            if isinstance(value, str):
                assert row[name] == value
            else:
                assert float(row[name]) == pytest.approx(value, abs=1e-5 * largest)


def test_whatever_the_openapi_document_allows_is_answered(champion: Project, service: Service) -> None:
    row, _ = schema_of(service)

    @BOUNDED
    @given(st.lists(_allowed(row), min_size=1, max_size=3))
    def check(valid: Rows) -> None:
        status, answer = service.post({"instances": valid})
        assert status == 200, answer
        assert len(answer["predictions"]) == len(valid)
        for prediction in answer["predictions"]:
            assert tasks.IS_SOUND[champion.task](prediction), prediction

    check()


def test_nothing_that_is_sent_is_a_server_error(service: Service, rows: Rows) -> None:
    row, _ = schema_of(service)
    scalars = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -(10**30)])
    )
    values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
    names = st.sampled_from([*row["properties"], "instances"]) | st.text()
    mutated = st.builds(lambda changes: rows[0] | changes, st.dictionaries(names, values, max_size=3))
    documents = st.fixed_dictionaries({"instances": st.lists(mutated | values, max_size=3)}) | values
    text = documents.map(lambda document: json.dumps(document).encode())
    cut = st.builds(lambda content, end: content[: end % (len(content) + 1)], text, st.integers(0, 10**6))
    types = st.sampled_from(["application/json", "text/plain", "multipart/form-data", "a/b; charset=utf-16", ""])

    @BOUNDED
    @given(text | cut | st.binary(max_size=200), types)
    def check(body: bytes, content_type: str) -> None:
        status, answer = service.post(body, **{"content-type": content_type})
        assert status in (200, 422), answer
        if status == 422:
            assert answer["detail"][0]["msg"]

    check()


def test_no_path_and_no_method_is_a_server_error(service: Service) -> None:
    known = ["/healthz", "/readyz", "/metrics", "/v1/model", "/v1/predict", "/v1/explain", "/openapi.json", "/docs"]
    odd = ["/", "//", "/v1/predict/", "/v1/predict/%00", "/v1/%2e%2e/etc/passwd", "/docs?x=%ff", "/%", "/" + "a" * 5000]
    for path in known + odd:
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "NONSENSE"):
            assert service.request(method, path)[0] < 500, (method, path)


def test_what_is_too_large_is_refused(service: Service, rows: Rows) -> None:
    assert service.post(b'{"instances": [' + b" " * 2_100_000)[0] == 413
    assert service.post({"instances": rows[:1] * 1001})[0] == 422


def test_it_ends_after_the_last_answer_and_with_a_whole_log(champion: Project, rows: Rows, tmp_path: Path) -> None:
    body = json.dumps({"instances": rows[:2]}).encode()
    head = f"POST /v1/predict HTTP/1.1\r\nhost: here\r\nx-request-id: last\r\ncontent-length: {len(body)}\r\n\r\n"
    with champion.with_env(PREDICTION_LOG_URI=tmp_path / "log").served() as service:
        service.predict(rows[:3], **{"x-request-id": "first"})
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall(head.encode() + body[:10])
            service.wait(lambda: service.metrics("http_requests_total") >= 0)
            service.process.terminate()
            service.wait(lambda: "Shutting down" in service.log.read_text())
            connection.sendall(body[10:])
            answer = connection.makefile("rb").read()
        service.stop()
        assert answer.startswith(b"HTTP/1.1 200 ")
    assert [(line["request_id"], line["row"]) for line in log(tmp_path / "log")] == [
        ("first", 0),
        ("first", 1),
        ("first", 2),
        ("last", 0),
        ("last", 1),
    ]


def test_two_workers_count_together_and_log_everything(champion: Project, rows: Rows, tmp_path: Path) -> None:
    with champion.with_env(PREDICTION_LOG_URI=tmp_path / "log").served("--workers", 2) as service:
        for number in range(60):
            service.predict(rows[number : number + 2])
            assert service.post(b"{")[0] == 422
        assert service.metrics("http_requests_total", path="/v1/predict", status="200") == 60
        assert service.metrics("http_requests_total", path="/v1/predict", status="422") == 60
        assert service.metrics("predicted_rows_total") == 120
        assert service.metrics("http_request_duration_seconds_count", path="/v1/predict") == 120
        assert service.metrics("model_loaded") == 1
    assert len(log(tmp_path / "log")) == 120


def test_it_waits_for_its_first_model(project: Project, champion: Project, rows: Rows, tmp_path: Path) -> None:
    bundle = champion.json("evaluate")["bundle"]
    waiting = project.elsewhere(tmp_path).with_env(MODEL_URI=tmp_path / bundle, MODEL_RETRY_SECONDS=0.1)
    with waiting.served(ready=False) as service:
        service.wait(lambda: b"is not a model bundle" in service.request("GET", "/readyz")[1])
        assert service.request("GET", "/readyz")[0] == service.post({"instances": rows[:1]})[0] == 503
        (tmp_path / bundle).symlink_to(champion.cwd / "artifacts/store/bundles" / bundle)
        service.wait_until_ready()
        service.predict(rows[:1])


def log(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a prediction log."""
    lines = [gzip.decompress(path.read_bytes()).splitlines() for path in sorted(folder.rglob("*.gz"))]
    return sorted((json.loads(line) for part in lines for line in part), key=lambda line: (line["time"], line["row"]))


def _allowed(row: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return rows that a JSON schema allows."""
    required = {name: _value(of) for name, of in row["properties"].items() if name in row["required"]}
    optional = {name: _value(of) for name, of in row["properties"].items() if name not in row["required"]}
    return st.fixed_dictionaries(required, optional=optional)


def _value(of: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "anyOf" in of:
        return st.one_of([_value(one) for one in of["anyOf"]])
    if of["type"] == "null":
        return st.none()
    if of["type"] == "array":
        return st.lists(_value(of["items"]), max_size=of["maxItems"])
    if of["type"] == "integer":
        return st.integers(of.get("minimum"), of.get("maximum"))
    if of["type"] == "number":
        return st.floats(of.get("minimum"), of.get("maximum"), allow_nan=False, allow_infinity=False)
    assert of["type"] == "string", of
    if of.get("format") == "date":
        return st.dates().map(str)
    if of.get("contentEncoding") == "base64":  # only images are, of whatever size
        sides, channels = st.integers(1, 40), st.sampled_from([1, 3, 4])
        return st.builds(tasks.make_png, sides, sides, st.binary(max_size=200), channels)
    text = st.text(st.characters(codec="utf-8"), min_size=of.get("minLength", 0), max_size=of.get("maxLength"))
    return text.filter(re.compile(of["pattern"]).search) if "pattern" in of else text
