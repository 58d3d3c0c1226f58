"""A repository of our own that borrows a project's objects: there an update is tried, and the project is not touched.

Not even its .git is: a process that is killed leaves nothing but a temporary folder. Because only the project's own
folder is taken, a large repository around it costs nothing, and nothing outside that folder can be reached.
"""

import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from mlscaffold.project.repository import Repository
from mlscaffold.system.git import Git, list_paths


class Entry(NamedTuple):
    """A file in a tree: its mode and its hash, as git writes them."""

    mode: str
    sha: str

    @property
    def kind(self) -> str:
        """What it is: a file, a symbolic link, a repository of its own."""
        return self.mode[:2]


class Side(NamedTuple):
    """One side of a conflict: mode, hash and git's number of the stage."""

    mode: str
    sha: str
    stage: int


Tree = Mapping[str, Entry]
"""The files of a tree, by their paths with forward slashes."""

Conflicts = Mapping[str, Sequence[Side]]
"""The sides of each conflict, by its path."""


@dataclass(frozen=True)
class Scratch:
    """The repository.

    Attributes:
        root: its folder; nothing is checked out there.
        head: the tree of the project's folder as committed; "" without a project.
    """

    root: Path
    head: str = ""

    @classmethod
    def start(cls, workspace: Path, hash_name: str = "sha1") -> "Scratch":
        """Start a repository with nothing in it."""
        root = workspace / "scratch"
        root.mkdir(parents=True)
        form = () if hash_name == "sha1" else (f"--object-format={hash_name}",)
        Git(root, alone=True).run("init", "--quiet", "--template=", *form)
        return cls(root)

    @classmethod
    def borrow(cls, repository: Repository, workspace: Path) -> "Scratch":
        """Start a repository that can see a project's folder, as it is committed."""
        scratch = cls.start(workspace, repository.hash_name)
        borrowed = json.dumps(str(repository.objects), ensure_ascii=False)  # git reads C's quotes
        (scratch.root / ".git/objects/info/alternates").write_text(f"{borrowed}\n", "utf-8", "surrogateescape")
        return replace(scratch, head=repository.git.ask("rev-parse", "--verify", repository.tree))

    @property
    def git(self) -> Git:
        """Git in this repository."""
        return Git(self.root, alone=True, git_dir=self.root / ".git")

    def files(self, tree: str) -> dict[str, Entry]:
        """What is in a tree."""
        result = {}
        for entry in self.git.names("ls-tree", "-r", "-z", tree):
            meta, _, path = entry.partition("\t")
            mode, _, sha = meta.split(" ")
            result[path] = Entry(mode, sha)
        return result

    def write_tree(self, files: Mapping[str, Entry]) -> str:
        """Make a tree of files and return its hash."""
        git = self._with_empty_index(self.root)
        lines = (f"{entry.mode} {entry.sha}\t".encode() + os.fsencode(path) for path, entry in files.items())
        git.run("update-index", "-z", "--index-info", stdin=b"".join(line + b"\0" for line in lines))
        return git.ask("write-tree")

    def take(self, folder: Path) -> str:
        """Make a tree of all files in a folder, whatever is ignored, and return its hash."""
        git = self._with_empty_index(folder)
        git.run("add", "--all", "--force")
        return git.ask("write-tree")

    def take_some(self, folder: Path, paths: Iterable[str]) -> str:
        """Make a tree of some of the files in a folder; those that are not there are left out, and what is no file."""
        git = self._with_empty_index(folder)
        there = [path for path in paths if _is_file(folder, path)]
        git.run("update-index", "-z", "--add", "--stdin", stdin=list_paths(there))
        return git.ask("write-tree")

    def write_blob(self, content: bytes) -> str:
        """Keep some content and return its hash."""
        return self.git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def read_blob(self, sha: str) -> bytes:
        """The content of a file."""
        return self.git.run("cat-file", "blob", sha)

    def read_blobs(self, shas: Iterable[str]) -> dict[str, bytes]:
        """The contents of several files, by their hashes."""
        stream, contents = io.BytesIO(self.git.run("cat-file", "--batch", stdin=_join_lines(shas))), {}
        for header in stream:
            sha, _, size = header.decode().split(" ")
            contents[sha] = stream.read(int(size))
            stream.read(1)  # the end of the line
        return contents

    def pack(self, shas: Iterable[str]) -> bytes:
        """Some content as git sends it to another repository."""
        return self.git.run("pack-objects", "--quiet", "--stdout", stdin=_join_lines(shas))

    def read_sizes(self, shas: Iterable[str]) -> dict[str, int]:
        """The sizes of contents in bytes, without those that are missing in this clone."""
        listing = self.git.run("cat-file", "--batch-check", stdin=_join_lines(shas))
        words = (line.split(" ") for line in listing.decode().splitlines())
        return {word[0]: int(word[2]) for word in words if word[-1] != "missing"}

    def find_renames(self, old: str, new: str, floor: int) -> dict[str, tuple[str, int]]:
        """Files that were moved between two trees, as far as their content shows it; empty ones show nothing.

        Args:
            old: a tree.
            new: another one.
            floor: how much of a file must be the same at least, in percent.

        Returns:
            By the old path: the new one, and how much of the file is the same.
        """
        words = self.git.names(
            "diff-tree", "-r", "-z", f"-M{floor}%", "--no-rename-empty", "-l3000", "--diff-filter=R", "--name-status",
            old, new,
        )  # fmt: skip
        return {words[at + 1]: (words[at + 2], int(words[at][1:])) for at in range(0, len(words) - 2, 3)}

    def patch(self, old: str, new: str, *paths: str, binary: bool = True) -> bytes:
        """The difference between two trees, for `git apply` or, without binaries, for people."""
        form = ("--binary", "--full-index") if binary else ()
        return self.git.run(
            "diff-tree", "-r", "-p", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
            "--src-prefix=a/", "--dst-prefix=b/", *form, old, new, "--", *paths,
        )  # fmt: skip

    def _with_empty_index(self, folder: Path) -> Git:
        index = self.root / ".git/tree.index"
        index.unlink(missing_ok=True)
        return replace(self.git, folder=folder, work_tree=folder, index=index)


def _join_lines(shas: Iterable[str]) -> bytes:
    return "".join(f"{sha}\n" for sha in shas).encode()


def _is_file(folder: Path, path: str) -> bool:
    place = folder / path
    beyond = any((folder / parent).is_symlink() for parent in Path(path).parents)
    return not beyond and (place.is_symlink() or place.is_file())
