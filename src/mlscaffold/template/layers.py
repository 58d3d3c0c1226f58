"""Layers: the template's folders that are named after an answer, and lie in a project only if that was given."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from mlscaffold.template.source import PARTS

_FOLDER = re.compile(r"\{\{-? *(\w+) *-?\}\}")


def find_layers(root: Path, known: Collection[str]) -> set[str]:
    """Those of the known layers that have a folder in a template."""
    return {
        name
        for _, folders, _ in os.walk(root)
        for match in map(_FOLDER.fullmatch, folders)
        if match and (name := match[1]) in known
    }


def stage_questions(root: Path, into: Path, files: str) -> None:
    """Give a template another folder, without its files: its questions, and what they include.

    Args:
        root: the folder of copier.yml.
        into: a folder to make.
        files: the folder of its files, from the root; "" if they lie beside copier.yml.
    """
    _stage(root, into, lambda folder, _: bool(files) and Path(folder) == root / files, _link)


def stage_template(
    root: Path,
    into: Path,
    leave_out: Collection[str],
    unfold: Collection[str] = (),
    *,
    suffix: str = "",
    empty: bool = False,
) -> None:
    """Give a template another folder, with fewer paths: each takes time, whatever it becomes.

    Args:
        root: the folder of copier.yml.
        into: a folder to make; its files are the same files, where the system allows that, and not to be changed.
        leave_out: names of the layers to leave out.
        unfold: names of the layers whose files are put where they will lie in the project.
        suffix: how the names of files that are rendered end.
        empty: whether only the paths matter.
    """

    def skip(_: str, name: str) -> bool:
        match = _FOLDER.fullmatch(name)
        return match is not None and match[1] in leave_out

    _stage(root, into, skip, _touch if empty else _link)
    for folder, names, _ in os.walk(into, topdown=False):
        for name in names:
            if (match := _FOLDER.fullmatch(name)) and match[1] in unfold:
                _unfold(Path(folder, name), Path(folder), suffix)


def read_layers(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Path and layers of each file in a render whose layers stayed folders, named @layer."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file():
            layers = tuple(part[1:] for part in parts if part.startswith("@"))
            yield "/".join(part for part in parts if not part.startswith("@")), layers


def _stage(root: Path, into: Path, skip: Callable[[str, str], bool], copy: Callable[[str, str], None]) -> None:
    into.mkdir(parents=True)
    ours = all((root / part).exists() for part in PARTS)
    for part in PARTS if ours else sorted(place.name for place in root.iterdir() if place.name != ".git"):
        source, target = root / part, into / part
        if source.is_dir() and not source.is_symlink():
            known = part in PARTS[:-1]  # questions include what lies in there
            shutil.copytree(
                source,
                target,
                symlinks=True,
                ignore=lambda folder, names: {name for name in names if skip(folder, name)},
                copy_function=_link if known else copy,
            )
        else:
            _link(str(source), str(target))


def _unfold(layer: Path, into: Path, suffix: str) -> None:
    """Move a layer's files, but for links, which lead elsewhere from there, and for what another file stands for."""
    for path in list(layer.iterdir()):
        target = into / path.name
        if path.is_symlink():
            continue
        if path.is_dir():
            if not os.path.lexists(target) or (target.is_dir() and not target.is_symlink()):
                target.mkdir(exist_ok=True)
                _unfold(path, target, suffix)
        elif not any(os.path.lexists(into / name) for name in _names_of(path.name, suffix)):
            path.rename(target)
    with contextlib.suppress(OSError):  # what could not be moved
        layer.rmdir()


def _names_of(name: str, suffix: str) -> set[str]:
    """The names in a template that become the same name as this one."""
    plain = name.removesuffix(suffix)
    return {plain, plain + suffix}


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


def _touch(_: str, target: str) -> None:
    Path(target).touch()
