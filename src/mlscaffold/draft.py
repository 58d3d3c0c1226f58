"""A project before it has a place: which template it is made from, and its files, rendered and checked."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlscaffold import checks, git, history, project, questions, source
from mlscaffold.errors import AnswerError, ProjectError, TargetError, TemplateError, reason
from mlscaffold.project import ANSWERS_FILE
from mlscaffold.questions import Questionnaire
from mlscaffold.render import render
from mlscaffold.source import Origin

CI = "ci"
NO_CI = "none"
_OF_GIT = {"author_name": "name", "author_email": "email"}

BETTER_DEFAULTS = {
    **{name: f"git's user.{key}" for name, key in _OF_GIT.items()},
    CI: f"{NO_CI} inside another repository",
}
"""Questions whose default is one that the template cannot know, each with where it comes from."""

Step = Callable[[str], AbstractContextManager[object]]
"""Shows what is being done while it is being done."""

Warn = Callable[[str], None]
"""Tells, in one sentence, what was left out and what to do about it."""


@dataclass(frozen=True)
class File:
    """One file of a project: its path with forward slashes, its size in bytes, and the layers that it comes from.

    No layers: it is part of every project, or nobody asked.
    """

    path: str
    size: int
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """What is rendered.

    Attributes:
        root: the folder of copier.yml.
        questionnaire: its questions.
        origin: what projects record about it.
    """

    root: Path
    questionnaire: Questionnaire
    origin: Origin


@contextlib.contextmanager
def template(address: str | None, ref: str | None, step: Step, warn: Warn) -> Iterator[Template]:
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
        root = source.find()
        yield _told(Template(root, questions.read(root), Origin.of(root)), warn)
        return
    with tempfile.TemporaryDirectory(prefix="mlscaffold-", ignore_cleanup_errors=True) as folder:
        with step("Fetching the template"):
            root, origin = history.fetched(address, ref, Path(folder))
        if address is not None and history.expand(address) is None:
            warn(
                f"The project records the folder {origin.url} as its template's address, which means nothing on other"
                " machines: before you share it, put the address of that repository after _src_path in its answers"
                " file."
            )
        yield _told(Template(root, questions.read(root), origin), warn)


def settle(
    chosen: Template,
    folder: Path,
    answers: Mapping[str, Any],
    defaults: Mapping[str, Any],
    refused: Callable[[AnswerError], None],
    *,
    pretend: bool = False,
) -> dict[str, Any]:
    """Render a template, without those of our better defaults that it does not take, and return the others.

    Args:
        chosen: what to render.
        folder: where to; absent or empty.
        answers: final answers.
        defaults: better defaults than the template's own.
        refused: told about each of them that the template does not take; it may raise.
        pretend: only look at the answers, write nothing.

    Raises:
        AnswerError: one of the answers is not valid.
        TemplateError: the template is broken.
    """
    left = {name: value for name, value in defaults.items() if name not in answers}
    while True:
        try:
            put(chosen, folder, answers, left, pretend=pretend)
            return left
        except AnswerError as error:
            if error.question not in left:
                raise
            refused(error)
            del left[error.question]


def put(
    chosen: Template,
    folder: Path,
    answers: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *,
    ask: bool = False,
    pretend: bool = False,
) -> None:
    """Render a template with its origin; the arguments and errors are those of `render`."""
    origin = {"_src_path": chosen.origin.url, "_commit": chosen.origin.commit}
    answers = {**answers, "mlscaffold_origin": origin}
    render(chosen.root, folder, answers, defaults=defaults, ask=ask, pretend=pretend)


def finished(chosen: Template, folder: Path) -> dict[str, Any]:
    """Check a rendered project, give its files the modes of new ones, and return the answers that it records.

    Raises:
        TemplateError: one of its files is broken, or it does not record where it comes from.
        TargetError: the disk is full, or the like.
    """
    try:
        _settle_modes(folder)
    except OSError as error:
        raise TargetError(f"The project cannot be written: {reason(error)}.") from error
    checks.check(folder)
    url = chosen.origin.url
    with contextlib.suppress(ProjectError):
        made = project.find(str(folder))
        if made.url == url:
            return dict(made.answers)
    raise TemplateError(
        f"The template {url} does not write mlscaffold_origin into {ANSWERS_FILE}, so its projects could not"
        " be updated; `copier copy` makes projects from any template."
    )


def proposals(folder: Path) -> dict[str, str]:
    """Better defaults than the template's own, for a project whose folder lies in the given one."""
    known = git.identity(folder) if git.available() else {}
    return {question: known[key] for question, key in _OF_GIT.items() if known.get(key)}


def check_ci(answers: Mapping[str, Any], around: Path | None) -> None:
    """Raise AnswerError if a project inside a repository has a CI of its own, which nobody would read."""
    if around and answers.get(CI, NO_CI) != NO_CI:
        raise AnswerError(
            f"{CI}: CI reads the files of {around} only, so it would ignore those of a project inside: take"
            f" {CI}={NO_CI} here, and let the CI of that repository call the project's scripts.",
            CI,
        )


def _told(chosen: Template, warn: Warn) -> Template:
    origin = chosen.origin
    if origin.modified:
        warn(f"The template has changes that are not in {origin.commit}, which is what the project records.")
    if origin.modified is None:
        warn(f"Without git nobody can tell whether the template has changed since {origin.commit[:10]}.")
    return chosen


def _settle_modes(folder: Path) -> None:
    """Give files the modes that new files have here: a template that was installed read-only makes read-only files."""
    umask = os.umask(0o077)
    os.umask(umask)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod((0o777 if path.stat().st_mode & 0o111 else 0o666) & ~umask)
