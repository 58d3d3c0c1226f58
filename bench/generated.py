"""A generated project to be measured: made from the template of this work tree, installed, byte code included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = "churn"


class Project:
    """A project in a folder of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / ".venv" / "bin"
        # With PYTHONDONTWRITEBYTECODE Python would compile on every start, which is what one would measure then.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
        }

    @classmethod
    def make(cls, path: Path) -> Project:
        """Generate and install a project."""
        project = cls(path)
        options = ["--defaults", "--no-git", "--set", f"project_name={PACKAGE}"]
        project.run(sys.executable, "-m", "mlscaffold", "new", str(path), *options)
        project.run("uv", "sync", "--quiet", "--compile-bytecode", cwd=path)
        return project

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command to its end and return what it prints; show all of it if it fails."""
        done = subprocess.run(command, cwd=cwd, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def command(self, *arguments: str) -> list[str]:
        """Return the project's own command."""
        return [str(self.bin / PACKAGE), *arguments]
