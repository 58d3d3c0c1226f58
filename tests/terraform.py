"""Terraform, with a mirror of its providers where the machine has one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.tools import lack, need

MIRROR = Path(__file__).parents[1] / ".tools/terraformrc"
"""Terraform's configuration that names a mirror; `.ci/tools` writes it where it finds one."""


def variables() -> dict[str, str]:
    """Return what Terraform has to be told by its environment."""
    told = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color"}
    return told | ({"TF_CLI_CONFIG_FILE": str(MIRROR)} if MIRROR.is_file() else {})


def terraform(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Terraform in *folder*, with more variables; without it the test is skipped."""
    told = os.environ | variables()
    if not Path(told.get("TF_CLI_CONFIG_FILE", "")).is_file():  # of a file that is gone Terraform complains
        told.pop("TF_CLI_CONFIG_FILE", None)
    command = [need("terraform"), f"-chdir={folder}", *arguments]
    return subprocess.run(command, check=False, capture_output=True, encoding="utf-8", env=told | dict(env or {}))


def init(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `terraform init`; where the provider can be had from nowhere, the test is skipped."""
    done = terraform(folder, "init", "-input=false", *arguments, env=env)
    if "Failed to query available provider packages" in done.stderr:
        lack("Terraform's providers can be had neither from their registry nor from a mirror (TF_CLI_CONFIG_FILE)")
    return done
