"""Write the explorer, one page without a server: `uv run python -m docs.explorer.build PAGE.html`."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docs.explorer.data import collect
from docs.explorer.samples import read_samples
from mlscaffold.template.source import Origin

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SCRIPTS = ("diff.js", "zip.js", "page.js")


def build(page: Path, root: Path, origin: Origin) -> dict[str, Any]:
    """Write the page for the template in *root* to *page*, and return the data that it holds."""
    samples, files = read_samples()
    data = {**collect(root, origin), "samples": samples}
    parts = {
        "style": (HERE / "page.css").read_text("utf-8"),
        "script": "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS),
        "data": _pack(data),
        "samples": _pack(files),  # by itself: it is unpacked when somebody asks for a sample
    }
    html = (HERE / "page.html").read_text("utf-8")
    for name, part in parts.items():
        html = html.replace(f"<!-- {name} -->", part)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html, "utf-8")
    return data


def _pack(content: object) -> str:
    """Return JSON, packed here and not left to the server: from a disk nobody else would do it.

    The same content always gives the same text.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def main(arguments: Sequence[str]) -> None:
    """Write the page to the path that is the only argument, and say what it holds."""
    if len(arguments) != 1:
        sys.exit("Usage: python -m docs.explorer.build PAGE.html")
    page = Path(arguments[0])
    data = build(page, ROOT, Origin.of(ROOT))
    print(
        f"{page}: {page.stat().st_size / 1000:.0f} KB, {len(data['combinations'])} projects,"
        f" {len(data['pieces'])} template files, {len(data['blobs'])} different texts"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
