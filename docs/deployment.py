"""The guide's pages on deployment, made from the files of a generated project, whose commands are tested."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.template.assembly import pieces_of
from tests.template.combinations import Combination, Template

CLOUDS = {
    "aws": "Deploy on AWS",
    "gcp": "Deploy on Google Cloud",
    "azure": "Deploy on Azure",
    "none": "Deploy on any Kubernetes",
}
"""Each choice of `cloud`, with the title of its page."""

_FENCE = re.compile(r"^( *```)(\w*)\n.*?^\1$\n?", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+(?= )", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)[^)]+\)")


def write_deployment(root: Path, folder: Path) -> None:
    """Write a page for each cloud into *folder*, from the template in *root*."""
    folder.mkdir(parents=True, exist_ok=True)
    template = Template(root)
    for cloud, title in CLOUDS.items():
        (folder / f"{cloud}.md").write_text("\n".join(_page(template, cloud, title)), "utf-8")


def _page(template: Template, cloud: str, title: str) -> Iterator[str]:
    wanted = {"cloud": cloud, "deploy": "kubernetes", "ci": "github"}
    asked = next(each.asked for each in template.combinations if wanted.items() <= each.asked.items())
    combination = template.answer({**asked, "project_name": "churn"})
    yield f"# {title}\n"
    yield f"A project named `churn`, made with `--set cloud={cloud}` and GitHub Actions. Other CI systems differ in the"
    yield "first step and in how variables are set; your project's own files say how.\n"
    texts = _texts(template, combination)
    if cloud != "none":
        yield _beneath(texts["infra/README.md"])
        yield _beneath(_section(texts["README.md"], "From push to production"), levels=0)
    yield _beneath(texts["deploy/components/cloud/README.md"])
    if cloud == "none":
        yield _beneath(texts["deploy/README.md"])


def _texts(template: Template, combination: Combination) -> dict[str, str]:
    sources = {str(template.path_of(source, combination)): source for source, _ in pieces_of(template, combination)}
    return {
        path: template.render(template.text_of(source.path), combination.answers)
        for path, source in sources.items()
        if path.endswith("README.md")
    }


def _section(text: str, title: str) -> str:
    """Return a section of a text, with its heading, up to the next one."""
    _, heading, rest = text.partition(f"## {title}\n")
    return heading + rest.partition("\n## ")[0]


def _beneath(text: str, levels: int = 1) -> str:
    """Return a text as a part of a page: its headings lower, without diagrams, and without links into the project."""
    parts, at = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_lower(text[at : fence.start()], levels), "" if fence[2] == "mermaid" else fence[0]]
        at = fence.end()
    return "".join([*parts, _lower(text[at:], levels)])


def _lower(text: str, levels: int) -> str:
    return _LINK.sub(r"\1", _HEADING.sub(lambda heading: heading[0] + "#" * levels, text))
