"""Answers made to break things, as Hypothesis strategies."""

from __future__ import annotations

import keyword
import sys

from hypothesis import strategies as st


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FRAGMENTS = (
    # Jinja, shells, formats
    *("{{ 7 * 7 }}", "{% raw %}", "{# x", "{{", "}}", "${{ github.token }}", "$(id)", "`id`", "$HOME", "%s", "%(x)s"),
    # Quotes and escapes
    *("'", '"', "''" + "'", '""' + '"', "\\", "\\n", "\\u0041", "\\ud83d", "/", "//", "<!--", "-->", "</script>"),
    # What YAML and TOML take for something else
    *_words("on off yes no null ~ true 1e3 0x1F 1_000 1:30 2026-01-01 NaN - -- &a *a !x | > %YAML --- ... @a # = , ;"),
    *("a: b", "- a", "? a", "!!python/object", " #", ": ", "[a]", "[[a]]", "{a}", "a = 1", " ", "  "),
    # Markdown
    *_words("*b* __b__ ~~b~~ [a](b) ![a](b) https://example.org <a@example.org> &amp; &#0; $a$ :tada: == ^a || <b>"),
    *("1. a", "+ a", "a | b", "    a", "> a", "# a", "a\\", "a  "),
    # Other alphabets, and characters that are several
    *_words("é ß İ Ω 中文 עברית हिन्दी 🚀 👩‍👩‍👧 🏳️‍🌈"),
    *("e\u0301", "\u0131", "\u017f", "\u212a", "\U0010ffff", "\U000e0041", "\U0001fffe", "\ue000"),
    # Characters that no one sees
    *("\t", "\n", "\r", "\0", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u2028", "\u202e", "\u200b", "\ufeff", "\ud800"),
)

_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),  # surrogates too, which a command line can pass
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=130),
    st.lists(st.sampled_from(_FRAGMENTS) | st.text(max_size=3), max_size=8).map("".join),
    st.lists(st.sampled_from(_FRAGMENTS), min_size=1, max_size=4).map(lambda parts: "a" + "".join(parts) + "z"),
    st.integers(70, 5000).map(lambda length: "long " * (length // 5)),
)

_EMAILS = st.one_of(
    st.just(""),
    st.emails(),
    st.from_regex(r"\A[A-Za-z0-9.!#$%&*+/=?^_{|}~'`\"\\-]{1,20}@[a-z0-9-]{1,9}(\.[a-z0-9-]{1,9}){0,2}\n?\Z"),
    _TEXTS,
)

_TAKEN = (
    *keyword.kwlist,
    *sorted(sys.stdlib_module_names),
    *_words("tests src numpy sklearn mlflow uv ruff python git con prn aux nul com1 lpt9 build dist"),
)
_CLUMSY = (
    *("..", "../x", "a/b", "a\\b", "/etc", "C:", "~", ".", "-", "_", "a.", ".a", "-a", "a-", "$a", "a b", "a__b"),
    *("a _b_ c", "a  b", "ab\n"),
)
_SPELLINGS = (str, str.upper, str.title, lambda name: name.replace("_", ". -"))

_NAMES = st.one_of(
    st.from_regex(r"\A[A-Za-z][A-Za-z0-9 ._-]{0,60}\Z"),
    st.from_regex(r"\A[A-Za-z0-9 ._-]{0,12}\n?\Z"),
    st.builds(lambda name, spell: spell(name), st.sampled_from(_TAKEN), st.sampled_from(_SPELLINGS)),
    st.sampled_from(_CLUMSY),
    st.lists(st.sampled_from(_CLUMSY + _FRAGMENTS), max_size=3).map("".join),
    _TEXTS,
)

ANSWERS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.fixed_dictionaries({"description": _TEXTS, "author_name": _TEXTS}),
    st.fixed_dictionaries({"author_email": _EMAILS}),
    st.fixed_dictionaries({"project_name": _NAMES}),
)
"""Answers to the free-text questions, of which many are to be accepted and many to be refused."""
