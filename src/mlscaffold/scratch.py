"""A repository of our own that borrows a project's objects: there an update is tried, and the project is not touched.

Not even its .git is: a process that is killed leaves nothing but a temporary folder. Because only the project's own
folder is taken, a large repository around it costs nothing, and nothing outside that folder can be reached.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlscaffold import git
from mlscaffold.errors import ProjectError
from mlscaffold.project import Repository

Tree = Mapping[str, tuple[str, str]]
"""Mode and hash of each file, by its path with forward slashes."""

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree with nothing in it, which git knows without being told."""

_NEUTRAL = (
    "-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "-c", "core.fsmonitor=false",
    "-c", f"core.hooksPath={os.devnull}", "-c", f"core.excludesFile={os.devnull}",
)  # fmt: skip
_OURS = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
         for what, value in (("NAME", "mlscaffold"), ("EMAIL", "mlscaffold@localhost"))}  # fmt: skip


def check_kinds(theirs: Tree, made: Tree) -> None:
    """Raise ProjectError if something is a file in the project and a folder in the template, or the other way round."""
    for one, other in ((theirs, made), (made, theirs)):
        folders = {str(parent) for path in other for parent in PurePosixPath(path).parents}
        for path in sorted(folders & one.keys()):
            raise ProjectError(
                f"{path} is {'a folder' if one is made else 'no folder'} in the project and"
                f" {'a file' if one is made else 'a folder'} in the template: give yours another name first."
            )


@dataclass(frozen=True)
class Scratch:
    """The repository.

    Attributes:
        root: its folder, which has the project's name: templates may ask for that.
        head: the hash of the project's folder as committed.
    """

    root: Path
    head: str

    @classmethod
    def of(cls, repository: Repository, name: str, workspace: Path) -> "Scratch":
        """Check out a project's folder, as it is committed, as a repository with one commit."""
        scratch = cls.beside(repository, name, workspace)
        root, tree = scratch.root, scratch.head
        commit = git.run(*_NEUTRAL, "commit-tree", "-m", "As it is", tree, cwd=root, env=_OURS).decode().strip()
        git.run(*_NEUTRAL, "reset", "--quiet", "--hard", commit, cwd=root, env={"GIT_LFS_SKIP_SMUDGE": "1"})
        return scratch

    @classmethod
    def beside(cls, repository: Repository, name: str, workspace: Path) -> "Scratch":
        """Start a repository that can see a project's folder, as it is committed, and has nothing checked out."""
        root = cls.empty(name, workspace).root
        tree = git.text("rev-parse", "--verify", repository.tree, cwd=repository.top)
        borrowed = json.dumps(str(repository.objects), ensure_ascii=False)  # git reads C's quotes
        (root / ".git/objects/info/alternates").write_text(f"{borrowed}\n", "utf-8")
        return cls(root, tree)

    @classmethod
    def empty(cls, name: str, workspace: Path) -> "Scratch":
        """Start a repository with nothing in it."""
        root = workspace / "scratch" / name
        root.mkdir(parents=True)
        git.run(*_NEUTRAL, "init", "--quiet", cwd=root)
        return cls(root, EMPTY)

    def files(self, tree: str) -> Tree:
        """What is in a tree."""
        listing = self.run("ls-tree", "-r", "-z", tree)
        result = {}
        for entry in filter(None, listing.split(b"\0")):
            meta, _, path = entry.partition(b"\t")
            mode, _, sha = meta.decode().split(" ")
            result[os.fsdecode(path)] = (mode, sha)
        return result

    def take(self, folder: Path, name: str) -> str:
        """Make a tree of all files in a folder, whatever is ignored, and return its hash."""
        env = self._index(name)
        self.run("--work-tree", str(folder), "add", "--all", "--force", env=env, cwd=folder)
        return self.run("write-tree", env=env).decode().strip()

    def take_some(self, folder: Path, paths: list[str], name: str) -> str:
        """Make a tree of some of the files in a folder; those that are not there are left out."""
        env = self._index(name)
        there = [path for path in paths if os.path.lexists(folder / path) and not (folder / path).is_dir()]
        stdin = b"".join(os.fsencode(path) + b"\0" for path in there)
        self.run("--work-tree", str(folder), "update-index", "-z", "--add", "--stdin", env=env, cwd=folder, stdin=stdin)
        return self.run("write-tree", env=env).decode().strip()

    def without(self, tree: str, paths: list[str], base: str) -> str:
        """The tree with some paths as they are in a base."""
        if not paths:
            return tree
        env = self._index("without")
        files = self.files(base)
        lines = []
        for path in paths:
            mode, sha = files.get(path, ("0", "0" * 40))
            lines.append(f"{mode} {sha}\t".encode() + os.fsencode(path) + b"\0")
        self.run("read-tree", tree, env=env)
        self.run("update-index", "-z", "--index-info", env=env, stdin=b"".join(lines))
        return self.run("write-tree", env=env).decode().strip()

    def stages(self) -> dict[str, list[tuple[str, str, int]]]:
        """Mode, hash and stage of each side of each conflict, by path."""
        result: dict[str, list[tuple[str, str, int]]] = {}
        for entry in filter(None, self.run("ls-files", "-u", "-z").split(b"\0")):
            meta, _, path = entry.partition(b"\t")
            mode, sha, stage = meta.decode().split(" ")
            result.setdefault(os.fsdecode(path), []).append((mode, sha, int(stage)))
        return result

    def renames(self, old: str, new: str) -> dict[str, str]:
        """Files that were moved between two trees, as far as their content shows it: old path to new path."""
        listing = self.run("diff-tree", "-r", "-z", "-M50%", "--diff-filter=R", "--name-status", old, new)
        words = [os.fsdecode(word) for word in listing.split(b"\0")]
        return {words[at + 1]: words[at + 2] for at in range(0, len(words) - 2, 3)}

    def patch(self, old: str, new: str, *paths: str, binary: bool = True) -> bytes:
        """The difference between two trees, for `git apply` or, without binaries, for people."""
        form = ("--binary", "--full-index") if binary else ()
        return self.run(
            "diff-tree", "-r", "-p", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
            "--src-prefix=a/", "--dst-prefix=b/", *form, old, new, "--", *paths,
        )  # fmt: skip

    def blob(self, sha: str) -> bytes:
        """The content of a file."""
        return self.run("cat-file", "blob", sha)

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes | None = None,
    ) -> bytes:
        """Run git in this repository; GitError if it says no."""
        env = {"GIT_LITERAL_PATHSPECS": "1", **(env or {})}
        place = ("--git-dir", self.root / ".git")
        return git.run(*_NEUTRAL, *place, *arguments, cwd=cwd or self.root, env=env, stdin=stdin)

    def _index(self, name: str) -> dict[str, str]:
        return {"GIT_INDEX_FILE": str(self.root / ".git" / f"{name}.index")}
