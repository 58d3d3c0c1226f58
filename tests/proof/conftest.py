"""What the heavy tests share: a project that has a champion, and the images that are built from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.proof import images
from tests.tools import lack

NAME = "churn"


@dataclass(frozen=True)
class Project:
    """A generated project with its environment, whose pipeline has been run."""

    root: Path

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command in its environment and return what it prints."""
        variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        variables |= {"UV_PROJECT_ENVIRONMENT": ".venv", **(env or {})}
        command = ("uv", "run", "--quiet", *command)
        done = subprocess.run(command, cwd=self.root, env=variables, check=False, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def publish(self, bundle: Path, folder: str, env: Mapping[str, str] | None = None) -> str:
        """Copy a bundle below a folder, as training does, and return its URI."""
        script = "import sys; from pathlib import Path; from {0} import bundle; "
        script += "print(bundle.publish(bundle.verify(Path(sys.argv[1])), sys.argv[2]))"
        return self.run("python", "-c", script.format(NAME), str(bundle), folder, env=env).strip()

    def seal(self, folder: Path) -> Path:
        """Make a bundle of an altered copy of one, and return the folder that is named by its content."""
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["data"]
        (folder / "manifest.json").unlink()
        script = f"import sys; from pathlib import Path; from {NAME} import bundle; "
        script += "print(bundle.seal(Path(sys.argv[1]), data=sys.argv[2]).id)"
        return folder.rename(folder.parent / self.run("python", "-c", script, str(folder), data).strip())


@pytest.fixture(scope="session")
def project(copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project of the default answers that has a champion."""
    project = Project(copier.copy(tmp_path_factory.mktemp("proof") / NAME, {"project_name": NAME}))
    subprocess.run(["uv", "lock", "--quiet"], cwd=project.root, check=True)
    project.run(NAME, "pipeline")
    return project


@pytest.fixture(scope="session")
def champion(project: Project) -> Path:
    """Return its bundle."""
    (bundle,) = (project.root / "artifacts/store/bundles").iterdir()
    return bundle


@pytest.fixture(scope="session")
def other_model(project: Project, champion: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another bundle, which answers the same: its card has one more line."""
    folder = shutil.copytree(champion, tmp_path_factory.mktemp("other") / "bundle")
    with (folder / "card.md").open("a", encoding="utf-8") as card:
        card.write("\nAnother one.\n")
    return project.seal(folder)


@pytest.fixture(scope="session")
def request_body(project: Project) -> bytes:
    """Return a request that can be posted."""
    return project.run(NAME, "example").encode()


@pytest.fixture(scope="session")
def image_store() -> images.Store:
    """Return where images are kept."""
    if reason := images.lacking():
        lack(reason)
    return images.Store(images.SHARED)


@pytest.fixture(scope="session")
def service(image_store: images.Store, project: Project) -> images.Image:
    """Return the image of the service."""
    return image_store.build(project.root, f"localhost/{NAME}")


@pytest.fixture(scope="session")
def trainer(image_store: images.Store, project: Project) -> images.Image:
    """Return the image for training and batch jobs."""
    return image_store.build(project.root, f"localhost/{NAME}-train", target="train")
