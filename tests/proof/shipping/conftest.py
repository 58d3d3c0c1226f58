"""What these tests share: one project with its champion, and the images that are built from it.

They are about what is around a model, so one kind of model is enough, whatever the other tests take.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.proof.project import Project
from tests.proof.shipping import images
from tests.tools import lack

NAME = "churn"


def python(project: Project, script: str, *arguments: object) -> str:
    """Run a script with the project's modules and return what it prints."""
    return project.tool("uv", "run", "--project", project.folder, "python", "-c", script, *arguments).stdout.strip()


def publish(project: Project, bundle: Path, folder: str) -> str:
    """Copy a bundle below a folder, as training does, and return its URI."""
    script = "import sys; from pathlib import Path; from churn.core.bundles import bundle; "
    script += "print(bundle.publish(bundle.verify(Path(sys.argv[1])), sys.argv[2]))"
    return python(project, script, bundle, folder)


def seal(project: Project, folder: Path) -> Path:
    """Make a bundle of an altered copy of one, and return the folder that is named by its content."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").unlink()
    script = "import sys; from pathlib import Path; from churn.core.bundles import bundle; "
    script += "print(bundle.seal(Path(sys.argv[1]), data=sys.argv[2], features=sys.argv[3]).id)"
    return folder.rename(folder.parent / python(project, script, folder, manifest["data"], manifest["features"]))


@pytest.fixture(scope="session")
def project(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project of the default answers that has a champion; nothing in it may be changed."""
    place = tmp_path_factory.mktemp("shipping")
    in_clone(template_repo, place).with_env(UV_OFFLINE="")("new", NAME, "--defaults")
    project = Project(place / NAME, NAME)
    project("pipeline")
    return project


@pytest.fixture(scope="session")
def champion(project: Project) -> Path:
    """Return its bundle."""
    (bundle,) = (project.folder / "artifacts/store/bundles").iterdir()
    return bundle


@pytest.fixture(scope="session")
def other_model(project: Project, champion: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another bundle, which answers the same: its card has one more line."""
    folder = shutil.copytree(champion, tmp_path_factory.mktemp("other") / "bundle")
    with (folder / "card.md").open("a", encoding="utf-8") as card:
        card.write("\nAnother one.\n")
    return seal(project, folder)


@pytest.fixture(scope="session")
def request_body(project: Project) -> bytes:
    """Return a request that can be posted."""
    return project("example").stdout.encode()


@pytest.fixture(scope="session")
def image_store() -> images.Store:
    """Return where images are kept."""
    if reason := images.lacking():
        lack(reason)
    store = images.Store(images.SHARED)
    store.forget()
    return store


@pytest.fixture(scope="session")
def service(image_store: images.Store, project: Project) -> images.Image:
    """Return the image of the service."""
    return image_store.build(project.folder, f"localhost/{NAME}")


@pytest.fixture(scope="session")
def trainer(image_store: images.Store, project: Project) -> images.Image:
    """Return the image for training and batch jobs."""
    return image_store.build(project.folder, f"localhost/{NAME}-train", target="train")
