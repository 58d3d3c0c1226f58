"""What the record says of a pair: measured on the sample, by the project's own commands."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.proof.project import Project, Service, processor_seconds

VERSIONS = """
import ast, importlib.metadata, json, pathlib, platform, sys
package = pathlib.Path(sys.argv[1])
def imported(paths):
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0]
    return {name.partition(".")[0] for name in names}
parts = ("model.py", "network.py", *(f"core/training/{name}.py" for name in ("backend", "loop", "processes")))
models = [package / part for part in parts if (package / part).exists()]
others = set(package.rglob("*.py")) - set(models)
known = importlib.metadata.packages_distributions()
names = imported(models) - imported(others) or imported(models) & {"sklearn"}
own = {known[name][0] for name in names if name in known}
versions = {name: importlib.metadata.version(name) for name in sorted(own)}
print(json.dumps({"Python": platform.python_version()} | versions))
"""
ROUNDS, REQUESTS = 7, 100


def megabytes(folder: Path) -> float:
    """Return the size of all files below a folder, bytecode left out: it comes with use."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc") / 1e6


def milliseconds(service: Service, body: bytes) -> float:
    """Return the median time of a request over one connection, in the quietest of some rounds."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    medians = []
    for _ in range(ROUNDS):
        times = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            connection.request("POST", "/v1/predict", body)
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - begin)
            assert answer.status == 200
        medians.append(statistics.median(times))
    connection.close()
    return 1e3 * min(medians)


def test_figures(champion: Project, base: Project, record_property: Callable[[str, Any], None]) -> None:
    """Seconds are those of a processor, from `new` to the first prediction, with uv's cache filled."""
    metric = champion.json("evaluate")["decision"]["metric"]
    (bundle,) = (champion.cwd / "artifacts/store/bundles").iterdir()
    known = json.loads((bundle / "metrics.json").read_text("utf-8"))
    body = champion("example").stdout.encode()
    begin = processor_seconds()
    with champion.served() as service:
        assert service.post(body)[0] == 200
    spent = champion.spent + processor_seconds() - begin
    with champion.served() as service:
        row = milliseconds(service, body)
    figures = {
        "metric": metric,
        **known["metrics"][metric],
        "naive": known["naive"][metric],
        "processor_seconds": spent,
        "environment_mb": megabytes(champion.folder / ".venv"),
        "serving_environment_mb": megabytes(base.folder / ".venv"),
        "bundle_kb": 1e3 * megabytes(bundle),
        "row_ms": row,
    }
    assert figures["serving_environment_mb"] < figures["environment_mb"]
    record_property("figures", {name: _round(value) for name, value in figures.items()})


def _round(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def test_versions(project: Project, record_property: Callable[[str, Any], None]) -> None:
    printed = project.tool("uv", "run", "python", "-c", VERSIONS, project.package).stdout
    versions = json.loads(printed)
    assert len(versions) > 1
    record_property("versions", versions)
