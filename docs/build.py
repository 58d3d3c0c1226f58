"""Make the site, the guide and the explorer: `uv run python -m docs.build SITE`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.deployment import write_deployment
from docs.explorer import build as explorer
from docs.reference import write_reference
from mlscaffold.template.source import Origin

ROOT = Path(__file__).parents[1]


def build(site: Path) -> None:
    """Write the site into the folder *site*. A warning of Sphinx's, such as a dead link, is an error."""
    with tempfile.TemporaryDirectory() as scratch:
        pages = Path(scratch, "guide")
        shutil.copytree(ROOT / "docs/guide", pages)
        write_reference(ROOT, pages / "reference")
        write_deployment(ROOT, pages / "deploy")
        sphinx = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--builder", "html"]
        subprocess.run([*sphinx, "--doctree-dir", Path(scratch, "doctrees"), pages, site], check=True)
    explorer.build(site / "explorer/index.html", ROOT, Origin.of(ROOT))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m docs.build SITE")
    build(Path(sys.argv[1]))
