"""All that is asked of git: what the template's commit is, who the user is, a project's first commit."""

import os
import shutil
import subprocess
from pathlib import Path

from mlscaffold.errors import reason

# Git sets these for its hooks and aliases. They would make a git that we start work on the caller's repository.
_OF_THE_CALLER = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)

FIRST_COMMIT = "Start from mlscaffold"


class GitError(Exception):
    """Git said no; the text is the last line that it said."""


def forget_the_caller() -> None:
    """Drop the variables that tie this process to a repository that it was started from."""
    for name in _OF_THE_CALLER:
        os.environ.pop(name, None)


def available() -> bool:
    """Whether there is a git on the PATH."""
    return shutil.which("git") is not None


def identity(folder: Path) -> dict[str, str]:
    """The user's name and address as git knows them in a folder: some of "name" and "email"."""
    try:
        listing = _git("config", "--null", "--get-regexp", r"^user\.(name|email)$", cwd=folder)
    except GitError:
        return {}
    entries = (entry.partition("\n") for entry in listing.split("\0") if entry)
    return {key.removeprefix("user."): value for key, _, value in entries}


def describe(root: Path) -> str:
    """What Copier records for HEAD: its tag, "tag-commits-hash", or its short hash. Raise GitError if there is none."""
    return _git("describe", "--tags", "--always", cwd=root)


def changed(root: Path, *paths: str) -> bool:
    """Whether the working tree differs from HEAD in these paths; files that are new count, ignored ones do not."""
    return bool(_git("--no-optional-locks", "status", "--porcelain", "--", *paths, cwd=root))


def head_without_git(root: Path) -> str | None:
    """The full hash of HEAD, read from the files below .git; None if they cannot tell."""
    folder = root / ".git"
    try:
        if folder.is_file():  # a linked worktree
            folder = root / folder.read_text("utf-8").removeprefix("gitdir:").strip()
        head = (folder / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        shared = folder / "commondir"
        common = folder / shared.read_text("utf-8").strip() if shared.is_file() else folder
        if (common / name).is_file():
            return (common / name).read_text("utf-8").strip()
        packed = (line.split() for line in (common / "packed-refs").read_text("utf-8").splitlines())
        return next((words[0] for words in packed if words[1:] == [name]), None)
    except (OSError, ValueError):
        return None


def repository_around(folder: Path) -> Path | None:
    """The root of the repository that a folder lies in, seen without git."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def start(project: Path) -> str | None:
    """Make a project a repository with one commit, on the branch main.

    The user's hooks, signing key and ignore lists are for their own commits: none of them applies to this one.

    Returns:
        The commit's hash; None if git does not know who the user is, when all is staged for them to commit.

    Raises:
        GitError: anything else that git says.
    """
    quiet = ("-c", f"core.hooksPath={os.devnull}", "-c", "commit.gpgSign=false", "-c", "core.safecrlf=false")
    _git("init", "--quiet", cwd=project)
    _git("symbolic-ref", "HEAD", "refs/heads/main", cwd=project)  # `init --initial-branch` needs git 2.28
    _git(*quiet, "add", "--all", "--force", cwd=project)
    try:
        _git("var", "GIT_AUTHOR_IDENT", cwd=project)
        _git("var", "GIT_COMMITTER_IDENT", cwd=project)
    except GitError:
        return None
    _git(*quiet, "commit", "--quiet", "--no-verify", "--message", FIRST_COMMIT, cwd=project)
    return _git("rev-parse", "HEAD", cwd=project)


def _git(*arguments: str, cwd: Path) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise GitError(said[-1] if said else f"git {arguments[0]} ended with {error.returncode}") from error
    except OSError as error:
        raise GitError(f"git cannot be run: {reason(error)}") from error
    return done.stdout.rstrip("\n")
