"""A package index of the wheels on this machine, for what PyPI has in another build: PyTorch without CUDA."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

NAME = "pytorch-cpu"
"""What the template calls the index of PyTorch's own."""


def make_index(folder: Path) -> str | None:
    """Write an index of the wheels of PyTorch below PIP_FIND_LINKS, as UV_INDEX takes it; None if there are none."""
    wheels = sorted(Path(os.environ.get("PIP_FIND_LINKS") or folder).glob("torch-*.whl"))
    if not wheels:
        return None
    page = folder / "torch/index.html"
    page.parent.mkdir(parents=True)
    links = [f'<a href="{wheel.resolve().parent.as_uri()}/{quote(wheel.name)}">{wheel.name}</a>' for wheel in wheels]
    page.write_text(f"<!doctype html><html><body>{''.join(links)}</body></html>", "utf-8")
    return f"{NAME}={folder.as_uri()}"
