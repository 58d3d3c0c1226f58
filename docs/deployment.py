"""The guide's pages on deployment, made from the files of a generated project, whose commands are tested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.template.assembly import pieces_of
from tests.template.combinations import Combination, Template

PAGES = {
    "aws": ("Deploy on AWS", {"cloud": "aws"}),
    "gcp": ("Deploy on Google Cloud", {"cloud": "gcp"}),
    "azure": ("Deploy on Azure", {"cloud": "azure"}),
    "none": ("Deploy on any Kubernetes", {"cloud": "none"}),
    "sagemaker": ("Deploy on SageMaker", {"deploy": "managed", "cloud": "aws"}),
}
"""Each page with its title and the answers of its project, beside the defaults."""

_FENCE = re.compile(r"^( *```)(\w*)\n.*?^\1$\n?", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+(?= )", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)[^)]+\)")


def write_deployment(root: Path, folder: Path) -> None:
    """Write a page for each place that a service may run in into *folder*, from the template in *root*."""
    folder.mkdir(parents=True, exist_ok=True)
    template = Template(root)
    for name, (title, answers) in PAGES.items():
        (folder / f"{name}.md").write_text("\n".join(_page(template, title, answers)), "utf-8")


def _page(template: Template, title: str, answers: Mapping[str, str]) -> Iterator[str]:
    wanted = {"deploy": "kubernetes", "ci": "github", **answers}
    asked = next(each.asked for each in template.combinations if wanted.items() <= each.asked.items())
    combination = template.answer({**asked, "project_name": "churn"})
    given = " ".join(f"--set {name}={value}" for name, value in answers.items())
    yield f"# {title}\n"
    yield f"A project named `churn`, made with `{given}` and GitHub Actions. Other CI systems differ in the"
    yield "first step and in how variables are set; your project's own files say how.\n"
    texts = _texts(template, combination)
    if wanted["cloud"] != "none":
        yield _beneath(texts["infra/README.md"])
        yield _beneath(_section(texts["README.md"], "From push to production"), levels=0)
    if wanted["deploy"] == "kubernetes":
        yield _beneath(texts["deploy/components/cloud/README.md"])
    if wanted["deploy"] == "managed" or wanted["cloud"] == "none":
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
