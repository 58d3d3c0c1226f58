"""Which template a new project is made from, and what is insisted on before anybody sees what it made."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlscaffold.errors import AnswerError, TargetError, TemplateError, reason
from mlscaffold.system import git
from mlscaffold.system.progress import Step, Warn
from mlscaffold.system.workspace import open_workspace
from mlscaffold.template.checks import check_syntax
from mlscaffold.template.history import expand_address, fetch_template, hide_secret
from mlscaffold.template.questions import read_answers, read_questions
from mlscaffold.template.render import ANSWERS_FILE, Template
from mlscaffold.template.source import Origin, find_template

NAME = "project_name"
CI = "ci"
NO_CI = "none"
_OF_GIT = {"author_name": "name", "author_email": "email"}

BETTER_DEFAULTS = {
    NAME: "the last part of PATH",
    **{name: f"git's user.{key}" for name, key in _OF_GIT.items()},
    CI: f"{NO_CI} inside another repository",
}
"""Questions whose default is one that the template cannot know, each with where it comes from."""


@contextlib.contextmanager
def open_template(address: str | None, ref: str | None, step: Step, warn: Warn) -> Iterator[Template]:
    """The template of this installation as it lies there, or another one, or another version of it.

    Args:
        address: where the other one is: an address or a path that git can clone.
        ref: its version: a tag, a branch or a commit; the newest commit if there is only an address.
        step: shows that it is being fetched.
        warn: told about what the project does not record.

    Raises:
        TemplateError: it cannot be had, or is not made for this command.
    """
    if address is None and ref is None:
        root = find_template()
        origin = Origin.of(root)
        _warn_about_origin(origin, warn)
        yield Template(root, read_questions(root), origin, trusted=True)
        return
    with open_workspace() as workspace:
        with step("Fetching the template"):
            root, origin = fetch_template(address, ref, workspace)
        if address is not None and expand_address(address) is None:
            warn(
                f"The project records the folder {origin.url} as its template's address, which means nothing on other"
                " machines: before you share it, put the address of that repository after _src_path in its answers"
                " file."
            )
        if address is not None and hide_secret(address) != address:
            warn(
                f"The project records {origin.url}, without the password or token of the address that you gave: git"
                " will need it from a credential helper."
            )
        _warn_about_origin(origin, warn)
        yield Template(root, read_questions(root), origin, trusted=address is None)


def verify_render(template: Template, folder: Path) -> dict[str, Any]:
    """Check a rendered project, give its files the modes of new ones, and return the answers that it records.

    Raises:
        TemplateError: one of its files is broken, or it does not record where it comes from.
        TargetError: the disk is full, or the like.
    """
    try:
        _set_modes(folder)
    except OSError as error:
        raise TargetError(f"The project cannot be written: {reason(error)}.") from error
    check_syntax(folder)
    with contextlib.suppress(AnswerError):
        recorded = read_answers(folder / ANSWERS_FILE, with_origin=True)
        if (recorded.pop("_src_path", None), recorded.pop("_commit", None)) == (
            template.origin.url,
            template.origin.commit,
        ):
            return {name: value for name, value in recorded.items() if not name.startswith("_")}
    raise TemplateError(
        f"The template {template.origin.url} does not write mlscaffold_origin into {ANSWERS_FILE}, so its projects"
        " could not be updated; `copier copy` makes projects from any template."
    )


def propose_answers(folder: Path, around: Path | None) -> dict[str, str]:
    """Better defaults than the template's own.

    Args:
        folder: where the project is, or will be.
        around: the repository that it will be inside of, if there is one.
    """
    known = git.read_identity(folder) if git.is_available() else {}
    author = {question: known[key] for question, key in _OF_GIT.items() if known.get(key)}
    return {**author, **({CI: NO_CI} if around else {})}


def check_ci(answers: Mapping[str, Any], around: Path | None) -> None:
    """Raise AnswerError if a project inside a repository has a CI of its own, which nobody would read."""
    if around and answers.get(CI, NO_CI) != NO_CI:
        raise AnswerError(
            f"{CI}: CI reads the files of {around} only, so it would ignore those of a project inside: take"
            f" {CI}={NO_CI} here, and let the CI of that repository call the project's scripts.",
            CI,
        )


def refuse_name(error: AnswerError, name: str, cure: str, warn: Warn | None) -> None:
    """Refuse a name that was not given but read from a folder or a file.

    Args:
        error: what the template says about it.
        name: the name.
        cure: what to do about it, as a sentence.
        warn: told about it, where another one is asked for; None if that is an error.
    """
    complaint = f"{name!r} cannot be the project's name: {error.message.removeprefix(f'{NAME}: ')}"
    if warn is None:
        raise AnswerError(f"{complaint} {cure}", NAME) from error
    warn(complaint)


def _warn_about_origin(origin: Origin, warn: Warn) -> None:
    if origin.modified:
        warn(f"The template has changes that are not in {origin.commit}, which is what the project records.")


def _set_modes(folder: Path) -> None:
    """Give files the modes that new files have here: a template that was installed read-only makes read-only files."""
    umask = os.umask(0o077)
    os.umask(umask)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod((0o777 if path.stat().st_mode & 0o111 else 0o666) & ~umask)
