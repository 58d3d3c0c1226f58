"""Tests see a machine of their own, in processes and in this one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from copier import load_settings
from plumbum import local


def test_git_knows_only_the_tests_user(isolated_machine: Path) -> None:
    command = ["config", "--show-origin", "user.name"]
    expected = f"file:{isolated_machine / '.gitconfig'}\tAda Lovelace"
    found = subprocess.run(["git", *command], cwd=isolated_machine, check=True, capture_output=True, encoding="utf-8")
    assert found.stdout.strip() == expected
    with local.cwd(isolated_machine):
        assert local["git"](*command).strip() == expected  # as Copier calls it


def test_copier_knows_no_user_settings(isolated_machine: Path) -> None:
    assert not load_settings().defaults
    assert Path(os.environ["COPIER_CACHE_DIR"]).is_relative_to(isolated_machine)


def test_uv_keeps_what_it_has_downloaded(isolated_machine: Path) -> None:
    cache = subprocess.run(["uv", "cache", "dir"], check=True, capture_output=True, encoding="utf-8").stdout.strip()
    assert not Path(cache).is_relative_to(isolated_machine)
