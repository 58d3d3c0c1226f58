"""Monitoring of a log that a real service has written."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.proof import tasks
from tests.proof.pairs.test_service import instances
from tests.proof.project import Project

Rows = list[dict[str, Any]]
OTHERWISE: dict[str, Callable[[list[Any]], Any]] = {
    "number": max,
    "category": lambda _: "spaceship",
    "text": lambda texts: " ".join(texts)[:1000],
    "items": lambda lists: [*max(lists, key=len), "spaceship"],
    "image": lambda _: tasks.make_png(900, 700, b"\xff" * 900 * 700, channels=1),
}
"""What all rows are given in the place of a column's values, for each kind of column."""
MEASURES = {
    "text": ("characters", "words"),
    "items": ("items", "newest"),
    "image": ("width", "height", "brightness", "contrast"),
}
"""What of a column may drift, for the kinds of which it is not the value itself."""


def held_out(project: Project, rows: Rows) -> Rows:
    """Return the rows that no training has seen, as the project itself tells them apart."""
    package = project.package.name
    script = f"""
import polars
from {package}.core import params
from {package}.core.data import snapshots
from {package}.core.task import examples
from {package}.schema import INPUTS, ROW_ID
rows = polars.read_parquet(snapshots.latest())
print(*rows.filter(examples.place(rows, params.load().split).held_out)[ROW_ID or INPUTS[0].name], sep="\\n")
"""
    ids = set(project.tool("uv", "run", "--project", project.folder, "python", "-c", script).stdout.splitlines())
    with project.table.open(newline="") as file:
        names = [line[0] for line in csv.reader(file)][1:]
    return [row for row, name in zip(rows, names, strict=True) if name in ids]


def test_drift_is_found_where_it_is_and_nowhere_else(champion: Project, tmp_path: Path) -> None:
    (least,) = (
        int(found) for found in re.findall(r"min_rows: (\d+)", (champion.cwd / "params.yaml").read_text("utf-8"))
    )
    calm, shifted = (champion.with_env(PREDICTION_LOG_URI=tmp_path / name) for name in ("calm", "shifted"))
    assert "too few for a verdict" in calm("monitor", "--out", tmp_path / "nothing").stdout

    with calm.served() as service:
        rows = instances(champion.table, service)
        signature = service.get("/v1/model")["signature"]
        shown = {kind: [c["name"] for c in signature["inputs"] if c["type"] == kind] for kind in OTHERWISE}
        asked = held_out(champion, rows)
        asked *= -(-least // len(asked))
        service.predict(asked)
    report = calm.json("monitor", "--out", tmp_path / "reports/calm")
    assert report["enough"]
    assert report["rows"] == len(asked)
    assert [column["name"] for column in report["columns"] if column["drifted"]] == []

    with shifted.served() as service:
        other = {names[0]: OTHERWISE[kind]([row[names[0]] for row in asked]) for kind, names in shown.items() if names}
        service.predict([row | other for row in asked])
    report = shifted.json("monitor", "--out", tmp_path / "reports/shifted", code=4)
    drifted = {column["name"] for column in report["columns"] if column["drifted"]}
    measures = {name: MEASURES.get(kind, ("",)) for kind, names in shown.items() for name in names[:1]}
    changed = {f"{name}: {measure}" if measure else name for name in other for measure in measures[name]}
    assert changed
    assert changed <= drifted
    assert drifted - changed <= {column["name"] for column in signature["outputs"]}
    written = tmp_path / "reports/shifted"
    assert json.loads((written / "drift.json").read_text()) == report
    name = min(changed)
    assert f"| {name} |" in (written / "drift.md").read_text()
    assert f'drift_detected{{column="{name}"}} 1.0' in (written / "drift.prom").read_text()
    assert "have drifted" in shifted.refuses("monitor", code=4)
    assert shifted.json("monitor", "--hours", 0)["rows"] == 0
