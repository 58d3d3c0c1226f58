"""How a project differs from its template: how far behind it is, what was edited, what is left to repair."""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mlscaffold.errors import ProjectError
from mlscaffold.project.answers import Project, find_project, read_keep, read_project
from mlscaffold.project.repository import list_rejects, list_unmerged, locate_file, open_repository
from mlscaffold.project.scratch import Scratch
from mlscaffold.system.git import find_repository
from mlscaffold.system.progress import Step, Warn
from mlscaffold.system.workspace import open_workspace
from mlscaffold.template.history import History, clone_history
from mlscaffold.template.questions import read_questions
from mlscaffold.template.render import ANSWERS_FILE, Answers, Template, render, settle_answers, trace_layers
from mlscaffold.template.source import Origin
from mlscaffold.update.apply import recover

_CONFLICT = re.compile(rb"^<{7} .*?^={7}\r?$.*?^>{7} ", re.MULTILINE | re.DOTALL)
_CORE = re.compile(r"(src/[^/]+|tests)/core/")


class State(StrEnum):
    """How a file differs from what the template makes of the project's answers."""

    EDITED = "edited"
    DELETED = "deleted"
    RESTORED = "restored"


MEANING = {
    State.EDITED: "yours",
    State.DELETED: "you deleted it",
    State.RESTORED: "belongs to an option that the project has not chosen",
}


@dataclass(frozen=True)
class Status:
    """What is known about a project.

    Attributes:
        project: what it says about itself.
        newest: the newest version of its template.
        releases: the releases that it has not got, oldest first.
        commits: the number of commits that it has not got, of those that touch the template.
        files: path and state of each file that differs, sorted by path.
        core: those of them that lie in the folders which are the template's; None if there are no such folders.
        conflicts: paths of files with conflicts that nobody has resolved.
        rejects: paths of .rej files.
    """

    project: Project
    newest: str
    releases: Sequence[str]
    commits: int
    files: Sequence[tuple[str, State]]
    core: Sequence[str] | None
    conflicts: Sequence[str]
    rejects: Sequence[str]

    @property
    def broken(self) -> bool:
        """Whether something must be repaired by hand."""
        return bool(self.conflicts or self.rejects)

    @property
    def behind(self) -> bool:
        """Whether there is something to update to."""
        return self.commits > 0


def read_status(path: str | None, template: str | None, step: Step, warn: Warn) -> Status:
    """Look at a project and change nothing, but for what a killed update has left: that is put back first.

    Raises:
        MlscaffoldError: there is no project, or its template cannot be had.
    """
    with _open_view(path, template, step, warn) as view:
        root = view.project.root
        made = view.scratch.files(view.pristine)
        there = view.scratch.files(view.scratch.take_some(root, made))
        is_kept = read_keep(root)
        differing = (name for name in made if made[name] != there.get(name) and not is_kept(name))
        states = {name: State.EDITED if os.path.lexists(root / name) else State.DELETED for name in differing}
        others = trace_layers(view.template, view.answers, every=True).keys() - made.keys()
        states |= {name: State.RESTORED for name in others if (root / name).is_file()}
        states.pop(ANSWERS_FILE, None)
        edited = (name for name, state in states.items() if state is State.EDITED and (root / name).is_file())
        marked = [name for name in edited if _CONFLICT.search((root / name).read_bytes())]
        unmerged = list_unmerged(root) if find_repository(root) else []
        commits = view.past.count_commits(view.commit, view.newest)
        return Status(
            view.project,
            view.past.describe(view.newest),
            view.past.list_releases(view.commit, view.newest) if commits else [],
            commits,
            sorted(states.items()),
            sorted(filter(_CORE.match, states)) if any(map(_CORE.match, made)) else None,
            sorted({*marked, *unmerged}),
            list_rejects(view.project),
        )


def read_difference(path: str | None, file: str | None, template: str | None, step: Step, warn: Warn) -> str:
    """What the user has changed in the template's files, in one or in all: a patch from the template's to theirs.

    Raises:
        ProjectError: the file is not one of the template's.
        MlscaffoldError: there is no project, or its template cannot be had.
    """
    with _open_view(path, template, step, warn) as view:
        made = {name: entry for name, entry in view.scratch.files(view.pristine).items() if name != ANSWERS_FILE}
        paths = [] if file is None else [locate_file(view.project.root, file)]
        if paths and paths[0] not in made:
            raise ProjectError(f"{file} is not a file that the template makes of this project's answers.")
        actual = view.scratch.take_some(view.project.root, made)
        patch = view.scratch.patch(view.scratch.write_tree(made), actual, *paths, binary=False)
        return patch.decode("utf-8", "replace")


@dataclass(frozen=True)
class _View:
    """A project beside what the template makes of its answers."""

    project: Project
    past: History
    commit: str
    newest: str
    template: Template
    answers: Answers
    scratch: Scratch
    pristine: str


@contextlib.contextmanager
def _open_view(path: str | None, template: str | None, step: Step, warn: Warn) -> Iterator[_View]:
    found = find_project(path)
    if find_repository(found.root):
        recovered = recover(open_repository(found.root))
        if recovered:
            warn(recovered)
            found = read_project(found.root)
    with open_workspace() as workspace:
        with step("Looking at the template's versions"):
            past = clone_history(found.url, workspace, template)
            commit = past.find_recorded(found.commit, found.url)
            newest = past.find_commit(past.newest) or commit
            root = past.check_out(commit, workspace / "template")
            chosen = Template(root, read_questions(root), Origin(found.url, found.commit))
            answers = settle_answers(chosen, found.root.name, {}, recorded=found.recorded)
            scratch = Scratch.start(workspace)
            render(chosen, workspace / "render" / found.root.name, answers)
            tree = scratch.take(workspace / "render" / found.root.name)
        yield _View(found, past, commit, newest, chosen, answers, scratch, tree)
