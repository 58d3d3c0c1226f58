"""The template's history inside a package."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlscaffold.errors import TemplateError
from mlscaffold.system.git import write_bundle
from tests.cli.conftest import git
from tests.living.house import House


def test_a_bundle_has_this_commit_and_the_tags_before_it(house: House, tmp_path: Path) -> None:
    house.release("v1.1.0", {"template/a.txt": "a\n"})
    house.release("v2.0.0", {"template/b.txt": "b\n"})
    git(house.root, "checkout", "-q", "v1.1.0")  # Copier would choose the newest tag that it sees
    write_bundle(house.root, tmp_path / "one.bundle")
    heads = dict(line.split()[::-1] for line in git(tmp_path, "bundle", "list-heads", "one.bundle").splitlines())
    assert set(heads) == {"HEAD", "refs/tags/v1.0.0", "refs/tags/v1.1.0"}
    assert heads["HEAD"] == git(house.root, "rev-parse", "v1.1.0")
    git(tmp_path, "clone", "-q", "--mirror", "one.bundle", "mirror")
    git(tmp_path / "mirror", "fsck", "--full", "--strict")
    write_bundle(house.root, tmp_path / "two.bundle")
    assert (tmp_path / "two.bundle").read_bytes() == (tmp_path / "one.bundle").read_bytes()


def test_a_shallow_clone_cannot_be_bundled(house: House, tmp_path: Path) -> None:
    house.release("v1.1.0", {"template/a.txt": "a\n"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{house.root}", "shallow")
    with pytest.raises(TemplateError, match=r"is a shallow clone.*fetch-depth: 0"):
        write_bundle(tmp_path / "shallow", tmp_path / "one.bundle")


def test_a_history_with_a_hole_cannot_be_bundled(house: House, tmp_path: Path) -> None:
    lost = git(house.root, "rev-parse", "HEAD:copier.yml")
    (house.root / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(TemplateError, match="cannot be bundled"):
        write_bundle(house.root, tmp_path / "one.bundle")
