"""Make the site, the guide and the explorer: `uv run python -m docs.build SITE`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
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
        write_llms(pages, site)
    explorer.build(site / "explorer/index.html", ROOT, Origin.of(ROOT))


def write_llms(pages: Path, site: Path) -> None:
    """Write what coding agents read: the pages as Markdown beside those for people, and `llms.txt`, which lists them.

    Its form is that of llmstxt.org: a title, a summary as a quotation, and lists of links below second headings.
    """
    for page in pages.rglob("*.md"):
        shutil.copy(page, site / page.relative_to(pages))
    title, summary, *rest = (pages / "index.md").read_text("utf-8").partition("```{toctree}")[0].split("\n\n")
    items = re.split(r"^- ", "\n".join(part for part in rest if part.startswith("- ")), flags=re.MULTILINE)[1:]
    links = "\n".join(line for item in items for line in _links_of(" ".join(item.split()), pages))
    (site / "llms.txt").write_text(f"{title}\n\n> {' '.join(summary.split())}\n\n## Guide\n\n{links}\n", "utf-8")


def _links_of(item: str, pages: Path) -> Iterator[str]:
    """Yield a list item of the start page as one for each link; several are called as their pages are."""
    item = re.sub(r'<a href="(.+?)">(.+?)</a>', r"[\2](\1)", item)
    links = re.findall(r"\]\((.+?)\)", item)
    if len(links) == 1:
        yield f"- {item}"
        return
    for link in links:
        title = (pages / link).read_text("utf-8").partition("\n")[0].removeprefix("# ")
        yield f"- [{title}]({link})"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m docs.build SITE")
    build(Path(sys.argv[1]))
