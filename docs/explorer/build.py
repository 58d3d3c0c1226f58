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
from mlscaffold.template.source import Origin

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SCRIPTS = ("diff.js", "zip.js", "page.js")


def build(page: Path, root: Path, origin: Origin) -> dict[str, Any]:
    """Write the page for the template in *root* to *page*, and return the data that it holds."""
    data = collect(root, origin)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    parts = {
        "style": (HERE / "page.css").read_text("utf-8"),
        "script": "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS),
        # Packed here and not left to the server: from a disk nobody else would do it. The same input, the same page.
        "data": base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode(),
    }
    html = (HERE / "page.html").read_text("utf-8")
    for name, part in parts.items():
        html = html.replace(f"<!-- {name} -->", part)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html, "utf-8")
    return data


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
