"""What an update does to each file, said before it is done."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mlscaffold.project import ANSWERS_FILE
from mlscaffold.scratch import Scratch


class Verdict(StrEnum):
    """What happens to one file."""

    ADDED = "added"
    UPDATED = "updated"
    MERGED = "merged"
    CONFLICT = "conflict"
    KEPT = "kept"
    REMOVED = "removed"
    REMOVED_EDITED = "removed-edited"
    MOVED_EDITED = "moved-edited"
    OVERWRITTEN = "overwritten"

    @property
    def loses_edits(self) -> bool:
        """Whether something that the user wrote is only in git's history afterwards."""
        return self in (Verdict.REMOVED_EDITED, Verdict.MOVED_EDITED, Verdict.OVERWRITTEN)


MEANING = {
    Verdict.ADDED: "new",
    Verdict.UPDATED: "as the template has it now",
    Verdict.MERGED: "the template's changes and yours",
    Verdict.CONFLICT: "the template's changes and yours meet: yours to resolve",
    Verdict.KEPT: "yours, although the template's has changed",
    Verdict.REMOVED: "no longer in the template",
    Verdict.REMOVED_EDITED: "no longer in the template: removed although you edited it",
    Verdict.MOVED_EDITED: "the template moved it: your edits would be lost",
    Verdict.OVERWRITTEN: "the template's changes replace yours",
}


@dataclass(frozen=True)
class File:
    """The verdict on one file.

    Attributes:
        path: with forward slashes, from the project's folder.
        verdict: what happens to it.
        note: more about it, for people; may be empty.
    """

    path: str
    verdict: Verdict
    note: str = ""

    @property
    def meaning(self) -> str:
        """The verdict as people read it."""
        return f"{MEANING[self.verdict]}{f' ({self.note})' if self.note else ''}"


@dataclass(frozen=True)
class Trees:
    """The states that matter, as trees of a scratch repository.

    Attributes:
        old: what the template made of the answers, at the version that the project is at.
        before: the project.
        after: the project as Copier has updated it.
        new: makes what the template makes of the new answers, at the new version; only called if that matters.
    """

    old: str
    before: str
    after: str
    new: Callable[[], str]


def judge(scratch: Scratch, trees: Trees, conflicts: Collection[str], in_the_way: Collection[str]) -> Iterator[File]:
    """The verdict on each file that changes, or that changed in the template and stays as the user has it.

    Args:
        scratch: the repository that has the trees.
        trees: what to compare.
        conflicts: paths with a conflict.
        in_the_way: paths that are to be added and where a file lies that git does not know: these stay.
    """
    old, before, after = (scratch.files(tree) for tree in (trees.old, trees.before, trees.after))
    moved = {path: to for path, to in scratch.renames(trees.old, trees.after).items() if to not in before}
    moved_by_user = scratch.renames(trees.old, trees.before)
    untouched = [path for path in old if before.get(path) == after.get(path) != old[path] and path != ANSWERS_FILE]
    new = scratch.files(trees.new()) if untouched else {}
    for path in sorted({*old, *before, *after}):
        was, will = before.get(path), after.get(path)
        edited = was != old.get(path) and path != ANSWERS_FILE
        if path in in_the_way:
            yield File(path, Verdict.KEPT, "a file that git does not know lies there")
        elif path in conflicts:
            lost = edited and _lost(scratch, old.get(path), was, will)
            yield File(path, Verdict.OVERWRITTEN if lost else Verdict.CONFLICT)
        elif was == will:
            if edited and path in old and old[path] != new.get(path):
                yield from _kept(path, was, new.get(path), moved_by_user)
        elif was is None:
            yield File(path, Verdict.ADDED)
        elif will is None:
            if not edited:
                yield File(path, Verdict.REMOVED, f"moved to {moved[path]}" if path in moved else "")
            elif path in moved:
                yield File(path, Verdict.MOVED_EDITED, f"to {moved[path]}")
            else:
                yield File(path, Verdict.REMOVED_EDITED)
        elif not edited:
            yield File(path, Verdict.UPDATED)
        elif _lost(scratch, old.get(path), was, will):
            yield File(path, Verdict.OVERWRITTEN)
        else:
            yield File(path, Verdict.MERGED)


def _kept(
    path: str, was: tuple[str, str] | None, new: tuple[str, str] | None, moved_by_user: Mapping[str, str]
) -> Iterator[File]:
    if was is not None:
        if was != new:
            yield File(path, Verdict.KEPT, "" if new else "and no longer in the template")
    elif new is not None:
        place = moved_by_user.get(path)
        yield File(path, Verdict.KEPT, f"you moved it to {place}" if place else "you deleted it")


def _lost(
    scratch: Scratch, old: tuple[str, str] | None, was: tuple[str, str] | None, will: tuple[str, str] | None
) -> bool:
    """Whether lines that the user has put into a file are not in it afterwards.

    Merging tools have their own idea of success; this looks at what comes out.
    """
    if was is None:
        return False
    if will is None:
        return True
    base, mine, result = (scratch.blob(side[1]) if side else b"" for side in (old, was, will))
    if b"\0" in mine:
        return mine not in (base, result)
    wrote = _lines(mine) - _lines(base)
    return bool(wrote - _lines(result))


def _lines(content: bytes) -> Counter[bytes]:
    return Counter(line.rstrip(b"\r") for line in content.split(b"\n"))
