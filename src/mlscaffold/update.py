"""Take a project to another version of its template, or to other answers: tried in a scratch repository first.

`plan` finds out all that would change and touches nothing; `journal.apply` does it.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlscaffold import history, journal, project, questions, render, source, verdicts
from mlscaffold.draft import Step, Warn
from mlscaffold.errors import AnswerError, LossError, ProjectError, TemplateError
from mlscaffold.project import ANSWERS_FILE, Project, Repository
from mlscaffold.scratch import Scratch, check_kinds
from mlscaffold.verdicts import File


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: the project's folder; None for the one around the current folder.
        answers: answers to change, by the names of their questions.
        version: the version to go to; None for the newest.
        stay: whether to keep the project's version, whatever `version` says.
        template: an address or a path to take the template from, instead of what is embedded or recorded.
        ask: whether to ask new questions in the terminal; else they take their defaults.
    """

    path: str | None
    answers: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    stay: bool = False
    template: str | None = None
    ask: bool = False


@dataclass(frozen=True)
class Plan:
    """What an update would do.

    Attributes:
        project: the project as it is.
        repository: where it lies.
        old: the version that it is at, as recorded.
        new: the version that it goes to.
        answers: the answers that it will record.
        new_answers: those of them whose questions are new to it.
        files: the verdict on each file, sorted by path.
        stages: mode, hash and stage of each side of each conflict, by path.
        change: what is to be applied.
        scratch: the repository where it was tried.
    """

    project: Project
    repository: Repository
    old: str
    new: str
    answers: Mapping[str, Any]
    new_answers: Mapping[str, Any]
    files: Sequence[File]
    stages: Mapping[str, Sequence[tuple[str, str, int]]]
    change: journal.Change
    scratch: Scratch

    @property
    def conflicts(self) -> list[str]:
        """Paths of files that the user will have to resolve."""
        return sorted(self.stages)

    @property
    def losses(self) -> list[File]:
        """Files whose edits would only be in git's history afterwards."""
        return [file for file in self.files if file.verdict.loses_edits]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.change.before == self.change.after

    def text(self) -> str:
        """The difference, for people."""
        return self.scratch.patch(self.change.before, self.change.after, binary=False).decode("utf-8", "replace")

    def refuse_losses(self) -> None:
        """Raise LossError if edits would be lost."""
        if self.losses:
            paths = ", ".join(file.path for file in self.losses)
            raise LossError(
                f"Edits of yours would be lost, in {paths}; nothing was changed. Look at them with --dry-run --diff,"
                " save what you need, then add --accept-removals."
            )

    def apply(self, *, accept_losses: bool) -> None:
        """Do it, all or nothing.

        Raises:
            LossError: edits would be lost, and nobody has said that they may.
            ProjectError: the project has changed since, or something is in the way.
        """
        if not accept_losses:
            self.refuse_losses()
        project.check_clean(self.project.root, self.repository)
        journal.apply(self.repository, self.scratch, self.change, self.stages)


@contextlib.contextmanager
def planned(request: Request, step: Step, warn: Warn) -> Iterator[Plan]:
    """Find out what an update would do; the plan can be applied while this is open.

    Raises:
        MlscaffoldError: it cannot be done; nothing was touched.
    """
    found = project.find(request.path)
    repository = project.repository(found.root)
    recovered = journal.recover(repository)
    if recovered:
        warn(recovered)
        found = project.find(str(found.root))
    project.check_clean(found.root, repository)
    project.check_recorded(found, repository)
    with tempfile.TemporaryDirectory(prefix="mlscaffold-", ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        with step("Looking at the template's versions"):
            past = history.opened(found.url, workspace, request.template)
            versions = _Versions.of(found, past, request)
        if past.url and history.is_own(past.url) and not request.template:
            _confess(warn)
        yield _plan(found, repository, versions, request, workspace, step, warn)


@dataclass(frozen=True)
class _Versions:
    """Which two versions are meant, as hashes, and how the second is given to Copier."""

    past: history.History
    old: str
    new: str

    @classmethod
    def of(cls, found: Project, past: history.History, request: Request) -> "_Versions":
        old = past.known(found.commit, found.url)
        wanted = found.commit if request.stay else (request.version or past.newest)
        new = past.commit(wanted)
        if new is None:
            raise ProjectError(
                f"There is no version {wanted} of the template here; `mlscaffold status` tells what there is."
            )
        if new != old and past.contains(old, new):
            if request.version:
                raise ProjectError(
                    f"The project is at {found.commit}, which is newer than {wanted}: there is no way back but git's."
                )
            if request.template or (past.url and history.is_own(past.url)):
                raise ProjectError(
                    f"The project comes from a newer release ({found.commit}) than this one has"
                    f" ({past.describe(new)}): upgrade mlscaffold."
                )
            new = old  # made from what its template will release next
        return cls(past, old, new)


def _plan(
    found: Project,
    repository: Repository,
    versions: _Versions,
    request: Request,
    workspace: Path,
    step: Step,
    warn: Warn,
) -> Plan:
    past = versions.past
    new_template = past.check_out(versions.new, workspace / "new-template")
    if versions.old == versions.new:
        old_template = new_template
    else:
        old_template = past.check_out(versions.old, workspace / "old-template")
    new_version = past.describe(versions.new)
    questionnaire = questions.read(new_template)
    answers = _answers(found, new_template, questionnaire, new_version, request, workspace)
    with step("Trying the update"):
        scratch = Scratch.of(repository, found.root.name, workspace)
        pristine = _Pristine(scratch, workspace, found)
        try:
            with history.redirected(past):
                render.update(scratch.root, answers, versions.new)
        except AnswerError as error:
            raise _explained(error, found, request, new_version) from error
        except (TemplateError, OSError, AssertionError):  # what Copier makes of a file where it wants a folder
            made = pristine.tree(new_template, answers, "new")
            check_kinds(scratch.files(scratch.head), scratch.files(made))
            raise
        stages = scratch.stages()
        after = scratch.take(scratch.root, "after")
        recorded = questions.read_answers(scratch.root / ANSWERS_FILE)
        _check_kept(found, recorded, new_template, questionnaire, request, new_version)
        old = pristine.tree(old_template, {}, "old")
        trees = verdicts.Trees(old, scratch.head, after, lambda: pristine.tree(new_template, answers, "new"))
    in_the_way = [
        path for path in scratch.files(after).keys() - scratch.files(scratch.head).keys() if _there(found.root / path)
    ]
    files = list(verdicts.judge(scratch, trees, stages, in_the_way))
    for path in in_the_way:
        stages.pop(path, None)
    change = journal.Change(scratch.head, scratch.without(after, in_the_way, scratch.head))
    fresh = {name: value for name, value in recorded.items() if name not in found.answers}
    return Plan(found, repository, found.commit, new_version, recorded, fresh, files, stages, change, scratch)


@dataclass(frozen=True)
class _Pristine:
    """What templates make of a project's answers, untouched."""

    scratch: Scratch
    workspace: Path
    project: Project

    def tree(self, template: Path, answers: Mapping[str, Any], name: str) -> str:
        """The tree of a render with the recorded answers, or with some of them changed."""
        folder = self.workspace / "renders" / name / self.project.root.name
        return self.scratch.take(pristine(self.project, template, answers, folder), name)


def pristine(found: Project, template: Path, answers: Mapping[str, Any], folder: Path) -> Path:
    """Render a template with a project's answers, some of them changed, into a folder and return it."""
    folder.mkdir(parents=True)
    (folder / ANSWERS_FILE).write_bytes((found.root / ANSWERS_FILE).read_bytes())
    origin = {"_src_path": found.url, "_commit": found.commit}
    render.render(template, folder, {**answers, "mlscaffold_origin": origin}, defaults={}, again=True)
    return folder


def _answers(
    found: Project,
    template: Path,
    questionnaire: questions.Questionnaire,
    version: str,
    request: Request,
    workspace: Path,
) -> dict[str, Any]:
    """The answers that change and, if they are asked for, those to new questions."""
    try:
        questionnaire.check(request.answers)
    except AnswerError as error:
        if request.stay:
            raise AnswerError(
                f"{error.message} (At version {version}, which the project is at; `mlscaffold update --set` takes newer"
                " ones.)"
            ) from error
        raise
    for name, value in found.answers.items():
        if name in questionnaire.questions and name not in request.answers:
            try:
                questionnaire.questions[name].check(value)
            except AnswerError as error:
                raise _outdated(name, value, version, error.message) from error
    everything = {**found.answers, **request.answers}
    if not request.ask or all(question.name in everything for question in questionnaire.asked):
        return dict(request.answers)
    asked = workspace / "asked" / found.root.name
    try:
        render.render(template, asked, everything, defaults={}, ask=True)
    except AnswerError as error:
        raise _explained(error, found, request, version) from error
    given = questions.read_answers(asked / ANSWERS_FILE)
    return {**request.answers, **{name: value for name, value in given.items() if name not in everything}}


def _check_kept(
    found: Project,
    recorded: Mapping[str, Any],
    template: Path,
    questionnaire: questions.Questionnaire,
    request: Request,
    version: str,
) -> None:
    """Insist that the recorded answers were taken: Copier replaces one that is not valid any more by the default."""
    for name, value in found.answers.items():
        replaced = name in recorded and name not in request.answers and recorded[name] != value
        if replaced and name in questionnaire.questions:
            try:  # it has been decided; this is only to learn why
                render.render(
                    template,
                    template.parent / "checked",
                    {**found.answers, **request.answers},
                    defaults={},
                    pretend=True,
                )
            except AnswerError as error:
                raise _outdated(name, value, version, error.message) from error
            raise _outdated(name, value, version, f"It would become {recorded[name]}.")


def _explained(error: AnswerError, found: Project, request: Request, version: str) -> AnswerError:
    name = error.question
    if name is not None and name in found.answers and name not in request.answers:
        return _outdated(name, found.answers[name], version, error.message)
    return error


def _outdated(name: str, value: object, version: str, reason: str) -> AnswerError:
    return AnswerError(
        f"The recorded answer {name}: {value} is no longer accepted by version {version} of the template. {reason}"
        f" Choose with --set {name}=VALUE; nothing was changed.",
        question=name,
    )


def _confess(warn: Warn) -> None:
    template = source.find()
    if (template / ".git").exists() and source.Origin.of(template).modified:
        warn("The template's folder has changes that are not committed; they are no part of this.")


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
