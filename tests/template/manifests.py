"""The manifests of a generated project as a cluster would get them: released, filled in and built by kustomize."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.template.assembly import File

Object = dict[str, Any]

# The C loader is ten times as fast; PyYAML is sometimes built without it.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

OVERLAYS = ("deploy/overlays/staging", "deploy/overlays/prod")
TRAIN = "deploy/train"
DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGE = f"registry.example.com/team/model@{DIGEST}"
TRAIN_IMAGE = f"registry.example.com/team/model-train@{DIGEST}"
MODEL = "s3://bucket/models/bundles/" + "0123456789abcdef" * 4

SETTINGS = {
    "HOST": "model.example.com",
    "PREDICTION_LOG_URI": "s3://bucket/predictions",
    "STORE_URI": "s3://bucket/models",
    "MLFLOW_TRACKING_URI": "https://mlflow.example.com",
    "CERTIFICATE": "model-example-com",
    "STORAGE_ACCOUNT": "exampleaccount",
    "SERVING_CLIENT_ID": "00000000-0000-4000-8000-000000000001",
    "DRIFT_CLIENT_ID": "00000000-0000-4000-8000-000000000002",
    "TRAINING_CLIENT_ID": "00000000-0000-4000-8000-000000000003",
}
"""A value for every key of every settings.yaml."""


class BuildError(Exception):
    """What kustomize refused, in its own words."""


@dataclass(frozen=True)
class Build:
    """What one kustomization becomes: its objects in their order."""

    name: str
    objects: list[Object]

    @property
    def text(self) -> str:
        """Return the objects as a stream of YAML."""
        return yaml.dump_all(self.objects, Dumper=Dumper)

    def of(self, *kinds: str) -> list[Object]:
        """Return the objects of some kinds."""
        return [obj for obj in self.objects if obj["kind"] in kinds]

    def get(self, kind: str, name: str) -> Object:
        """Return the one object of a kind and a name. Raises ``ValueError`` unless there is exactly one."""
        (found,) = (obj for obj in self.of(kind) if obj["metadata"]["name"] == name)
        return found


def write(files: Mapping[str, File], root: Path) -> Path:
    """Write generated *files* below *root* and return it."""
    for file in files.values():
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(0o755 if file.executable else 0o644)
    return root


def release(project: Path, environment: str, image: str, model: str = "") -> None:
    """Release with the project's own module, which needs nothing but Python."""
    (package,) = (path.name for path in project.glob("src/*"))
    script = f"import sys; from {package}.core.release.release import write; write(*sys.argv[1:])"
    command = [sys.executable, "-c", script, environment, image, model]
    subprocess.run(command, cwd=project, env={"PYTHONPATH": "src"}, check=True)


def release_all(project: Path) -> None:
    """Release the test image and model to every environment."""
    for overlay in OVERLAYS:
        release(project, Path(overlay).name, IMAGE, MODEL)
    release(project, "train", TRAIN_IMAGE)


def fill_in(project: Path) -> None:
    """Write a value for every key into each settings.yaml, as a person would, keeping the comments."""
    for path in project.glob("deploy/**/settings.yaml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            key, colon, _ = line.strip().partition(":")
            if colon and key.isupper():
                lines[number] = f"  {key}: {SETTINGS[key]}"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def add_options(project: Path) -> None:
    """Let training run by itself, and on a GPU, as the comments of its CronJob say; and have batch prediction."""
    path = project / TRAIN / "cronjob.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count("# nvidia.com/gpu:") == 2
    for old, new in (
        ("suspend: true", "suspend: false"),
        ("# nvidia.com/gpu:", "nvidia.com/gpu:"),
        ("# tolerations:", "tolerations:"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    path = project / TRAIN / "kustomization.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("components:\n", "components:\n  - ../components/batch\n"), encoding="utf-8")
    path = project / "deploy/components/batch/cronjob.yaml"
    text = path.read_text(encoding="utf-8")
    for name, value in {
        "BATCH_SOURCE": "s3://bucket/rows/*.parquet",
        "BATCH_TARGET": "s3://bucket/predictions",
    }.items():
        text, times = re.subn(f'(- name: {name} #.*\n +value: )""', rf'\1"{value}"', text)
        assert times == 1
    path.write_text(text, encoding="utf-8")


def add_monitoring(project: Path, component: str = "monitoring") -> None:
    """Have both environments watched, as README says it for clusters that have the operator, or what a cloud has."""
    for overlay in OVERLAYS:
        path = project / overlay / "kustomization.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("components:\n", f"components:\n  - ../../{component}\n"), encoding="utf-8")


def build(kustomize: list[str], folder: Path, name: str) -> Build:
    """Build a kustomization. Raises :class:`BuildError`."""
    done = subprocess.run([*kustomize, str(folder)], check=False, capture_output=True, encoding="utf-8")
    if done.returncode or done.stderr:  # kustomize prints a deprecation, and goes on
        raise BuildError(f"{name}: {done.stderr.strip()}")
    return Build(name, list(yaml.load_all(done.stdout, Loader)))


def pods(build: Build) -> Iterator[tuple[str, Object]]:
    """Yield the pod template of each workload, with the workload's name for messages."""
    for obj in build.objects:
        template = obj.get("spec", {}).get("jobTemplate", {}).get("spec", {}) or obj.get("spec", {})
        if obj["kind"] in ("Deployment", "CronJob"):
            yield f"{obj['kind']} {obj['metadata']['name']}", template["template"]


def containers(build: Build) -> Iterator[tuple[str, Object]]:
    """Yield each container, with the name of its workload."""
    for name, pod in pods(build):
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
            yield name, container


def variables(build: Build) -> dict[str, str]:
    """Return the environment variables that the manifests set, with their values."""
    return {entry["name"]: entry.get("value", "") for _, c in containers(build) for entry in c.get("env", [])}
