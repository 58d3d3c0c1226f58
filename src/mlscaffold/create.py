"""Make a project: all of it beside its place first, then one rename. Or show what would be made."""

import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlscaffold.errors import AnswerError, TargetError, reason
from mlscaffold.project import place
from mlscaffold.project.files import File
from mlscaffold.system import git, uv
from mlscaffold.system.progress import Step, Warn
from mlscaffold.system.workspace import open_workspace
from mlscaffold.template.ask import Ask, ask_answers
from mlscaffold.template.choose import (
    NAME,
    check_ci,
    open_template,
    propose_answers,
    refuse_name,
    verify_render,
)
from mlscaffold.template.render import Answers, Template, render, settle_with_defaults, trace_layers
from mlscaffold.template.source import Origin


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        path: where the project goes; its last part is the default of the project's name.
        answers: answers given beforehand, by the names of their questions.
        ask: asks for the others in the terminal; None if they take their defaults.
        lock: whether to write uv.lock; None if only for a template of ours, as locking can run code of the project.
        git: whether to start a repository.
        trace: whether to find out which layers each file comes from, which costs a second render.
        template: an address or a path to take the template from, instead of this installation's own.
        ref: the template's version: a tag, a branch or a commit.
    """

    path: str
    answers: Mapping[str, Any]
    ask: Ask | None = None
    lock: bool | None = None
    git: bool = True
    trace: bool = False
    template: str | None = None
    ref: str | None = None


@dataclass(frozen=True)
class Product:
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


def create_project(order: Order, step: Step, warn: Warn) -> Product:
    """Make a project.

    Raises:
        MlscaffoldError: it cannot be made; nothing was written.
    """
    target = place.check_target(order.path)
    with (
        open_template(order.template, order.ref, step, warn) as template,
        place.open_staging(target.parent) as workspace,
    ):
        product = _draft(order, target, template, workspace, warn)
        locked = _lock(order, template, product.path, target, step, warn)
        commit = _commit(product.path, target, step, warn) if order.git else None
        place.move_project(product.path, target)
    return replace(product, path=target, locked=locked, commit=commit)


def preview_project(order: Order, step: Step, warn: Warn) -> Product:
    """Find out what `create_project` would make, and write nothing where it would.

    Raises:
        MlscaffoldError: it would refuse.
    """
    target = place.check_target(order.path)
    with open_template(order.template, order.ref, step, warn) as template, open_workspace() as workspace:
        return replace(_draft(order, target, template, workspace, warn), path=target)


def _draft(order: Order, target: Path, template: Template, workspace: Path, warn: Warn) -> Product:
    """Render the project into a workspace, below a folder of its own: its name may be any."""
    template.questionnaire.check(order.answers)
    folder = workspace / "project" / target.name
    around = git.find_repository(target.parent)
    try:
        settled = _settle(order, target, template, around, warn)
        render(template, folder, settled)
        answers = verify_render(template, folder)
        check_ci(answers, around)
        layers = trace_layers(template, settled) if order.trace else {}
    except OSError as error:
        raise TargetError(f"The project cannot be written: {reason(error)}.") from error
    return Product(folder, _read_command(folder), answers, template.origin, tuple(_list_files(folder, layers)))


def _settle(order: Order, target: Path, template: Template, around: Path | None, warn: Warn) -> Answers:
    def refuse(error: AnswerError) -> None:
        if error.question == NAME:
            cure = f"Or keep the folder and add --set {NAME}=NAME."
            refuse_name(error, target.name, cure, warn if order.ask else None)

    existing = next(folder for folder in target.parents if folder.is_dir())
    proposed = {NAME: target.name, **propose_answers(existing, around)}
    settled = settle_with_defaults(template, target.name, order.answers, proposed, refuse)
    return ask_answers(template, settled, [NAME], order.ask) if order.ask else settled


def _list_files(project: Path, layers: Mapping[str, tuple[str, ...]]) -> Iterator[File]:
    for path in sorted(project.rglob("*")):
        if path.is_file():
            name = path.relative_to(project).as_posix()
            yield File(name, size=path.stat().st_size, layers=layers.get(name, ()))


def _read_command(project: Path) -> str:
    scripts = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    return str(next(iter(scripts)))


def _lock(order: Order, template: Template, project: Path, target: Path, step: Step, warn: Warn) -> bool:
    if order.lock is False:
        return False
    if order.lock is None and not template.trusted:
        warn(
            "No uv.lock was written: locking can run code of the project, and its template is not ours. If you trust"
            " it, run `uv lock` in the project, or add --lock."
        )
        return False
    workspace = uv.find_workspace(target.parent)
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


def _commit(project: Path, target: Path, step: Step, warn: Warn) -> str | None:
    around = git.find_repository(target.parent)
    if around:
        warn(
            f"{around} is a repository already, so none was started inside it, and its CI is the one that has to call"
            " the project's scripts."
        )
        return None
    if not git.is_available():
        warn("There is no git on the PATH, so this is no repository yet, and updates need one.")
        return None
    try:
        with step("Committing to git"):
            commit = git.start_repository(project)
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
