"""Put an update into a project, all or nothing, even when the process is killed meanwhile.

All files that change are committed, so that git has what they were. A journal beside the index says what is being
done; the next command that finds it puts everything back.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from mlscaffold.errors import ProjectError
from mlscaffold.project.repository import Repository, name_some
from mlscaffold.project.scratch import Conflicts, Scratch
from mlscaffold.system import locks
from mlscaffold.system.git import GitError, list_paths
from mlscaffold.system.signals import finish_undisturbed

_PATIENCE = 10.0  # seconds that git may still need to end after the process that started it was killed


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


def apply_change(repository: Repository, scratch: Scratch, change: Change, conflicts: Conflicts) -> None:
    """Change a project's files, and mark conflicts in its index as git does.

    Raises:
        ProjectError: something is in the way, or has changed since it was looked at; nothing was changed.
    """
    if change.before == change.after and not conflicts:
        return
    with _lock(repository) as lock:
        journal = _compare(repository, scratch, change)
        _check(repository, journal)
        patch = scratch.patch(change.before, change.after)
        try:
            _apply(repository, patch, lock, "--check")
            _send_content(repository, scratch, journal, conflicts)
        except GitError as error:
            raise _explain_misfit(error) from error
        path = _folder(repository) / "journal.json"
        _write(path, json.dumps(asdict(journal)).encode())
        try:
            _apply(repository, patch, lock)
            _mark(repository, conflicts)
            with finish_undisturbed():
                path.unlink()
        except BaseException as error:
            _restore(repository, journal)
            path.unlink(missing_ok=True)
            if isinstance(error, GitError):
                raise _explain_misfit(error) from error
            raise


def recover(repository: Repository) -> str | None:
    """Put back what a killed update has left half done, and say so in a sentence; None if there was nothing.

    Raises:
        ProjectError: it cannot be put back, or an update is going on right now.
    """
    path = _folder(repository) / "journal.json"
    if not path.exists():
        return None
    with _lock(repository):
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
            notes = _restore(repository, journal)
        except GitError as error:
            raise ProjectError(f"A killed update cannot be taken back: {error}.") from error
        path.unlink()
    said = "all files are again as they were before it"
    return f"An update of this project was killed while it was being applied; {'; '.join([said, *notes])}."


def _compare(repository: Repository, scratch: Scratch, change: Change) -> _Journal:
    before, after = scratch.files(change.before), scratch.files(change.after)
    paths = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    target = {path: after[path].sha if path in after else "" for path in paths}
    return _Journal(
        repository.head,
        {repository.prefix + path: sha for path, sha in target.items() if path in before},
        {repository.prefix + path: sha for path, sha in target.items() if path not in before},
    )


def _check(repository: Repository, journal: _Journal) -> None:
    """Insist that nothing has happened since the plan was made, and that git sees all there is to see."""
    if repository.git.ask("rev-parse", "--verify", "HEAD") != journal.head:
        raise ProjectError("Something was committed while the update was prepared: run it again. Nothing was changed.")
    flags = repository.git.names("ls-files", "-v", "-z", "--", *journal.changed) if journal.changed else []
    hidden = [entry[2:] for entry in flags if entry[:1].islower() or entry[:1] == "S"]
    if hidden:
        raise ProjectError(
            f"Git was told not to look at {', '.join(hidden)} (skip-worktree or assume-unchanged), so what is in there"
            " could be lost: undo that with `git update-index --no-skip-worktree --no-assume-unchanged` first."
        )


def _send_content(repository: Repository, scratch: Scratch, journal: _Journal, conflicts: Conflicts) -> None:
    """Put all content that will be needed among the repository's objects."""
    needed = {*journal.changed.values(), *journal.added.values()} - {""}
    needed |= {side.sha for sides in conflicts.values() for side in sides}
    repository.git.run("unpack-objects", "-q", stdin=scratch.pack(needed))


def _apply(repository: Repository, patch: bytes, lock: IO[bytes], *options: str) -> None:
    """Let git apply a patch; it holds our lock for as long as it writes, whatever happens to us."""
    if not patch:
        return
    prefix = repository.prefix.removesuffix("/")
    directory = (f"--directory={prefix}",) if prefix else ()
    repository.git.run(
        "apply", "--binary", *directory, *options, "-",
        stdin=patch, keep_open=() if os.name == "nt" else (lock.fileno(),),
    )  # fmt: skip


def _explain_misfit(error: GitError) -> ProjectError:
    return ProjectError(f"The update does not fit: {error}. Nothing was changed.")


def _mark(repository: Repository, conflicts: Conflicts) -> None:
    """Enter conflicts into the index, in one step."""
    if not conflicts:
        return
    lines = []
    for path, sides in conflicts.items():
        name = os.fsencode(repository.prefix + path)
        lines.append(f"0 {'0' * len(repository.head)}\t".encode() + name)
        lines += [f"{mode} {sha} {stage}\t".encode() + name for mode, sha, stage in sides]
    stdin = b"".join(line + b"\0" for line in lines)
    repository.git.run("update-index", "-z", "--index-info", stdin=stdin)


def _restore(repository: Repository, journal: _Journal) -> list[str]:
    """Put every file back, and return what is to be said about those that somebody has changed meanwhile."""
    _drop_stale_lock(repository)
    theirs = [path for path, sha in journal.changed.items() if not _is_ours(repository, journal.head, path, sha)]
    ours = [path for path, sha in journal.added.items() if _is_ours(repository, journal.head, path, sha)]
    saved = _folder(repository) / "saved" / time.strftime("%Y%m%d-%H%M%S")
    for path in theirs:
        (saved / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(repository.top / path, saved / path)
    notes = [f"what was changed since is in {saved}"] if theirs else []
    if journal.changed:
        repository.git.run(
            "checkout", "--quiet", "--force", journal.head, "--pathspec-from-file=-", "--pathspec-file-nul",
            stdin=list_paths([*journal.changed]),
        )  # fmt: skip
    if journal.added:
        repository.git.run("update-index", "-z", "--force-remove", "--stdin", stdin=list_paths([*journal.added]))
    stuck = [path for path in ours if not _remove(repository.top / path)]
    return [*notes, f"{name_some(stuck)} could not be removed"] if stuck else notes


def _remove(place: Path) -> bool:
    """Remove a file, and folders that are empty without it; whether it is gone."""
    try:
        place.unlink(missing_ok=True)
        os.removedirs(place.parent)
    except NotADirectoryError:  # a file of the user lies where one of its folders was to be
        return True
    except OSError:  # a folder that is not empty stays
        return not os.path.lexists(place)
    return True


def _is_ours(repository: Repository, head: str, path: str, sha: str) -> bool:
    """Whether a file is as it was, as it was to be, or a beginning of that."""
    place, git = repository.top / path, repository.git
    try:
        content = os.fsencode(place.readlink()) if place.is_symlink() else place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    if sha and git.run("cat-file", "blob", sha).startswith(content):
        return True
    try:
        if git.run("cat-file", "blob", f"{head}:{path}") == content:
            return True
        before = git.ask("rev-parse", "--verify", "--quiet", f"{head}:{path}")
        return before == git.ask("hash-object", f"--path={path}", "--", place)
    except GitError:
        return False


def _drop_stale_lock(repository: Repository) -> None:
    """Remove git's lock of the index if the git that we had started was killed with us before it wrote there."""
    lock = repository.git_dir / "index.lock"
    with contextlib.suppress(FileNotFoundError):
        if lock.stat().st_mtime >= (_folder(repository) / "journal.json").stat().st_mtime:
            lock.unlink()


@contextlib.contextmanager
def _lock(repository: Repository) -> Iterator[IO[bytes]]:
    folder = _folder(repository)
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                locks.take_lock(lock)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise ProjectError(
                        "Another mlscaffold process is updating this project; try again when it has finished."
                    ) from error
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
