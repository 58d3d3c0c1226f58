"""Monitoring of a log that a real service has written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from tests.proof.project import Project
from tests.proof.test_service import instances

Rows = list[dict[str, Any]]


def held_out(project: Project, rows: Rows) -> Rows:
    """Return the rows that no training has seen, as the project itself tells them apart."""
    package = project.package.name
    script = f"""
import polars
from {package} import data, params
from {package}.schema import ROW_ID
print(*data.split(polars.read_parquet(data.latest()), params.load().split)[1][ROW_ID], sep="\\n")
"""
    ids = set(project.tool("uv", "run", "--project", project.folder, "python", "-c", script).stdout.split())
    with (project.cwd / "data/credit.csv").open(newline="") as file:
        return [row for row, source in zip(rows, csv.DictReader(file), strict=True) if source["application_id"] in ids]


def test_drift_is_found_where_it_is_and_nowhere_else(champion: Project, tmp_path: Path) -> None:
    calm, shifted = (champion.with_env(PREDICTION_LOG_URI=tmp_path / name) for name in ("calm", "shifted"))
    assert "too few for a verdict" in calm("monitor", "--out", tmp_path / "nothing").stdout

    with calm.served() as service:
        rows = instances(champion.cwd / "data/credit.csv", service)
        asked = held_out(champion, rows)
        service.predict(asked)
    report = calm.json("monitor", "--out", tmp_path / "reports/calm")
    assert report["enough"]
    assert report["rows"] == len(asked)
    assert [column["name"] for column in report["columns"] if column["drifted"]] == []

    with shifted.served() as service:
        service.predict([row | {"age": min(row["age"] + 20, 100), "purpose": "spaceship"} for row in asked])
    report = shifted.json("monitor", "--out", tmp_path / "reports/shifted", code=4)
    drifted = {column["name"] for column in report["columns"] if column["drifted"]}
    assert {"age", "purpose"} <= drifted
    assert drifted - {"age", "purpose", "probability of good", "probability of bad"} == set()
    written = tmp_path / "reports/shifted"
    assert json.loads((written / "drift.json").read_text()) == report
    assert "| age |" in (written / "drift.md").read_text()
    assert 'drift_detected{column="age"} 1.0' in (written / "drift.prom").read_text()
    assert "have drifted" in shifted.refuses("monitor", code=4)
    assert shifted.json("monitor", "--hours", 0)["rows"] == 0
