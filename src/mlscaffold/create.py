"""Make a project: all of it beside its place first, then one rename. Or show what would be made."""

import contextlib
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlscaffold import draft, git, target, uv
from mlscaffold.draft import File, Step, Template, Warn
from mlscaffold.errors import AnswerError, TargetError, reason
from mlscaffold.render import render
from mlscaffold.source import Origin

_NAME = "project_name"

BETTER_DEFAULTS = {_NAME: "the last part of PATH", **draft.BETTER_DEFAULTS}
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
        template: an address or a path to take the template from, instead of this installation's own.
        ref: the template's version: a tag, a branch or a commit.
    """

    path: str
    answers: Mapping[str, Any]
    ask: bool = False
    lock: bool = True
    git: bool = True
    trace: bool = False
    template: str | None = None
    ref: str | None = None


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
    origin: Origin
    files: tuple[File, ...]
    locked: bool = False
    commit: str | None = None


def new(request: Request, step: Step, warn: Warn) -> Project:
    """Make a project.

    Raises:
        MlscaffoldError: it cannot be made; nothing was written.
    """
    with _ordered(request, step, warn) as order, target.staging(order.place.parent) as workspace:
        place = order.place
        project = order.drafted(workspace, warn)
        locked = request.lock and _lock(project.path, place, step, warn)
        commit = _commit(project.path, place, step, warn) if request.git else None
        target.put(project.path, place)
    return replace(project, path=place, locked=locked, commit=commit)


def preview(request: Request, step: Step, warn: Warn) -> Project:
    """Find out what `new` would make, and write nothing where it would.

    Raises:
        MlscaffoldError: `new` would refuse.
    """
    with (
        _ordered(request, step, warn) as order,
        tempfile.TemporaryDirectory(prefix="mlscaffold-") as elsewhere,
    ):
        return replace(order.drafted(Path(elsewhere), warn), path=order.place)


@dataclass(frozen=True)
class _Order:
    """A request that nothing speaks against so far, with all that is needed to render it."""

    request: Request
    place: Path
    template: Template

    def drafted(self, workspace: Path, warn: Warn) -> Project:
        """Render the project into a workspace, below a folder of its own: its name may be any."""
        folder = workspace / "project" / self.place.name
        try:
            self._render(folder, warn)
            answers = draft.finished(self.template, folder)
            draft.check_ci(answers, git.repository_around(self.place.parent))
            layers = self._layers(workspace / "traced", answers) if self.request.trace else {}
        except OSError as error:
            raise TargetError(f"The project cannot be written: {reason(error)}.") from error
        return Project(folder, _command(folder), answers, self.template.origin, tuple(_files(folder, layers)))

    def _render(self, folder: Path, warn: Warn) -> None:
        def refused(error: AnswerError) -> None:
            if error.question != _NAME:
                return
            complaint = f"{self.place.name!r} cannot be the project's name: {error.message.removeprefix(f'{_NAME}: ')}"
            if not self.request.ask:
                raise AnswerError(f"{complaint} Or keep the folder and add --set {_NAME}=NAME.") from error
            warn(complaint)

        answers, ask = self.request.answers, self.request.ask
        # A question with an invalid default cannot be asked: before asking, only look at the answers.
        defaults = draft.settle(self.template, folder, answers, _proposals(self.place), refused, pretend=ask)
        if ask:
            draft.put(self.template, folder, answers, defaults, ask=True)

    def _layers(self, traced: Path, answers: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """The layers of each path: rendered once more, with layers that stay folders, named @layer."""
        marks = {layer: f"@{layer}" for layer in self.template.questionnaire.layers(answers)}
        render(self.template.root, traced, {**answers, **marks}, defaults={})
        layers = {}
        for path in traced.rglob("*"):
            parts = path.relative_to(traced).parts
            own = "/".join(part for part in parts if not part.startswith("@"))
            layers[own] = tuple(part[1:] for part in parts if part.startswith("@"))
        return layers


@contextlib.contextmanager
def _ordered(request: Request, step: Step, warn: Warn) -> Iterator[_Order]:
    place = target.check(request.path)
    with draft.template(request.template, request.ref, step, warn) as template:
        template.questionnaire.check(request.answers)
        yield _Order(request, place, template)


def _proposals(place: Path) -> dict[str, str]:
    ci = {draft.CI: draft.NO_CI} if git.repository_around(place.parent) else {}
    return {_NAME: place.name, **draft.proposals(place.parent), **ci}


def _files(project: Path, layers: Mapping[str, tuple[str, ...]]) -> Iterator[File]:
    for path in sorted(project.rglob("*")):
        if path.is_file():
            name = path.relative_to(project).as_posix()
            yield File(name, path.stat().st_size, layers.get(name, ()))


def _command(project: Path) -> str:
    scripts = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    return str(next(iter(scripts)))


def _lock(project: Path, place: Path, step: Step, warn: Warn) -> bool:
    workspace = uv.workspace_around(place.parent)
    if workspace:
        warn(f"{workspace} is a uv workspace, whose lock file is for its members: no uv.lock was written here.")
        return False
    try:
        with step("Locking the versions of all packages with uv"):
            uv.lock(project)
    except uv.UvError as error:
        warn(f"No uv.lock was written: {error}. `uv lock` in the project makes up for it.")
        (project / "uv.lock").unlink(missing_ok=True)
        return False
    return True


def _commit(project: Path, place: Path, step: Step, warn: Warn) -> str | None:
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
            commit = git.start(project)
    except git.GitError as error:
        warn(f"No repository was started: {error}.")
        shutil.rmtree(project / ".git", ignore_errors=True)
        return None
    if commit is None:
        warn(
            "Git does not know who you are, so nothing is committed yet: set user.name and user.email with"
            f" `git config --global`, then run `git commit -m '{git.FIRST_COMMIT}'` in the project."
        )
    return commit
