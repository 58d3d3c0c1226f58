"""A project that exists: where it lies, what its answers file says, and whether git lets us work on it."""

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlscaffold import git
from mlscaffold.errors import BrokenProjectError, ProjectError, reason
from mlscaffold.questions import Loader

ANSWERS_FILE = ".copier-answers.yml"

_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """What a project says about itself.

    Attributes:
        root: the folder of its answers file, absolute and without symbolic links.
        url: where its template comes from, as recorded.
        commit: the template's tag or commit that it is at, as recorded.
        answers: its answers, by the names of their questions.
    """

    root: Path
    url: str
    commit: str
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class Repository:
    """The git repository that a project lies in, with all that we need from it committed.

    Attributes:
        top: its root folder.
        prefix: the project's place in it, with a slash at its end; "" if it is all of it.
        git_dir: the folder of its index and HEAD; that of the worktree, if it has several.
        head: the hash of the commit that is checked out.
    """

    top: Path
    prefix: str
    git_dir: Path
    head: str

    @property
    def tree(self) -> str:
        """The project's folder as committed, as git names it."""
        return f"{self.head}:{self.prefix}"

    @property
    def objects(self) -> Path:
        """The folder of its objects, which worktrees share."""
        return (self.top / git.text("rev-parse", "--git-path", "objects", cwd=self.top)).resolve()


def find(path: str | None) -> Project:
    """The project in a folder; without a folder, the one that the current folder lies in.

    Raises:
        ProjectError: there is none.
        BrokenProjectError: its answers file cannot be used.
    """
    start = Path(path or ".").resolve()
    if not start.is_dir():
        raise ProjectError(f"{path} is not a folder.")
    for folder in (start,) if path else (start, *start.parents):
        if (folder / ANSWERS_FILE).is_file():
            return _read(folder)
    raise ProjectError(
        f"{start} is no project of ours: it has no {ANSWERS_FILE}. Name the project's folder, or"
        " restore that file from git."
    )


def repository(root: Path) -> Repository:
    """The repository around a project's folder, as it is; ProjectError if there is none that we can work with."""
    if not git.available():
        raise ProjectError("There is no git on the PATH, and this needs one: install git.")
    try:
        top = Path(os.fsdecode(git.run("rev-parse", "--show-toplevel", cwd=root).rstrip(b"\n"))).resolve()
        git_dir = Path(os.fsdecode(git.run("rev-parse", "--absolute-git-dir", cwd=root).rstrip(b"\n")))
    except git.GitError as error:
        if "not a git repository" in str(error):
            raise ProjectError(
                f"{root} is not in a git repository, and this needs one: run"
                " `git init && git add --all && git commit -m Start` there first."
            ) from error
        raise ProjectError(f"Git does not take {root}: {error}.") from error
    place = root.relative_to(top).as_posix()
    prefix = "" if place == "." else f"{place}/"
    try:
        head = git.text("rev-parse", "--verify", "HEAD^{commit}", cwd=top)
    except git.GitError as error:
        raise ProjectError(f"Nothing is committed in {top} yet: run `git add --all && git commit` first.") from error
    return Repository(top, prefix, git_dir, head)


def check_clean(root: Path, repository: Repository) -> None:
    """Insist that git knows all that we may change: a change that is not committed could not be told from ours.

    Files that git does not know are none of our business: nothing touches them.

    Raises:
        BrokenProjectError: there are conflicts that nobody has resolved.
        ProjectError: there are changes that are not committed.
    """
    place = f":(top,literal){repository.prefix}"
    conflicts = unmerged(root)
    if conflicts:
        raise BrokenProjectError(
            f"There are conflicts that are not resolved yet, in {some(conflicts)}: edit them, `git add` and commit."
        )
    state = git.run(
        "--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames",
        "--ignore-submodules=dirty", "--", place, cwd=repository.top,
    )  # fmt: skip
    changed = [entry[3:] for entry in _names(state)]
    if changed:
        raise ProjectError(
            f"There are changes that are not committed, in {some(changed)}: commit them or `git stash` first."
        )


def check_recorded(project: Project, repository: Repository) -> None:
    """Insist that git has the answers file; ProjectError if it has not."""
    try:
        git.run("cat-file", "-e", f"{repository.tree}{ANSWERS_FILE}", cwd=repository.top)
    except git.GitError as error:
        raise ProjectError(f"{project.root / ANSWERS_FILE} is not in git: add and commit it first.") from error


def unmerged(root: Path) -> list[str]:
    """Paths of a folder's files with conflicts, as git's index has them; GitError if there is no repository."""
    listing = git.run("ls-files", "--unmerged", "-z", cwd=root)
    return sorted({entry.partition("\t")[2] for entry in _names(listing)})


def inside(root: Path, file: str) -> str:
    """The path of a file from a project's folder, with forward slashes; relative ones may start there, too.

    Raises:
        ProjectError: it lies elsewhere.
    """
    for place in (Path(file), root / file):
        with contextlib.suppress(ValueError):
            return (place.parent.resolve() / place.name).relative_to(root).as_posix()
    raise ProjectError(f"{file} is not in the project {root}.")


def rejects(project: Project) -> list[str]:
    """What a merge with rejections has left in a project: paths of *.rej files, hidden folders left out."""
    found = []
    for folder, folders, files in os.walk(project.root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(folder, name).relative_to(project.root).as_posix()
            for name in files
            if name.endswith(".rej") and (Path(folder) / name.removesuffix(".rej")).is_file()
        ]
    return sorted(found)


def _read(folder: Path) -> Project:
    path = folder / ANSWERS_FILE
    try:
        text = path.read_text("utf-8")
        if _CONFLICT.search(text):
            raise BrokenProjectError(
                f"{path} has a conflict that is not resolved yet: edit it so that one version remains, and commit it."
            )
        content = yaml.load(text, Loader)  # noqa: S506 (a safe loader, the fast one)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BrokenProjectError(f"{path} cannot be read ({reason(error)}): restore it from git.") from error
    if not isinstance(content, dict):
        raise BrokenProjectError(f"{path} has no `question: answer` lines: restore it from git.")
    for key in ("_src_path", "_commit"):
        if not isinstance(content.get(key), str) or not content[key] or not content[key].isprintable():
            raise BrokenProjectError(
                f"{path} does not say in {key} where the template comes from: restore it from git; without that"
                " nobody can tell what to update from."
            )
    answers = {str(name): value for name, value in content.items() if not str(name).startswith("_")}
    return Project(folder, content["_src_path"], content["_commit"], answers)


def _names(listing: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listing.split(b"\0") if name]


def some(names: list[str]) -> str:
    """A few of the names, and how many there are beside them."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
