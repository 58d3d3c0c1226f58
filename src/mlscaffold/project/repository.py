"""The git repository that a project lies in, and whether it lets us work on it."""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlscaffold.errors import BrokenProjectError, ProjectError
from mlscaffold.project.answers import Project
from mlscaffold.system.git import Git, GitError, find_repository, is_available
from mlscaffold.template.render import ANSWERS_FILE


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
    def git(self) -> Git:
        """Git in its root folder."""
        return Git(self.top)

    @property
    def tree(self) -> str:
        """The project's folder as committed, as git names it."""
        return f"{self.head}:{self.prefix}"

    @property
    def objects(self) -> Path:
        """The folder of its objects, which worktrees share."""
        return (self.top / self.git.ask("rev-parse", "--git-path", "objects")).resolve()

    @property
    def hash_name(self) -> str:
        """What its hashes are: "sha1" or "sha256"."""
        return "sha1" if len(self.head) == len("4b825dc642cb6eb9a060e54bf8d69288fbee4904") else "sha256"


def open_repository(root: Path) -> Repository:
    """The repository around a project's folder, as it is; ProjectError if there is none that we can work with."""
    if not is_available():
        raise ProjectError("There is no git on the PATH, and this needs one: install git.")
    if find_repository(root) is None:
        raise ProjectError(
            f"{root} is not in a git repository, and this needs one: run"
            " `git init && git add --all && git commit -m Start` there first."
        )
    here = Git(root)
    try:
        top = Path(os.fsdecode(here.run("rev-parse", "--show-toplevel").rstrip(b"\n"))).resolve()
        git_dir = Path(os.fsdecode(here.run("rev-parse", "--absolute-git-dir").rstrip(b"\n")))
    except GitError as error:
        raise ProjectError(f"Git cannot use {root}: {error}.") from error
    place = root.relative_to(top).as_posix()
    prefix = "" if place == "." else f"{place}/"
    try:
        head = Git(top).ask("rev-parse", "--verify", "HEAD^{commit}")
    except GitError as error:
        raise ProjectError(f"Nothing is committed in {top} yet: run `git add --all && git commit` first.") from error
    return Repository(top, prefix, git_dir, head)


def check_clean(root: Path, repository: Repository) -> None:
    """Insist that git knows all that we may change: a change that is not committed could not be told from ours.

    Files that git does not know are none of our business: nothing touches them.

    Raises:
        BrokenProjectError: there are conflicts that nobody has resolved.
        ProjectError: there are changes that are not committed.
    """
    conflicts = list_unmerged(root)
    if conflicts:
        raise BrokenProjectError(
            f"There are conflicts that are not resolved yet, in {name_some(conflicts)}: edit them, `git add` and"
            " commit."
        )
    state = repository.git.names(
        "--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames",
        "--ignore-submodules=dirty", "--", repository.prefix or ".",
    )  # fmt: skip
    changed = [entry[3:] for entry in state]
    if changed:
        raise ProjectError(
            f"There are changes that are not committed, in {name_some(changed)}: commit them or `git stash` first."
        )


def check_recorded(project: Project, repository: Repository) -> None:
    """Insist that git has the answers file; ProjectError if it has not."""
    if not repository.git.agrees("cat-file", "-e", f"{repository.tree}{ANSWERS_FILE}"):
        raise ProjectError(f"{project.root / ANSWERS_FILE} is not in git: add and commit it first.")


def check_kinds(theirs: Iterable[str], made: Iterable[str]) -> None:
    """Raise ProjectError if something is a file in the project and a folder in the template, or the other way round."""
    theirs, made = set(theirs), set(made)
    for one, other in ((theirs, made), (made, theirs)):
        folders = {str(parent) for path in other for parent in PurePosixPath(path).parents}
        for path in sorted(folders & one):
            raise ProjectError(
                f"{path} is {'a folder' if one is made else 'no folder'} in the project and"
                f" {'a file' if one is made else 'a folder'} in the template: give yours another name first."
            )


def is_in_the_way(root: Path, path: str) -> bool:
    """Whether something lies where a new file goes, or where one of its folders goes, which is no folder."""
    folders = [root / parent for parent in PurePosixPath(path).parents][:-1]
    return os.path.lexists(root / path) or any(
        folder.is_symlink() or (folder.exists() and not folder.is_dir()) for folder in folders
    )


def list_unmerged(root: Path) -> list[str]:
    """Paths of a folder's files with conflicts, as git's index has them; GitError if there is no repository."""
    return sorted({entry.partition("\t")[2] for entry in Git(root).names("ls-files", "--unmerged", "-z")})


def locate_file(root: Path, file: str) -> str:
    """The path of a file from a project's folder, with forward slashes; relative ones may start there, too.

    Raises:
        ProjectError: it lies elsewhere.
    """
    for place in (Path(file), root / file):
        with contextlib.suppress(ValueError):
            return (place.parent.resolve() / place.name).relative_to(root).as_posix()
    raise ProjectError(f"{file} is not in the project {root}.")


def list_rejects(project: Project) -> list[str]:
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


def name_some(names: list[str]) -> str:
    """A few of the names, and how many there are beside them."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
