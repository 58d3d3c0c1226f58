"""The files of every combination, from few real renders.

Copier renders a small set of combinations in which each file occurs with each distinct set of the answers that it
reads; the project of any other combination is put together from those pieces. So hundreds of combinations cost what
a handful does, and every byte that is checked was written by Copier. The one exception is a file that reads so many
answers that it would take all combinations, such as the README: its other variants are rendered alone, and where Copier
has written one, both must be the same.
"""

from __future__ import annotations

import heapq
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tests.template.combinations import Combination, Source, Template, Values

MANY = 24
"""Of a file with more variants not every one is written by Copier."""

Piece = tuple[Source, Values]
Render = Callable[[Path, Combination], object]
"""Writes the project of a combination to a path, which is absent; raises whatever Copier does."""


@dataclass(frozen=True)
class File:
    """A generated file: its path in the project, with slashes, and what it holds."""

    path: str
    content: bytes
    executable: bool


@dataclass(frozen=True)
class Assembly:
    """What a template writes: ``pieces`` holds every file in every variant, ``projects`` the real renders."""

    template: Template
    answers_file: str
    pieces: dict[Piece, File] = field(default_factory=dict)
    projects: list[tuple[Combination, Path]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def files(self, combination: Combination) -> dict[str, File]:
        """Return the project of *combination* by path, without the answers file, which differs in each."""
        pieces = (self.pieces[piece] for piece in pieces_of(self.template, combination))
        return {file.path: file for file in pieces}

    def distinct(self) -> Iterator[tuple[str, File]]:
        """Yield each distinct path and content once, with the answers that lead there, for messages."""
        seen: set[File] = set()
        for combination in self.template.combinations:
            for source, values in pieces_of(self.template, combination):
                file = self.pieces[source, values]
                if file not in seen:
                    seen.add(file)
                    yield self.template.describe(source, combination), file

    def subtrees(self, *patterns: str) -> Iterator[tuple[Combination, dict[str, File]]]:
        """Yield each distinct set of files whose paths match one of *patterns*, with a combination that has it.

        For checks across files (a workflow and the actions that it uses, a kustomization and its resources): each set
        is seen once, however many combinations share it. A star also matches slashes. Empty sets are left out.
        """
        seen: set[frozenset[File]] = set()
        for combination in self.template.combinations:
            tree = {p: f for p, f in self.files(combination).items() if any(fnmatch(p, x) for x in patterns)}
            if tree and (content := frozenset(tree.values())) not in seen:
                seen.add(content)
                yield combination, tree


@cache
def pieces_of(template: Template, combination: Combination) -> tuple[Piece, ...]:
    """Return the files that *combination* has, each with the values that decide its content."""
    return tuple((s, s.key(combination)) for s in template.sources if template.path_of(s, combination) is not None)


def covering(template: Template) -> list[Combination]:
    """Return few combinations that hold every piece of all of them: the one that adds most first, and so on.

    Files with many pieces do not count.
    """
    pieces = [frozenset(pieces_of(template, combination)) for combination in template.combinations]
    exceptions = _find_many(template)
    missing = {piece for some in pieces for piece in some if piece[0] not in exceptions}
    chosen = []
    most = [(-len(some), number) for number, some in enumerate(pieces)]  # of each, what it adds at most
    heapq.heapify(most)
    while missing:
        _, number = heapq.heappop(most)
        adds = (-len(pieces[number] & missing), number)
        if most and adds > most[0]:
            heapq.heappush(most, adds)
            continue
        chosen.append(template.combinations[number])
        missing -= pieces[number]
    return chosen


def assemble(template: Template, render: Render, directory: Path) -> Assembly:
    """Render a covering set below *directory* and take it apart. What goes wrong is in the result's ``problems``."""
    assembly = Assembly(template, template.config.get("_answers_file", ".copier-answers.yml"))
    for number, combination in enumerate(covering(template)):
        project = directory / f"project-{number}"
        try:
            render(project, combination)
        except Exception as error:
            assembly.problems.append(f"{combination}: {_where(error)}{type(error).__name__}: {error}")
            continue
        written = read_project(project)
        written.pop(assembly.answers_file, None)
        for source, values in pieces_of(template, combination):
            path = str(template.path_of(source, combination))
            if path not in written:
                assembly.problems.append(f"{combination}: Copier did not write {path} of {source.path}")
                continue
            file = written.pop(path)
            first = assembly.pieces.setdefault((source, values), file)
            if first != file:
                assembly.problems.append(f"{combination}: {path} depends on more than {', '.join(source.reads)}")
        assembly.problems.extend(f"{combination}: Copier also wrote {path}" for path in sorted(written))
        assembly.projects.append((combination, project))
    _complete(assembly)
    return assembly


def _complete(assembly: Assembly) -> None:
    """Render the missing pieces of files with many, and compare what Copier has written of these files."""
    template, done, exceptions = assembly.template, set[Piece](), _find_many(assembly.template)
    for combination in template.combinations:
        for source, values in pieces_of(template, combination):
            if source not in exceptions or (source, values) in done:
                continue
            done.add((source, values))
            origin, path = template.folder / source.path, str(template.path_of(source, combination))
            content = template.render(origin.read_text("utf-8"), combination.answers).encode()
            file = File(path, content, bool(origin.stat().st_mode & 0o100))
            if assembly.pieces.setdefault((source, values), file) != file:
                assembly.problems.append(f"{combination}: {path} is another if it is rendered alone")


def _find_many(template: Template) -> set[Source]:
    """Return the files that have more than `MANY` pieces."""
    every = {piece for combination in template.combinations for piece in pieces_of(template, combination)}
    return {source for source, count in Counter(source for source, _ in every).items() if count > MANY}


def read_project(project: Path) -> dict[str, File]:
    """Return every file below *project* by its path."""
    files = {}
    for path in sorted(path for path in project.rglob("*") if path.is_file()):
        name = path.relative_to(project).as_posix()
        files[name] = File(name, path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return files


def differences(expected: dict[str, File], found: dict[str, File]) -> Sequence[str]:
    """Return the paths that are not in both, or not the same in both."""
    return sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))


def _where(error: Exception) -> str:
    """Return the template and the line at which Jinja gave up, for Copier's own message names neither."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    frames = [frame for link in chain for frame in traceback.extract_tb(link.__traceback__)]
    for frame in reversed(frames):
        if frame.filename.endswith((".jinja", ".yml")):
            return f"{Path(frame.filename).name}, line {frame.lineno}: "
    return ""
