"""What the page knows of the samples: projects that `docs/samples.py` has run, each with the files that it left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from docs.explorer import highlight

FOLDER = Path(__file__).with_name("samples")
DESCRIPTION = "sample.json"
"""The file of a sample that says what was chosen, when it was run, and with which version."""
CARD = "artifacts/store/champion.md"
"""The file that is shown first."""
BELOW = 2
"""How many levels of headings the page has above those of a card."""

File = list[str]
"""``[path, text, runs of colours]``, ``[path, picture]``, or ``[path, text, "", HTML]`` of what is shown rendered."""


def read_samples() -> tuple[list[dict[str, Any]], dict[str, list[File]]]:
    """Return the samples, each as its description with its name, and the files of each by its name."""
    folders = sorted(path.parent for path in FOLDER.glob(f"*/{DESCRIPTION}"))
    described = [{"name": folder.name, **json.loads((folder / DESCRIPTION).read_text("utf-8"))} for folder in folders]
    return described, {folder.name: _read_files(folder) for folder in folders}


def _read_files(folder: Path) -> list[File]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != DESCRIPTION)
    return [_read(path.relative_to(folder).as_posix(), path.read_text("utf-8")) for path in paths]


def _read(path: str, text: str) -> File:
    match PurePosixPath(path).suffix:
        case ".svg":
            return [path, text]
        case ".md":
            return [path, text, "", render_card(path, text)]
    return [path, text, highlight.runs_of(highlight.classes_of(path, text))]


def render_card(path: str, text: str) -> str:
    """Return Markdown as HTML whose headings fit into the page, and whose pictures name files of the sample.

    Args:
        path: where the card lies in the sample, which its links are relative to.
        text: the card.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + BELOW, 6)}"
    parser.add_render_rule("image", _render_picture)
    rendered: str = parser.renderer.render(tokens, parser.options, {"folder": PurePosixPath(path).parent})
    return rendered


def _render_picture(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Mapping[str, PurePosixPath]
) -> str:
    """Leave it to the page to find the picture: it has the file."""
    token = tokens[index]
    picture = (env["folder"] / str(token.attrs["src"])).as_posix()
    return f'<img data-picture="{picture}" alt="{token.content}">'
