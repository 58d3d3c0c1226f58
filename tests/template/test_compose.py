"""compose.yaml with the files that it mounts: do they fit each other, and the tools that will read them?"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.template.assembly import Assembly
from tests.template.combinations import load_yaml
from tests.tools import need

Texts = dict[str, str]

DASHBOARD = "deploy/monitoring/dashboard.json"
CONFIG = "deploy/monitoring/prometheus.yml"
MADE_BY_THE_PIPELINE = "artifacts/store"


@pytest.fixture(scope="module")
def trees(assembly: Assembly) -> list[Texts]:
    """Return each distinct set of the files that belong together."""
    patterns = ("compose.yaml", "deploy/monitoring/*.yml", DASHBOARD)
    return [{p: f.content.decode() for p, f in tree.items()} for _, tree in assembly.subtrees(*patterns)]


def compose_problems(tree: Texts) -> Iterator[str]:
    """Yield what does not fit between compose.yaml and the files that it mounts."""
    (compose,) = load_yaml(tree["compose.yaml"])
    services = compose["services"]
    for name, service in services.items():
        yield from (
            f"{name} can be reached from elsewhere: {p}" for p in service.get("ports", []) if "127.0.0.1:" not in p
        )
        image = PurePosixPath(service["image"]).name
        if "." not in image.partition(":")[2] and "build" not in service and image != services["service"]["image"]:
            yield f"{name} has no exact version: {image}"
        for volume in service.get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else volume.partition(":")[0]
            if source.startswith("./"):
                path = source.removeprefix("./")
                if path != MADE_BY_THE_PIPELINE and path not in tree:
                    yield f"{name} mounts {path}, which is not there"
            elif source not in compose["volumes"]:
                yield f"{name} mounts the volume {source}, which is not declared"
    (prometheus,) = load_yaml(tree[CONFIG])
    for job in prometheus["scrape_configs"]:
        for target in (target for static in job["static_configs"] for target in static["targets"]):
            if target.partition(":")[0] not in services:
                yield f"Prometheus asks {target}, which is no service"


def dashboard_problems(dashboard: dict[str, Any]) -> Iterator[str]:
    """Yield what Grafana would show wrongly."""
    panels = dashboard["panels"]
    if len({panel["id"] for panel in panels}) < len(panels):
        yield "two panels have the same id"
    for one, other in combinations(panels, 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        if not apart:
            yield f"{one['title']} and {other['title']} overlap"
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    for panel in panels:
        for target in panel["targets"]:
            if unknown := {part for part in ("$job", "$namespace") if part in target["expr"]} - {
                f"${v}" for v in variables
            }:
                yield f"{panel['title']} uses {', '.join(sorted(unknown))}"
        if panel["datasource"]["uid"] != "${datasource}":
            yield f"{panel['title']} asks another data source"


def schema_problem(content: str, folder: Path) -> str:
    """Return what the schema of the Compose specification says against a file, or nothing."""
    (folder / "compose.yaml").write_text(content, encoding="utf-8")
    command = [need("check-jsonschema"), "--builtin-schema=vendor.compose-spec", str(folder / "compose.yaml")]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    return done.stdout if done.returncode else ""


def config_problem(content: str, folder: Path) -> str:
    """Return what Prometheus says against its configuration, or nothing."""
    (folder / "prometheus.yml").write_text(content, encoding="utf-8")
    command = [need("promtool"), "check", "config", str(folder / "prometheus.yml")]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    return done.stderr + done.stdout if done.returncode else ""


def test_all_files_fit_each_other(trees: list[Texts]) -> None:
    assert trees
    assert [problem for tree in trees for problem in compose_problems(tree)] == []
    assert [problem for tree in trees for problem in dashboard_problems(json.loads(tree[DASHBOARD]))] == []


def test_compose_and_prometheus_accept_them(trees: list[Texts], tmp_path: Path) -> None:
    assert [problem for tree in trees if (problem := schema_problem(tree["compose.yaml"], tmp_path))] == []
    assert [problem for tree in trees if (problem := config_problem(tree[CONFIG], tmp_path))] == []


@pytest.mark.parametrize(
    ("path", "text", "replacement", "sentence"),
    [
        ("compose.yaml", "127.0.0.1:3000:3000", "3000:3000", "grafana can be reached from elsewhere"),
        ("compose.yaml", "prom/prometheus:v3", "prom/prometheus:latest #", "prometheus has no exact version"),
        ("compose.yaml", "grafana-dashboards.yml:", "grafana-dashboard.yml:", "dashboard.yml, which is not there"),
        ("compose.yaml", "mlflow:/mlflow", "mlruns:/mlflow", "the volume mlruns, which is not declared"),
        (CONFIG, "service:8000", "api:8000", "asks api:8000, which is no service"),
    ],
)
def test_a_planted_misfit_is_found(trees: list[Texts], path: str, text: str, replacement: str, sentence: str) -> None:
    assert text in trees[0][path]
    tree = trees[0] | {path: trees[0][path].replace(text, replacement)}
    assert any(sentence in problem for problem in compose_problems(tree))


def test_planted_defects_of_the_dashboard_are_found(trees: list[Texts]) -> None:
    dashboard = json.loads(trees[0][DASHBOARD])
    dashboard["panels"][1] |= {"gridPos": dashboard["panels"][0]["gridPos"], "datasource": {"uid": "elsewhere"}}
    dashboard["panels"][1]["id"] = dashboard["panels"][0]["id"]
    del dashboard["templating"]["list"][-1]
    found = "\n".join(dashboard_problems(dashboard))
    assert all(text in found for text in ("the same id", "overlap", "another data source", "uses $namespace"))


def test_both_tools_find_a_planted_defect(trees: list[Texts], tmp_path: Path) -> None:
    assert "volume_s" in schema_problem(trees[0]["compose.yaml"].replace("\nvolumes:", "\nvolume_s:"), tmp_path)
    assert "scrape_config" in config_problem(trees[0][CONFIG].replace("scrape_configs:", "scrape_config:"), tmp_path)
