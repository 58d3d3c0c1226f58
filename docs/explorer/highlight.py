"""Syntax colours, decided while the page is built, so that the page carries no highlighter."""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby
from pathlib import PurePosixPath

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Generic, Keyword, Literal, Name, Number, Operator, String
from pygments.util import ClassNotFound

PLAIN = "P"
_CLASSES = {
    Comment: "C",
    String.Doc: "C",
    String: "S",
    Keyword.Constant: "N",
    Number: "N",
    Keyword: "K",
    Operator.Word: "K",
    Name.Attribute: "F",
    Name.Class: "F",
    Name.Decorator: "F",
    Name.Function: "F",
    Name.Tag: "F",
    Generic.Heading: "F",
    Generic.Subheading: "F",
    Literal.Date: "N",
}
"""The letter of each kind of token; the page has a colour for each. Kinds inherit from those that they belong to."""

_LANGUAGES = {
    ".dockerignore": "text",
    ".editorconfig": "ini",
    ".gitattributes": "text",
    ".gitignore": "text",
    ".lock.hcl": "terraform",
    ".tf": "terraform",
    ".tfvars": "terraform",
    "CODEOWNERS": "text",
    "Dockerfile": "docker",
}
"""Endings that Pygments reads as another language, or not at all."""

_SECTION = re.compile(r"^(?=## )", re.MULTILINE)


def classes_of(path: str, text: str) -> str:
    """Return the class of each character of *text*, one letter each; the language is told by *path*.

    Markdown goes by sections: there are hundreds of READMEs, which share nearly all of theirs.
    """
    name = PurePosixPath(path).name
    parts = _SECTION.split(text) if name.endswith(".md") else [text]
    return "".join(_classes_of_part(name, part) for part in parts)


@cache
def _classes_of_part(name: str, text: str) -> str:
    classes = [PLAIN] * len(text)
    for start, token, value in _lexer_of(name).get_tokens_unprocessed(text):
        letter = next((_CLASSES[kind] for kind in reversed(token.split()) if kind in _CLASSES), PLAIN)
        classes[start : start + len(value)] = letter * len(value)
    return "".join(classes)


def runs_of(classes: str) -> str:
    """Return *classes* by length: ``K4P1F8`` for a keyword of 4 characters, 1 plain one and a name of 8.

    Lengths are in base 36, and plain characters at the end are left out.
    """
    runs = ((letter, sum(1 for _ in group)) for letter, group in groupby(classes.rstrip(PLAIN)))
    return "".join(letter + _base36(length) for letter, length in runs)


def _lexer_of(name: str) -> Lexer:
    language = next((language for ending, language in _LANGUAGES.items() if name.endswith(ending)), None)
    if language:
        return get_lexer_by_name(language)
    try:
        return get_lexer_for_filename(name)
    except ClassNotFound:
        return get_lexer_by_name("text")


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits
