"""A project's files as a tree: ten lines of it, or all."""

import posixpath
from collections.abc import Iterable, Sequence

from rich.text import Text
from rich.tree import Tree

from mlscaffold.cli import screen
from mlscaffold.project.files import File

_LINES = 10


def draw_files(name: str, files: Sequence[File], *, full: bool) -> Tree:
    """A folder's files: each with its size, or the folders in about ten lines."""
    return _draw_all(name, files) if full else _draw_some(name, files)


def _draw_all(name: str, files: Iterable[File]) -> Tree:
    root = Tree(Text(f"{name}/", style="bold"), guide_style="dim")
    folders = {"": root}
    for file in sorted(files, key=_folders_first):
        *above, last = file.path.split("/")
        node, place = root, ""
        for part in above:
            place = f"{place}/{part}"
            if place not in folders:
                folders[place] = node.add(Text(f"{part}/", style="bold"))
            node = folders[place]
        node.add(Text.assemble(last, (f"  {_size(file.size)}", "dim")))
    return root


def _draw_some(name: str, files: Sequence[File]) -> Tree:
    """The folders with their number of files, then the files beside them, in about ten lines."""
    folders: dict[str, list[File]] = {}
    for file in files:
        folders.setdefault(file.path.split("/")[0] if "/" in file.path else "", []).append(file)
    beside = [file for file in folders.pop("", []) if not file.path.startswith(".")]
    rows = [(f"{_common(inside)}/", len(inside)) for top, inside in folders.items() if not top.startswith(".")]
    rows = rows[:_LINES]
    beside = beside[: _LINES - len(rows)]
    rest = len(files) - len(beside) - sum(count for _, count in rows)
    width = max((len(path) for path, _ in rows), default=0)
    root = Tree(Text(f"{name}/", style="bold"), guide_style="dim")
    for path, count in rows:
        root.add(Text.assemble((path.ljust(width), "bold"), (f"  {screen.count(count, 'file')}", "dim")))
    for file in beside:
        root.add(Text(file.path))
    if rest:
        root.add(Text(f"and {screen.count(rest, 'file')} more", style="dim"))
    return root


def list_folders(files: Iterable[File]) -> list[tuple[str, str, str]]:
    """The files in one row for each note and top folder: what is there, how many of them, and the note."""
    groups: dict[tuple[str, str], list[File]] = {}
    for file in files:
        groups.setdefault((file.note, file.path.split("/")[0]), []).append(file)
    return [
        (group[0].path if len(group) == 1 else f"{_common(group)}/", screen.count(len(group), "file"), note)
        for (note, _), group in groups.items()
    ]


def _common(files: Sequence[File]) -> str:
    """The deepest folder that holds all of the files."""
    return posixpath.commonpath([posixpath.dirname(file.path) for file in files])


def _folders_first(file: File) -> tuple[tuple[bool, str], ...]:
    parts = file.path.split("/")
    return tuple((index == len(parts) - 1, part) for index, part in enumerate(parts))


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB"
