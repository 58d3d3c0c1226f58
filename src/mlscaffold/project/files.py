"""What happens to a file: one word for it, in `new`, `update`, `set` and `adopt`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What happens to one file."""

    ADDED = "added"
    UPDATED = "updated"
    MERGED = "merged"
    CONFLICT = "conflict"
    KEPT = "kept"
    REMOVED = "removed"
    REPLACED = "replaced"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class File:
    """One file of a project.

    Attributes:
        path: with forward slashes, from the project's folder.
        verdict: what happens to it.
        note: more about it, for people; may be empty.
        size: in bytes, of what the template makes; 0 if nobody asked.
        layers: those that it comes from; none if it is part of every project, or nobody asked.
    """

    path: str
    verdict: Verdict = Verdict.ADDED
    note: str = ""
    size: int = 0
    layers: tuple[str, ...] = ()


def match_patterns(patterns: Sequence[str]) -> Callable[[str], bool]:
    """What tells whether a path is meant by patterns, which are written as in .gitignore."""
    if not patterns:
        return lambda path: False
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns).match_file


def select(files: Iterable[File], verdict: Verdict) -> list[File]:
    """The files with a verdict."""
    return [file for file in files if file.verdict is verdict]
