"""How git is called: one class, and one list of the settings that must not decide what we do."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlscaffold.errors import TemplateError, reason

# Inherited, they would point our git processes at the caller's repository, or give new ones another format.
OF_THE_CALLER = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)

FIRST_COMMIT = "Start from mlscaffold"

# What would run programs of others, stop us or let two machines do different things. Line ends and filters of a user's
# repository are theirs: git obeys those wherever it writes there.
NEUTRAL = {
    "apply.ignoreWhitespace": "no",
    "apply.whitespace": "nowarn",
    "color.ui": "false",
    "commit.gpgSign": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.safecrlf": "false",
    "core.sparseCheckout": "false",
    "i18n.commitEncoding": "UTF-8",
    "merge.conflictStyle": "merge",
    "merge.directoryRenames": "true",
    "merge.renameLimit": "3000",
    "merge.renames": "true",
    "protocol.file.allow": "always",
}
_ENVIRONMENT = {"GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
# A repository of our own obeys nobody's settings: no filters, no attributes, no ignore lists, no line ends.
_ALONE = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_LFS_SKIP_SMUDGE": "1",
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "mlscaffold"), ("EMAIL", "mlscaffold@localhost"), ("DATE", "@0 +0000"))},
}  # fmt: skip


class GitError(Exception):
    """Git said no; the text is the last line that it said."""


@dataclass(frozen=True)
class Git:
    """Git in a folder.

    Attributes:
        folder: where it runs.
        alone: whether the repository is our own, so that no settings of the user apply.
        git_dir: the repository, if it is not the one around the folder.
        work_tree: the files that it works on, if they are not those around the folder.
        index: the index file to use instead of the repository's.
    """

    folder: Path
    alone: bool = False
    git_dir: Path | None = None
    work_tree: Path | None = None
    index: Path | None = None

    def run(
        self,
        *arguments: str | Path,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> bytes:
        """Run git and return what it prints.

        Args:
            arguments: its words.
            stdin: what it reads; nothing by default.
            env: more variables.
            keep_open: file descriptors that it inherits.

        Raises:
            GitError: it cannot be run, or ended with another code than 0.
        """
        settings = [word for key, value in NEUTRAL.items() for word in ("-c", f"{key}={value}")]
        places = {"GIT_DIR": self.git_dir, "GIT_WORK_TREE": self.work_tree, "GIT_INDEX_FILE": self.index}
        environment = {
            **os.environ,
            **_ENVIRONMENT,
            **(_ALONE if self.alone else {}),
            **{name: str(place) for name, place in places.items() if place is not None},
            **(env or {}),
        }
        try:
            done = subprocess.run(
                ["git", *settings, *map(str, arguments)],
                cwd=self.folder,
                env=environment,
                input=stdin or b"",
                capture_output=True,
                check=True,
                pass_fds=keep_open,
            )
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(said[-1] if said else f"git {arguments[0]} ended with {error.returncode}") from error
        except OSError as error:
            raise GitError(f"git cannot be run: {reason(error)}") from error
        return done.stdout

    def ask(self, *arguments: str | Path) -> str:
        """Run git and return what it prints as text, without the last line's end; GitError as `run`."""
        return self.run(*arguments).decode("utf-8", "surrogateescape").rstrip("\n")

    def agrees(self, *arguments: str | Path) -> bool:
        """Whether git ends with 0."""
        try:
            self.run(*arguments)
        except GitError:
            return False
        return True

    def names(self, *arguments: str | Path) -> list[str]:
        """What git lists with -z, as paths."""
        return [os.fsdecode(name) for name in self.run(*arguments).split(b"\0") if name]


def unset_git_environment() -> None:
    """Drop the variables that tie this process to a repository that it was started from."""
    for name in OF_THE_CALLER:
        os.environ.pop(name, None)


def is_available() -> bool:
    """Whether there is a git on the PATH."""
    return shutil.which("git") is not None


def list_paths(paths: Sequence[str]) -> bytes:
    """Paths as git reads them from a pipe with -z."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def read_identity(folder: Path) -> dict[str, str]:
    """The user's name and address as git knows them in a folder: some of "name" and "email"."""
    try:
        listing = Git(folder).names("config", "--null", "--get-regexp", r"^user\.(name|email)$")
    except GitError:
        return {}
    entries = (entry.partition("\n") for entry in listing)
    return {key.removeprefix("user."): value for key, _, value in entries}


def describe(root: Path) -> str:
    """What Copier records for HEAD: its tag, "tag-commits-hash", or its short hash. Raise GitError if there is none."""
    return Git(root).ask("describe", "--tags", "--always")


def has_changes(root: Path, *paths: str) -> bool:
    """Whether the working tree differs from HEAD in these paths; files that are new count, ignored ones do not."""
    return bool(Git(root).ask("--no-optional-locks", "status", "--porcelain", "--", *paths))


def is_shallow(root: Path) -> bool:
    """Whether a clone lacks a part of its history."""
    return Git(root).ask("rev-parse", "--is-shallow-repository") == "true"


def write_bundle(root: Path, into: Path) -> None:
    """Write HEAD, the tags before it and all their history into one file, the same for the same history.

    Raises:
        TemplateError: a part of the history is not there.
    """
    git = Git(root)
    try:
        if is_shallow(root):
            raise TemplateError(
                f"{root} is a shallow clone: projects could not be updated from what is built here. Fetch the rest"
                " with `git fetch --unshallow --tags` (in GitHub's checkout action: fetch-depth: 0)."
            )
        # A tag that is not merged would be newer than this release: Copier chooses the newest.
        refs = [f"refs/tags/{tag}" for tag in git.ask("tag", "--merged", "HEAD").splitlines()]
        git.run("-c", "pack.threads=1", "bundle", "create", "--quiet", into, "HEAD", *refs)
    except GitError as error:
        raise TemplateError(f"The history of {root} cannot be bundled: {error}.") from error


def find_repository(folder: Path) -> Path | None:
    """The root of the repository that a folder lies in, seen without git."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def start_repository(project: Path) -> str | None:
    """Make a project a repository with one commit, on the branch main.

    The user's hooks, signing key and ignore lists are for their own commits: none of them applies to this one.

    Returns:
        The commit's hash; None if git does not know who the user is, when all is staged for them to commit.

    Raises:
        GitError: anything else that git says.
    """
    git = Git(project)
    git.run("init", "--quiet")
    git.run("symbolic-ref", "HEAD", "refs/heads/main")  # `init --initial-branch` needs git 2.28
    git.run("add", "--all", "--force")
    if not knows_user(project):
        return None
    git.run("commit", "--quiet", "--no-verify", "--message", FIRST_COMMIT)
    return git.ask("rev-parse", "HEAD")


def knows_user(folder: Path) -> bool:
    """Whether git can say who makes a commit in a folder."""
    return Git(folder).agrees("var", "GIT_AUTHOR_IDENT") and Git(folder).agrees("var", "GIT_COMMITTER_IDENT")
