"""Take a project to another version of its template, or to other answers: found out first, and then done.

`open_plan` finds out all that would change and touches nothing; the plan's `apply` does it.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlscaffold.errors import AnswerError, ProjectError
from mlscaffold.project.answers import Project, find_project, read_keep, read_project
from mlscaffold.project.files import File, match_patterns
from mlscaffold.project.repository import (
    Repository,
    check_clean,
    check_kinds,
    check_recorded,
    is_in_the_way,
    open_repository,
)
from mlscaffold.project.scratch import Conflicts, Scratch
from mlscaffold.system.git import GitError
from mlscaffold.system.progress import Step, Warn
from mlscaffold.system.workspace import open_workspace
from mlscaffold.template.ask import Ask, ask_answers
from mlscaffold.template.history import History, clone_history, is_own
from mlscaffold.template.questions import read_questions
from mlscaffold.template.render import Answers, Template, asks_the_same, refuse_code, render, settle_answers
from mlscaffold.template.source import Origin, find_template
from mlscaffold.update.apply import Change, apply_change, recover
from mlscaffold.update.merge import Sides, merge_change
from mlscaffold.update.verdicts import judge_files


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: the project's folder; None for the one around the current folder.
        answers: answers to change, by the names of their questions.
        version: the version to go to; None for the newest.
        stay: whether to keep the project's version, whatever `version` says.
        template: an address or a path to take the template from, instead of what is embedded or recorded.
        ask: asks new questions in the terminal; None if they take their defaults.
    """

    path: str | None
    answers: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    stay: bool = False
    template: str | None = None
    ask: Ask | None = None


@dataclass(frozen=True)
class Plan:
    """What an update would do.

    Attributes:
        project: the project as it is.
        repository: where it lies.
        old: the version that it is at, as recorded.
        new: the version that it goes to.
        answers: the answers that it will record.
        files: the verdict on each file, sorted by path.
        conflicts: the sides of each conflict, by its path.
        change: what is to be applied.
        scratch: the repository where it was tried.
    """

    project: Project
    repository: Repository
    old: str
    new: str
    answers: Mapping[str, Any]
    files: Sequence[File]
    conflicts: Conflicts
    change: Change
    scratch: Scratch

    @property
    def new_answers(self) -> dict[str, Any]:
        """Those of the answers whose questions are new to the project."""
        return {name: value for name, value in self.answers.items() if name not in self.project.answers}

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.change.before == self.change.after and not self.conflicts

    def text(self) -> str:
        """The difference, for people."""
        return self.scratch.patch(self.change.before, self.change.after, binary=False).decode("utf-8", "replace")

    def apply(self) -> None:
        """Do it, all or nothing; ProjectError if the project has changed since, or something is in the way."""
        check_clean(self.project.root, self.repository)
        apply_change(self.repository, self.scratch, self.change, self.conflicts)


@contextlib.contextmanager
def open_plan(request: Request, step: Step, warn: Warn) -> Iterator[Plan]:
    """Find out what an update would do; the plan can be applied while this is open.

    Raises:
        MlscaffoldError: it cannot be done; nothing was touched.
    """
    found = find_project(request.path)
    repository = open_repository(found.root)
    recovered = recover(repository)
    if recovered:
        warn(recovered)
        found = read_project(found.root)
    check_clean(found.root, repository)
    check_recorded(found, repository)
    with open_workspace() as workspace:
        with step("Looking at the template's versions"):
            past = clone_history(found.url, workspace, request.template)
            versions = old, new = _choose_versions(found, past, request)
        if past.url and is_own(past.url) and not request.template:
            _warn_uncommitted_template(warn)
        scratch = Scratch.borrow(repository, workspace)
        if old == new and request.answers.items() <= found.answers.items():
            nothing = Change(scratch.head, scratch.head)
            yield Plan(found, repository, found.commit, found.commit, found.answers, (), {}, nothing, scratch)
            return
        trial = _Trial(found, repository, past, versions, request, workspace, scratch)
        templates = trial.read_templates()
        answers = trial.settle(templates[1])
        with step("Trying the update"):
            plan = trial.make_plan(*templates, answers)
        yield plan


def _choose_versions(found: Project, past: History, request: Request) -> tuple[str, str]:
    """The hashes of the version that the project is at, and of the one that it goes to."""
    old = past.find_recorded(found.commit, found.url)
    wanted = found.commit if request.stay else (request.version or past.newest)
    new = past.find_commit(wanted)
    if new is None:
        raise ProjectError(
            f"There is no version {wanted} of the template here; `mlscaffold status` tells what there is."
        )
    if new == old or past.contains(new, old):
        return old, new
    if request.version:
        how = "newer than" if past.contains(old, new) else "no ancestor of"
        raise ProjectError(
            f"The project is at {found.commit}, which is {how} {wanted}: to go back, revert the update's commit with"
            " git."
        )
    if past.contains(old, new) and not request.template and not (past.url and is_own(past.url)):
        return old, old  # made from what its template will release next
    raise ProjectError(
        f"The project comes from a newer release ({found.commit}) than this one has ({past.describe(new)}): upgrade"
        " mlscaffold."
    )


@dataclass(frozen=True)
class _Trial:
    """An update that is being tried."""

    project: Project
    repository: Repository
    past: History
    versions: tuple[str, str]
    request: Request
    workspace: Path
    scratch: Scratch

    def read_templates(self) -> tuple[Template, Template]:
        """The template at the project's version, and at the one that it goes to."""
        at, to = self.versions
        old = new = self._read_template(at, "old", self.project.commit)
        if at != to:
            new = self._read_template(to, "new", self.past.describe(to))
        if new.questionnaire.settings.get("_migrations"):
            raise refuse_code("migrations")
        return old, new

    def make_plan(self, old: Template, new: Template, settled: Answers) -> Plan:
        """Merge, and judge what comes out."""
        found, scratch = self.project, self.scratch
        same = not settled.given and asks_the_same(old, new)
        before = settled if same else settle_answers(old, found.root.name, {}, recorded=found.recorded)
        # What the new version leaves to the user is no longer the template's: it is not missing there.
        left = [str(pattern) for pattern in new.questionnaire.settings.get("_exclude") or ()]
        sides = Sides(
            scratch.files(self._render(old, before, "old-render", left)),
            scratch.files(self._render(new, settled, "new-render")),
            scratch.files(scratch.head),
        )
        check_kinds(sides.mine, sides.new)
        self._fetch_content(sides)
        is_kept, is_skipped = read_keep(found.root), match_patterns(settled.skipped)
        merge = merge_change(scratch, sides, lambda path, there: is_kept(path) or (there and is_skipped(path)))
        added = merge.files.keys() - sides.mine.keys()
        in_the_way = {path for path in added if is_in_the_way(found.root, path)}
        files = list(judge_files(sides, merge, in_the_way))
        after = scratch.write_tree({path: entry for path, entry in merge.files.items() if path not in in_the_way})
        conflicts = {path: stages for path, stages in merge.conflicts.items() if path not in in_the_way}
        return Plan(
            found, self.repository, found.commit, new.origin.commit, settled.answered,
            files, conflicts, Change(scratch.head, after), scratch,
        )  # fmt: skip

    def _read_template(self, commit: str, name: str, recorded: str) -> Template:
        root = self.past.check_out(commit, self.workspace / f"{name}-template")
        return Template(root, read_questions(root), Origin(self.project.url, recorded))

    def _render(self, template: Template, answers: Answers, name: str, exclude: Sequence[str] = ()) -> str:
        folder = self.workspace / name / answers.folder
        render(template, folder, answers, exclude)
        return self.scratch.take(folder)

    def settle(self, template: Template) -> Answers:
        """The project's answers, those that change, and those to new questions."""
        found, request, questions = self.project, self.request, template.questionnaire.questions
        self._check_answers(template)
        name, given = found.root.name, dict(request.answers)
        try:
            for recorded, value in found.answers.items():
                if recorded in questions and recorded not in given:
                    questions[recorded].check(value)
            known = {**found.answers, **given}
            if request.ask and any(question.name not in known for question in template.questionnaire.asked):
                known = {name: value for name, value in known.items() if name in questions}
                asked = ask_answers(template, settle_answers(template, name, known), (), request.ask)
                given |= {name: value for name, value in asked.answered.items() if name not in known}
            settled = settle_answers(template, name, given, recorded=found.recorded)
            for name, value in found.answers.items():
                if name in settled.answered and name not in given and settled.answered[name] != value:
                    # Copier replaces an answer that is not valid any more by the default; this is to learn why.
                    settle_answers(template, found.root.name, {**found.answers, **given})
                    raise AnswerError(f"It would become {settled.answered[name]}.", name)
        except AnswerError as error:
            name = error.question or ""
            if name in found.answers and name not in request.answers:
                raise AnswerError(
                    f"The recorded answer {name}: {found.answers[name]} is no longer accepted by version"
                    f" {template.origin.commit} of the template. {error.message} Choose with --set {name}=VALUE;"
                    " nothing was changed.",
                    name,
                ) from error
            raise
        return settled

    def _check_answers(self, template: Template) -> None:
        try:
            template.questionnaire.check(self.request.answers)
        except AnswerError as error:
            if self.request.stay:
                raise AnswerError(
                    f"{error.message} (At version {template.origin.commit}, which the project is at; `mlscaffold update"
                    " --set` takes newer ones.)"
                ) from error
            raise

    def _fetch_content(self, sides: Sides) -> None:
        """Insist that what is compared is here, and not only where this repository was cloned from."""
        edited = {entry.sha for path, entry in sides.mine.items() if path in sides.old and entry.kind == "10"}
        missing = edited - self.scratch.read_sizes(edited).keys()
        try:
            for sha in missing:
                self.repository.git.run("cat-file", "-e", sha)
        except GitError as error:
            raise ProjectError(
                f"This is a partial clone, and what is missing cannot be fetched: {error}. Fetch all of it with"
                " `git fetch --refetch --no-filter`."
            ) from error


def _warn_uncommitted_template(warn: Warn) -> None:
    template = find_template()
    if (template / ".git").exists() and Origin.of(template).modified:
        warn("The template's folder has changes that are not committed; they are no part of this.")
