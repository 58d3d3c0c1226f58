"""Tools that a contributor's machine may lack: a test that needs one is skipped with the reason.

`.ci/tools` installs them; `.ci/run` sets `MLSCAFFOLD_NO_SKIP`, and then nothing is skipped.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def need(tool: str) -> str:
    """Return the path of *tool*; without it the test that asks is skipped, or fails where nothing may be skipped."""
    path = shutil.which(tool)
    if path is None:
        lack(f"{tool} is not installed (.ci/tools installs it)")
    return path


def lack(reason: str) -> NoReturn:
    """Skip the test for *reason*, or fail it where nothing may be skipped."""
    if os.environ.get("MLSCAFFOLD_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)
