"""The project's name, wherever a generated text holds it.

The page asks for a name. It cannot run Jinja, so the template is rendered once with a name that occurs nowhere else,
and each form of that name becomes one private character, which the page replaces by that form of the name typed in.
"""

from __future__ import annotations

import re

NAME = "Zqx_wvk Jbm" + "zqxwvkjbm" * 2
"""Has a capital, an underscore and a blank, and is long, so that each form below is a different text."""

SLUG = "zqx-wvk-jbm" + "zqxwvkjbm" * 2
"""The distribution and the command."""

PACKAGE = SLUG.replace("-", "_")

FORMS = {
    NAME: "\ue000",
    NAME.replace("_", "\\_"): "\ue001",  # in Markdown, where an underscore is escaped
    SLUG: "\ue002",
    PACKAGE: "\ue003",
    SLUG[:24]: "\ue004",  # what clouds begin names with, which may not be long: on AWS,
    SLUG[:19]: "\ue005",  # on Google Cloud
    SLUG[:16]: "\ue006",  # and on Azure
}
"""Each form that a text may hold, the whole before its parts, and its character; `page.js` knows the same."""

_FORM = re.compile("|".join(map(re.escape, FORMS)))
_UNKNOWN_FORM = re.compile(r"zqx|wvk|jbm|[\ue000-\ue006]", re.IGNORECASE)


class UnknownFormError(Exception):
    """A text holds the name in a form that the page could not replace, or a character that stands for one."""


def mark(text: str) -> str:
    """Return *text* with each form of the name as its character. Raises :class:`UnknownFormError`."""
    return mark_with_classes(text, "." * len(text))[0]


def mark_with_classes(text: str, classes: str) -> tuple[str, str]:
    """Return *text* with each form of the name as its character, and the class of each character that is left.

    Args:
        text: what was rendered with :data:`NAME`.
        classes: one letter for each character of *text*.

    Raises:
        UnknownFormError: some form of the name is none of :data:`FORMS`.
    """
    marked, kept, at = [], [], 0
    for form in _FORM.finditer(text):
        marked += [text[at : form.start()], FORMS[form[0]]]
        kept += [classes[at : form.start()], classes[form.start()]]
        at = form.end()
    marked.append(text[at:])
    kept.append(classes[at:])
    if unknown := _UNKNOWN_FORM.search(_FORM.sub("", text)):
        raise UnknownFormError(f"the explorer does not know this form of the project's name: {unknown[0]!r}")
    return "".join(marked), "".join(kept)
