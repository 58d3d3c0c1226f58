"""Make a project: all of it beside its place first, then one rename. Or show what would be made."""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from mlscaffold import checks, git, questions, source, target, uv
from mlscaffold.errors import AnswerError, TargetError, reason
from mlscaffold.render import render

_NAME = "project_name"
_CI = "ci"
_NO_CI = "none"
_OF_GIT = {"author_name": "name", "author_email": "email"}

BETTER_DEFAULTS = {
    _NAME: "the last part of PATH",
    **{name: f"git's user.{key}" for name, key in _OF_GIT.items()},
    _CI: f"{_NO_CI} inside another repository",
}
"""Questions whose default is one that the template cannot know, each with where it comes from."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: where the project goes; its last part is the default of the project's name.
        answers: answers given beforehand, by the names of their questions.
        ask: whether to ask for the others in the terminal; else they take their defaults.
        lock: whether to write uv.lock.
        git: whether to start a repository.
        trace: whether to find out which layers each file comes from, which costs a second render.
    """

    path: str
    answers: Mapping[str, Any]
    ask: bool = False
    lock: bool = True
    git: bool = True
    trace: bool = False


@dataclass(frozen=True)
class File:
    """One file of a project: its path with forward slashes, its size in bytes, and the layers that it comes from.

    No layers: it is part of every project, or nobody asked.
    """

    path: str
    size: int
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """What was made, or would be.

    Attributes:
        path: its folder, absolute.
        command: the command that it installs.
        answers: the answers that it records, defaults included.
        origin: where its template comes from.
        files: all files, sorted by path.
        locked: whether it has a uv.lock.
        commit: its first commit; None if there is none.
    """

    path: Path
    command: str
    answers: Mapping[str, Any]
    origin: source.Origin
    files: tuple[File, ...]
    locked: bool = False
    commit: str | None = None


Step = Callable[[str], AbstractContextManager[object]]
"""Shows what is being done while it is being done."""

Warn = Callable[[str], None]
"""Tells, in one sentence, what was left out and what to do about it."""


def new(request: Request, step: Step, warn: Warn) -> Project:
    """Make a project.

    Raises:
        MlscaffoldError: it cannot be made; nothing was written.
    """
    order = _Order.of(request)
    place = order.place
    with target.staging(place.parent) as workspace:
        draft = order.draft(workspace, warn)
        locked = request.lock and _lock(draft.path, place, step, warn)
        commit = _commit(draft.path, place, step, warn) if request.git else None
        target.put(draft.path, place)
    return replace(draft, path=place, locked=locked, commit=commit)


def preview(request: Request, warn: Warn) -> Project:
    """Find out what `new` would make, and write nothing where it would.

    Raises:
        MlscaffoldError: `new` would refuse.
    """
    order = _Order.of(request)
    with tempfile.TemporaryDirectory(prefix="mlscaffold-") as elsewhere:
        return replace(order.draft(Path(elsewhere), warn), path=order.place)


@dataclass(frozen=True)
class _Order:
    """A request that nothing speaks against so far, with all that is needed to render it."""

    request: Request
    place: Path
    template: Path
    questionnaire: questions.Questionnaire
    origin: source.Origin

    @classmethod
    def of(cls, request: Request) -> Self:
        place = target.check(request.path)
        template = source.find()
        questionnaire = questions.read(template)
        questionnaire.check(request.answers)
        return cls(request, place, template, questionnaire, source.Origin.of(template))

    def draft(self, workspace: Path, warn: Warn) -> Project:
        """Render the project into a workspace, below a folder of its own: its name may be any."""
        folder = workspace / "project" / self.place.name
        try:
            self._render(folder, warn)
            _settle_modes(folder)
            answers = questions.read_answers(folder / self.questionnaire.answers_file)
            _check_ci(answers, self.place)
            layers = self._layers(workspace / "traced", answers) if self.request.trace else {}
        except OSError as error:
            raise TargetError(f"The project cannot be written: {reason(error)}.") from error
        checks.check(folder)
        if self.origin.modified:
            warn(f"The template has changes that are not in {self.origin.commit}, which is what the project records.")
        if self.origin.modified is None:
            warn(f"Without git nobody can tell whether the template has changed since {self.origin.commit[:10]}.")
        return Project(folder, _command(folder), answers, self.origin, tuple(_files(folder, layers)))

    def _render(self, folder: Path, warn: Warn) -> None:
        origin = {"_src_path": self.origin.url, "_commit": self.origin.commit}
        answers = {**self.request.answers, "mlscaffold_origin": origin}
        defaults = {name: value for name, value in _proposals(self.place).items() if name not in answers}
        while True:
            try:
                # A question with an invalid default cannot be asked: before asking, only look at the answers.
                render(self.template, folder, answers, defaults=defaults, pretend=self.request.ask)
                break
            except AnswerError as error:
                if error.question not in defaults:
                    raise
                if error.question == _NAME:
                    reason = error.message.removeprefix(f"{_NAME}: ")
                    complaint = f"{self.place.name!r} cannot be the project's name: {reason}"
                    if not self.request.ask:
                        raise AnswerError(f"{complaint} Or keep the folder and add --set {_NAME}=NAME.") from error
                    warn(complaint)
                del defaults[error.question]
        if self.request.ask:
            render(self.template, folder, answers, defaults=defaults, ask=True)

    def _layers(self, traced: Path, answers: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """The layers of each path: rendered once more, with layers that stay folders, named @layer."""
        marks = {layer: f"@{layer}" for layer in self.questionnaire.layers(answers)}
        render(self.template, traced, {**answers, **marks}, defaults={})
        layers = {}
        for path in traced.rglob("*"):
            parts = path.relative_to(traced).parts
            own = "/".join(part for part in parts if not part.startswith("@"))
            layers[own] = tuple(part[1:] for part in parts if part.startswith("@"))
        return layers


def _proposals(place: Path) -> dict[str, str]:
    known = git.identity(place.parent) if git.available() else {}
    of_git = {question: known[key] for question, key in _OF_GIT.items() if known.get(key)}
    ci = {_CI: _NO_CI} if git.repository_around(place.parent) else {}
    return {_NAME: place.name, **of_git, **ci}


def _check_ci(answers: Mapping[str, Any], place: Path) -> None:
    around = git.repository_around(place.parent)
    if around and answers.get(_CI, _NO_CI) != _NO_CI:
        raise AnswerError(
            f"{_CI}: CI reads the files of {around} only, so it would ignore those of a project inside: take"
            f" {_CI}={_NO_CI} here, and let the CI of that repository call the project's scripts.",
            _CI,
        )


def _settle_modes(project: Path) -> None:
    """Give files the modes that new files have here: a template that was installed read-only makes read-only files."""
    umask = os.umask(0o077)
    os.umask(umask)
    for path in project.rglob("*"):
        if path.is_file():
            path.chmod((0o777 if path.stat().st_mode & 0o111 else 0o666) & ~umask)


def _files(project: Path, layers: Mapping[str, tuple[str, ...]]) -> Iterator[File]:
    for path in sorted(project.rglob("*")):
        if path.is_file():
            name = path.relative_to(project).as_posix()
            yield File(name, path.stat().st_size, layers.get(name, ()))


def _command(project: Path) -> str:
    scripts = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    return str(next(iter(scripts)))


def _lock(draft: Path, place: Path, step: Step, warn: Warn) -> bool:
    workspace = uv.workspace_around(place.parent)
    if workspace:
        warn(f"{workspace} is a uv workspace, whose lock file is for its members: no uv.lock was written here.")
        return False
    try:
        with step("Locking the versions of all packages with uv"):
            uv.lock(draft)
    except uv.UvError as error:
        warn(f"No uv.lock was written: {error}. `uv lock` in the project makes up for it.")
        (draft / "uv.lock").unlink(missing_ok=True)
        return False
    return True


def _commit(draft: Path, place: Path, step: Step, warn: Warn) -> str | None:
    around = git.repository_around(place.parent)
    if around:
        warn(
            f"{around} is a repository already, so none was started inside it, and its CI is the one that has to call"
            " the project's scripts."
        )
        return None
    if not git.available():
        warn("There is no git on the PATH, so this is no repository yet, and updates need one.")
        return None
    try:
        with step("Committing to git"):
            commit = git.start(draft)
    except git.GitError as error:
        warn(f"No repository was started: {error}.")
        shutil.rmtree(draft / ".git", ignore_errors=True)
        return None
    if commit is None:
        warn(
            "Git does not know who you are, so nothing is committed yet: set user.name and user.email with"
            f" `git config --global`, then run `git commit -m '{git.FIRST_COMMIT}'` in the project."
        )
    return commit
