"""How a project stands to its template: how far behind, what differs, what is left to repair."""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mlscaffold import git, history, journal, project, questions, render
from mlscaffold.draft import Step, Warn
from mlscaffold.errors import ProjectError
from mlscaffold.project import ANSWERS_FILE, Project
from mlscaffold.questions import Questionnaire
from mlscaffold.scratch import EMPTY, Scratch
from mlscaffold.update import pristine

_CONFLICT = re.compile(rb"^<{7} .*?^={7}\r?$.*?^>{7} ", re.MULTILINE | re.DOTALL)


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
        conflicts: paths of files with conflicts that nobody has resolved.
        rejects: paths of .rej files.
    """

    project: Project
    newest: str
    releases: Sequence[str]
    commits: int
    files: Sequence[tuple[str, State]]
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


def of(path: str | None, template: str | None, step: Step, warn: Warn) -> Status:
    """Look at a project and change nothing, but for what a killed update has left: that is put back first.

    Raises:
        MlscaffoldError: there is no project, or its template cannot be had.
    """
    with _opened(path, template, step, warn) as view:
        found = view.project
        made = view.scratch.files(view.pristine)
        there = view.scratch.files(view.actual(list(made)))
        differing = (name for name in made if made[name] != there.get(name))
        states = {name: State.EDITED if name in there else State.DELETED for name in differing}
        states |= {name: State.RESTORED for name in view.other_layers() - made.keys() if (found.root / name).is_file()}
        states.pop(ANSWERS_FILE, None)
        marked = [name for name, state in states.items() if state is State.EDITED and _has_conflict(found.root / name)]
        commits = view.past.distance(view.commit, view.newest)
        return Status(
            found,
            view.past.describe(view.newest),
            view.past.releases(view.commit, view.newest) if commits else [],
            commits,
            sorted(states.items()),
            sorted({*marked, *_unmerged(found)}),
            project.rejects(found),
        )


def difference(path: str | None, file: str | None, template: str | None, step: Step, warn: Warn) -> str:
    """What the user has changed in the template's files, in one or in all: a patch from the template's to theirs.

    Raises:
        ProjectError: the file is not one of the template's.
        MlscaffoldError: there is no project, or its template cannot be had.
    """
    with _opened(path, template, step, warn) as view:
        made = [name for name in view.scratch.files(view.pristine) if name != ANSWERS_FILE]
        paths = [] if file is None else [project.inside(view.project.root, file)]
        if paths and paths[0] not in made:
            raise ProjectError(f"{file} is not a file that the template makes of this project's answers.")
        base = view.scratch.without(view.pristine, [ANSWERS_FILE], EMPTY)
        return view.scratch.patch(base, view.actual(made), *paths, binary=False).decode("utf-8", "replace")


@dataclass(frozen=True)
class _View:
    """A project beside what the template makes of its answers."""

    project: Project
    past: history.History
    commit: str
    newest: str
    questionnaire: Questionnaire
    template: Path
    scratch: Scratch
    pristine: str

    def actual(self, paths: list[str]) -> str:
        """The tree of some of the project's files as they lie there."""
        return self.scratch.take_some(self.project.root, paths, "actual")

    def other_layers(self) -> set[str]:
        """The path of every file of every option: rendered with empty files, every layer a folder named @layer."""
        marks = {name: f"@{name}" for name in self.questionnaire.all_layers}
        if not marks:
            return set()
        for file in (self.template / "template").rglob("*"):
            if file.is_file():
                file.write_bytes(b"")
        folder = self.template.parent / "layers"
        render.render(self.template, folder, {**self.project.answers, **marks}, defaults={})
        return {
            "/".join(part for part in file.relative_to(folder).parts if not part.startswith("@"))
            for file in folder.rglob("*")
            if file.is_file()
        }


@contextlib.contextmanager
def _opened(path: str | None, template: str | None, step: Step, warn: Warn) -> Iterator[_View]:
    found = project.find(path)
    if git.repository_around(found.root):
        recovered = journal.recover(project.repository(found.root))
        if recovered:
            warn(recovered)
            found = project.find(str(found.root))
    with tempfile.TemporaryDirectory(prefix="mlscaffold-", ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        with step("Looking at the template's versions"):
            past = history.opened(found.url, workspace, template)
            commit = past.known(found.commit, found.url)
            newest = past.commit(past.newest) or commit
            source = past.check_out(commit, workspace / "template")
            scratch = Scratch.empty(found.root.name, workspace)
            render_folder = workspace / "render" / found.root.name
            tree = scratch.take(pristine(found, source, {}, render_folder), "pristine")
        yield _View(found, past, commit, newest, questions.read(source), source, scratch, tree)


def _has_conflict(path: Path) -> bool:
    return _CONFLICT.search(path.read_bytes()) is not None


def _unmerged(found: Project) -> list[str]:
    try:
        return project.unmerged(found.root)
    except git.GitError:
        return []
