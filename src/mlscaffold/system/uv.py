"""All that is asked of uv: a project's lock file, and how the user can call it."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from mlscaffold.errors import reason

# Meant for another project than the one to be locked.
_OF_THE_CALLER = ("UV_FROZEN", "UV_LOCKED", "UV_PROJECT", "UV_WORKING_DIR", "VIRTUAL_ENV")
_NO_NETWORK = re.compile(r"failed to fetch|error sending request|network was disabled|network is disabled", re.I)
_HOST = re.compile(r"failed to fetch: `?https?://([^/\s]+)", re.I)


class UvError(Exception):
    """Uv could not lock; the text says why, without a full stop."""


def lock(project: Path) -> None:
    """Write a project's uv.lock, with the Python that runs this; raise UvError if uv cannot."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_CALLER}
    environment.setdefault("UV_HTTP_RETRIES", "1")  # three of them take ten seconds to find out that we are offline
    try:
        done = subprocess.run(
            [_find_binary(), "lock", "--quiet", "--python", sys.executable],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UvError(f"uv cannot be run ({reason(error)})") from error
    if done.returncode == 0:
        return
    if _NO_NETWORK.search(done.stderr):
        host = _HOST.search(done.stderr)
        which = f"the package index at {host[1]} cannot" if host else "no package index can"
        raise UvError(f"{which} be reached")
    said = (line.strip(" ×│├╰─▶").removeprefix("error: ").removeprefix("cause: ") for line in done.stderr.splitlines())
    raise UvError(": ".join([line.rstrip(".") for line in said if line][:2]) or f"uv ended with {done.returncode}")


def find_workspace(folder: Path) -> Path | None:
    """The root of the uv workspace that a folder lies in, whose lock file is the one for all of its members."""
    for place in (folder, *folder.parents):
        try:
            content = tomllib.loads((place / "pyproject.toml").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if "workspace" in content.get("tool", {}).get("uv", {}):
            return place
    return None


def find_command() -> str:
    """What the user types for uv in the shell that they came from: "uv" if it is on their PATH, else its full path.

    Where there is none at all, it is "uv" too: the word to look for.
    """
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    started_by = os.environ.get("UV")  # set by `uv run`, which also puts folders before the user's PATH
    if started_by:
        for folder in (os.environ.get("VIRTUAL_ENV"), sys.prefix, sys.base_prefix):
            scripts = folder and sysconfig.get_path("scripts", vars={"base": folder})
            if scripts in path:
                path.remove(scripts)
    if shutil.which("uv", path=os.pathsep.join(path)):
        return "uv"
    try:
        return started_by or _find_binary()
    except FileNotFoundError:
        return "uv"


def _find_binary() -> str:
    from uv import find_uv_bin

    return find_uv_bin()
