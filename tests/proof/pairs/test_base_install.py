"""What a serving image holds: the base install, without any training framework."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof.pairs.test_service import instances
from tests.proof.project import Project


def test_no_training_framework_is_installed(base: Project) -> None:
    installed = {path.name for path in base.folder.glob(".venv/lib/*/site-packages/*")}
    assert "onnxruntime" in installed
    assert not installed & {"sklearn", "scipy", "mlflow", "polars", "pandas", "torch", "onnx", "matplotlib", "pytest"}


def test_it_helps_serves_and_monitors(base: Project, tmp_path: Path) -> None:
    assert "Usage" in base("--help").stdout
    assert len(base.json("explain")["explanations"]) == 1
    serving = base.with_env(PREDICTION_LOG_URI=tmp_path / "log")
    with serving.served() as service:
        rows = instances(base.table, service)
        assert len(service.predict(rows[:20])) == 20
    assert serving.json("monitor", "--out", tmp_path / "drift")["rows"] == 20


@pytest.mark.parametrize("command", ["data", "train", "tune", "evaluate", "promote", "pipeline", "predict in.csv out"])
def test_whatever_needs_more_says_so_in_one_sentence(base: Project, command: str) -> None:
    assert "uv sync" in base.refuses(*command.split())
