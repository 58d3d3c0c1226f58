"""Put an update into a project, all or nothing, even when the process is killed meanwhile.

All files that change are committed, so that git has what they were. A journal beside the index says what is being
done; whoever finds it first afterwards puts everything back.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from mlscaffold import git, locks
from mlscaffold.errors import ProjectError
from mlscaffold.project import Repository
from mlscaffold.scratch import Scratch

_PATIENCE = 10.0  # seconds that git may still need to end after the process that started it was killed
_QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.safecrlf=false", "-c", "apply.ignoreWhitespace=no")
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True)
class Change:
    """What is to be done: two trees of a scratch repository."""

    before: str
    after: str


@dataclass(frozen=True)
class _Journal:
    """What is being done.

    Attributes:
        head: the commit that has the files as they were.
        changed: paths that are there before, with the hash of what is put there; "" if they are removed.
        added: paths that are not there before, with the hash of what is put there.
    """

    head: str
    changed: Mapping[str, str]
    added: Mapping[str, str]


def apply(
    repository: Repository, scratch: Scratch, change: Change, stages: Mapping[str, Sequence[tuple[str, str, int]]]
) -> None:
    """Change a project's files, and mark conflicts in its index as git does.

    Raises:
        ProjectError: something is in the way, or has changed since it was looked at; nothing was changed.
    """
    if change.before == change.after:
        return
    with _locked(repository) as lock:
        _check(repository, scratch, change)
        apply = _Apply(repository, scratch.patch(change.before, change.after), lock)
        try:
            apply("--check")
            journal = _prepare(repository, scratch, change, stages)
        except git.GitError as error:
            raise _misfit(error) from error
        path = _folder(repository) / "journal.json"
        _write(path, json.dumps(asdict(journal)).encode())
        try:
            apply()
            _mark(repository, stages)
        except BaseException as error:
            _restore(repository, journal)
            path.unlink()
            if isinstance(error, git.GitError):
                raise _misfit(error) from error
            raise
        path.unlink()


def recover(repository: Repository) -> str | None:
    """Put back what a killed update has left half done, and say so in a sentence; None if there was nothing.

    Raises:
        ProjectError: it cannot be put back, or an update is going on right now.
    """
    path = _folder(repository) / "journal.json"
    if not path.exists():
        return None
    with _locked(repository):
        if not path.exists():
            return None
        journal = _Journal(**json.loads(path.read_bytes()))
        if journal.head != repository.head:
            path.unlink()
            raise ProjectError(
                "An update of this project was killed while it was being applied, and something was committed since:"
                f" look at `git diff {journal.head[:10]}` and repair what is wrong; this is said only once."
            )
        try:
            saved = _restore(repository, journal)
        except git.GitError as error:
            raise ProjectError(f"A killed update cannot be taken back: {error}.") from error
        path.unlink()
    more = f"; what was changed since is in {saved}" if saved else ""
    return (
        "An update of this project was killed while it was being applied; all files are again as they were before"
        f" it{more}."
    )


def _check(repository: Repository, scratch: Scratch, change: Change) -> None:
    """Insist that nothing has happened since the plan was made, and that git sees all there is to see."""
    try:
        head = git.text("rev-parse", "--verify", "HEAD", cwd=repository.top)
    except git.GitError as error:
        raise ProjectError(f"Git does not say where HEAD is: {error}.") from error
    if head != repository.head:
        raise ProjectError("Something was committed while the update was prepared: run it again. Nothing was changed.")
    before, after = scratch.files(change.before), scratch.files(change.after)
    paths = [repository.prefix + path for path in before if before[path] != after.get(path)]
    flags = git.run("ls-files", "-v", "-z", "--", *paths, cwd=repository.top, env=_LITERAL) if paths else b""
    hidden = [os.fsdecode(entry[2:]) for entry in flags.split(b"\0") if entry[:1].islower() or entry[:1] == b"S"]
    if hidden:
        raise ProjectError(
            f"Git was told not to look at {', '.join(hidden)} (skip-worktree or assume-unchanged), so what is in there"
            " could be lost: undo that with `git update-index --no-skip-worktree --no-assume-unchanged` first."
        )


def _prepare(
    repository: Repository, scratch: Scratch, change: Change, stages: Mapping[str, Sequence[tuple[str, str, int]]]
) -> _Journal:
    """Put all content that will be needed among the repository's objects."""
    before, after = scratch.files(change.before), scratch.files(change.after)
    needed = {sha for path, (_, sha) in after.items() if before.get(path) != after[path]}
    needed |= {sha for sides in stages.values() for _, sha, _ in sides}
    for sha in needed:
        git.run("hash-object", "-w", "--stdin", cwd=repository.top, stdin=scratch.blob(sha))
    paths = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    target = {repository.prefix + path: after[path][1] if path in after else "" for path in paths}
    there = {repository.prefix + path for path in before}
    return _Journal(
        repository.head,
        {path: sha for path, sha in target.items() if path in there},
        {path: sha for path, sha in target.items() if path not in there},
    )


@dataclass(frozen=True)
class _Apply:
    """`git apply` of a patch, which holds our lock for as long as it writes, whatever happens to us."""

    repository: Repository
    patch: bytes
    lock: IO[bytes]

    def __call__(self, *options: str) -> None:
        prefix = self.repository.prefix.removesuffix("/")
        directory = (f"--directory={prefix}",) if prefix else ()
        git.run(
            *_QUIET, "apply", "--binary", "--whitespace=nowarn", *directory, *options, "-",
            cwd=self.repository.top, stdin=self.patch, keep_open=() if os.name == "nt" else (self.lock.fileno(),),
        )  # fmt: skip


def _misfit(error: git.GitError) -> ProjectError:
    return ProjectError(f"The update does not fit: {error}. Nothing was changed.")


def _mark(repository: Repository, stages: Mapping[str, Sequence[tuple[str, str, int]]]) -> None:
    """Enter conflicts into the index, in one step."""
    if not stages:
        return
    lines = []
    for path, sides in stages.items():
        name = os.fsencode(repository.prefix + path)
        lines.append(f"0 {'0' * 40}\t".encode() + name)
        lines += [f"{mode} {sha} {stage}\t".encode() + name for mode, sha, stage in sides]
    stdin = b"".join(line + b"\0" for line in lines)
    git.run("update-index", "-z", "--index-info", cwd=repository.top, stdin=stdin)


def _restore(repository: Repository, journal: _Journal) -> Path | None:
    """Put every file back, and return where those are now that somebody has changed meanwhile."""
    _drop_stale_lock(repository)
    theirs = [path for path, sha in journal.changed.items() if not _ours(repository, journal.head, path, sha)]
    ours = [path for path, sha in journal.added.items() if _ours(repository, journal.head, path, sha)]
    saved = _folder(repository) / "saved" / time.strftime("%Y%m%d-%H%M%S")
    for path in theirs:
        (saved / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(repository.top / path, saved / path)
    if journal.changed:
        git.run(
            *_QUIET, "checkout", "--quiet", "--force", journal.head, "--pathspec-from-file=-", "--pathspec-file-nul",
            cwd=repository.top, env=_LITERAL, stdin=_listed(journal.changed),
        )  # fmt: skip
    if journal.added:
        git.run("update-index", "-z", "--force-remove", "--stdin", cwd=repository.top, stdin=_listed(journal.added))
    for path in ours:
        place = repository.top / path
        place.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a folder that is not empty stays
            os.removedirs(place.parent)
    return saved if theirs else None


def _ours(repository: Repository, head: str, path: str, sha: str) -> bool:
    """Whether a file is as it was, as it was to be, or a beginning of that."""
    place = repository.top / path
    try:
        content = os.fsencode(place.readlink()) if place.is_symlink() else place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    if sha and git.run("cat-file", "blob", sha, cwd=repository.top).startswith(content):
        return True
    try:
        if git.run("cat-file", "blob", f"{head}:{path}", cwd=repository.top) == content:
            return True
        before = git.text("rev-parse", "--verify", "--quiet", f"{head}:{path}", cwd=repository.top)
        return before == git.text("hash-object", f"--path={path}", "--", place, cwd=repository.top)
    except git.GitError:
        return False


def _listed(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _drop_stale_lock(repository: Repository) -> None:
    """Remove git's lock of the index if the git that we had started was killed with us before it wrote there."""
    lock = repository.git_dir / "index.lock"
    with contextlib.suppress(FileNotFoundError):
        if lock.stat().st_mtime >= (_folder(repository) / "journal.json").stat().st_mtime:
            lock.unlink()


@contextlib.contextmanager
def _locked(repository: Repository) -> Iterator[IO[bytes]]:
    folder = _folder(repository)
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                locks.take(lock)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise ProjectError("Another mlscaffold is at work on this project: wait for it to end.") from error
                time.sleep(0.05)
            except OSError:  # a file system without locks
                break
        yield lock


def _folder(repository: Repository) -> Path:
    return repository.git_dir / "mlscaffold"


def _write(path: Path, content: bytes) -> None:
    """Write a file so that there is never a part of it."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
