"""Explanations of the champion, by the service and by the command; what is no request is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof import tasks
from tests.proof.pairs.test_service import Rows, instances
from tests.proof.project import Project, Service

EXAMPLES = 60
ROWS = 10


@pytest.fixture(scope="module")
def rows(champion: Project, service: Service) -> Rows:
    """Return rows of the data as a request carries them."""
    return instances(champion.table, service)[:ROWS]


def explain(service: Service, body: object) -> tuple[int, Any]:
    """Ask for explanations; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = service.request("POST", "/v1/explain", content)
    return status, json.loads(answer)


def test_contributions_add_up_to_what_is_predicted(service: Service, rows: Rows) -> None:
    status, answer = explain(service, {"instances": rows})
    assert status == 200, answer
    for explanation, prediction in zip(answer["explanations"], service.predict(rows), strict=True):
        value = tasks.as_columns(prediction)[explanation["output"]]
        together = explanation["base"] + sum(explanation["contributions"].values())
        assert together == pytest.approx(value, abs=1e-5 * max(1, abs(value)))
        columns = [
            name for part in explanation["contributions"] for name in rows[0] if f"{part}: ".startswith(f"{name}: ")
        ]
        assert list(dict.fromkeys(columns)) == list(rows[0])
        assert len(columns) == len(explanation["contributions"])
        assert 1 <= len(explanation["reasons"]) <= 4
    assert any(abs(gain) > 0 for gain in answer["explanations"][0]["contributions"].values())


def test_the_command_explains_as_the_service_does(
    champion: Project, service: Service, rows: Rows, tmp_path: Path
) -> None:
    (tmp_path / "request.json").write_text(json.dumps({"instances": rows[:2]}))
    told = champion.json("explain", tmp_path / "request.json")["explanations"]
    _, answer = explain(service, {"instances": rows[:2]})
    for one, other in zip(told, answer["explanations"], strict=True):
        limit = 1e-5 * max(1, abs(one["value"]))
        assert one["contributions"] == pytest.approx(other["contributions"], abs=limit)
    assert champion("explain", tmp_path / "request.json").stdout.count("on average") == 2
    (tmp_path / "request.json").write_text('{"instances": []}')
    assert "instances" in champion.refuses("explain", tmp_path / "request.json")


def test_more_rows_than_allowed_are_refused(service: Service, rows: Rows) -> None:
    assert explain(service, {"instances": [*rows, rows[0]]})[0] == 422


def test_nothing_that_is_sent_is_a_server_error(service: Service, rows: Rows) -> None:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
    names = st.sampled_from([*rows[0], "instances"]) | st.text()
    mutated = st.builds(lambda changes: rows[0] | changes, st.dictionaries(names, values, max_size=2))
    documents = st.fixed_dictionaries({"instances": st.lists(mutated | values, max_size=2)}) | values

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(documents.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=200))
    def check(body: bytes) -> None:
        status, answer = explain(service, body)
        assert status in (200, 422), answer

    check()
