"""A package index of the wheels on this machine, for what PyPI has in another build: PyTorch without CUDA."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from urllib.parse import quote

NAME = "pytorch-cpu"
"""What the template calls the index of PyTorch's own."""


def make_index(folder: Path) -> str | None:
    """Write an index of the wheels of PyTorch where pip looks, as UV_INDEX takes it; None if there are none."""
    wheels = sorted(Path(_find_links() or folder).glob("torch-*.whl"))
    if not wheels:
        return None
    page = folder / "torch/index.html"
    page.parent.mkdir(parents=True)
    links = [f'<a href="{wheel.resolve().parent.as_uri()}/{quote(wheel.name)}">{wheel.name}</a>' for wheel in wheels]
    page.write_text(f"<!doctype html><html><body>{''.join(links)}</body></html>", "utf-8")
    return f"{NAME}={folder.as_uri()}"


def _find_links() -> str:
    """Return the folder of wheels that pip is told of, by its environment or its files."""
    files = configparser.ConfigParser(interpolation=None)
    files.read(["/etc/pip.conf", Path.home() / ".config/pip/pip.conf"])
    return os.environ.get("PIP_FIND_LINKS", "") or files.get("global", "find-links", fallback="")
