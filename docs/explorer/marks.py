"""The project's name, wherever a generated text holds it.

The page asks for a name. It cannot run Jinja, so the template is rendered once with a name that occurs nowhere else,
and each form of that name becomes one private character, which the page replaces by that form of the name typed in.
"""

from __future__ import annotations

import re

NAME = "Zqx_wvk Jbm"
"""Has a capital, an underscore and a blank, so that each form below is a different text."""

FORMS = {
    NAME: "\ue000",
    "Zqx\\_wvk Jbm": "\ue001",  # in Markdown, where an underscore is escaped
    "zqx-wvk-jbm": "\ue002",  # the distribution and the command
    "zqx_wvk_jbm": "\ue003",  # the package
}
"""Each form that a text may hold, and the character that stands for it; `page.js` knows the same four."""

_FORM = re.compile("|".join(map(re.escape, FORMS)))
_UNKNOWN_FORM = re.compile(r"zqx|wvk|jbm|[\ue000-\ue003]", re.IGNORECASE)


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
