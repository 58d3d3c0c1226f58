"""Carry the template's change onto a project, as git carries a commit to another branch.

What the template makes of the answers before and after becomes two commits, and git's own merge brings their difference
onto the project as it is committed, following files and folders that either side has moved. Around that there are a few
rules of ours: what the user deleted stays deleted, what they moved stays where they moved it, and what is no longer a
file of the same kind is theirs.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mlscaffold.project.scratch import Conflicts, Entry, Scratch, Side, Tree
from mlscaffold.system.git import Git, GitError
from mlscaffold.template.render import ANSWERS_FILE

# How much of a file must be the same for it to count as moved, in percent. Git's own 50 pairs small files too freely;
# a file that got another name must be more alike than one that has only changed its folder.
_FLOOR = 70
_FLOOR_OF_NAMES = 90

_BIG = 1 << 20  # bytes; files of the user that are larger take no part, but for their place
_RAW = "* -text -ident -filter -working-tree-encoding\n"
_SUBJECT = "mlscaffold: the template's change"
_MINE = re.compile(rb"^<{7} HEAD(?=[:\r\n])", re.MULTILINE)
_THEIRS = re.compile(rb"^>{7} [0-9a-f]{4,64} \(" + re.escape(_SUBJECT.encode()) + rb"\)", re.MULTILINE)


@dataclass(frozen=True)
class Sides:
    """What is merged.

    Attributes:
        old: what the template made of the answers, at the version that the project is at.
        new: what it makes of the new answers, at the new version.
        mine: the project as it is committed.
    """

    old: Tree
    new: Tree
    mine: Tree


@dataclass(frozen=True)
class Merge:
    """What comes out.

    Attributes:
        files: the project's files afterwards; those with a conflict as git leaves them.
        conflicts: the sides of each conflict.
        moved: files that the template moved, old path to new path.
        moved_by_user: likewise, those that the user moved.
    """

    files: Tree
    conflicts: Conflicts
    moved: Mapping[str, str]
    moved_by_user: Mapping[str, str]


def merge_change(scratch: Scratch, sides: Sides, is_kept: Callable[[str, bool], bool]) -> Merge:
    """Carry the difference between two renders onto a project.

    Args:
        scratch: the repository that has all the trees.
        sides: the trees.
        is_kept: whether a file is left as it is, whatever the template does; told whether the user has it.

    Raises:
        GitError: git cannot do it.
    """
    answers = {ANSWERS_FILE: sides.new[ANSWERS_FILE]} if ANSWERS_FILE in sides.new else {}
    hidden = _hide_content(scratch, sides)
    mine = {path: hidden.get(path, entry) for path, entry in sides.mine.items() if path != ANSWERS_FILE}
    ready = _leave_to_user(replace(sides, mine=mine), is_kept)
    moved = _find_moves(scratch, ready.old, ready.new)
    moved_by_user = _find_moves(scratch, ready.old, ready.mine)
    ready, dropped = _decide(ready, moved, moved_by_user)
    if not moved and not moved_by_user:
        ready = replace(ready, mine={path: ready.mine[path] for path in ready.mine.keys() & {*ready.old, *ready.new}})
    files, conflicts = _cherry_pick(scratch, _align_line_ends(scratch, ready))

    stand_ins = {entry.sha: sides.mine[path] for path, entry in hidden.items()}
    files = {path: stand_ins.get(entry.sha, entry) for path, entry in files.items()}
    untouched = {} if moved or moved_by_user else {path: sides.mine[path] for path in mine.keys() - ready.mine.keys()}
    files = {**untouched, **files, **answers}
    for path in dropped:
        files.pop(path, None)
        if sides.mine[path] != sides.old[path]:
            files[path] = sides.mine[path]
            conflicts[path] = [Side(*sides.old[path], 1), Side(*sides.mine[path], 2)]
    return Merge(files, conflicts, moved, moved_by_user)


def _hide_content(scratch: Scratch, sides: Sides) -> dict[str, Entry]:
    """Stand-ins for what is the user's alone and large, missing in this clone, or a repository of its own."""
    own = {path: entry for path, entry in sides.mine.items() if path not in sides.old and path not in sides.new}
    sizes = scratch.read_sizes({entry.sha for entry in own.values()})
    return {
        path: Entry("100644", scratch.write_blob(f"{path} {entry.sha}\n".encode("utf-8", "surrogateescape")))
        for path, entry in own.items()
        if entry.kind == "16" or not 0 <= sizes.get(entry.sha, -1) < _BIG
    }


def _leave_to_user(sides: Sides, is_kept: Callable[[str, bool], bool]) -> Sides:
    """Take out of the template's change what is none of its business: for these paths, new becomes as old."""
    old, new = dict(sides.old), dict(sides.new)
    for tree in (old, new):
        tree.pop(ANSWERS_FILE, None)  # it is written anew each time
    for path in {*old, *new} & sides.mine.keys():
        kinds = {tree[path].kind for tree in (old, new) if path in tree}
        if kinds != {sides.mine[path].kind} or is_kept(path, True):
            new.pop(path, None)
            if path in old:
                new[path] = old[path]
    for path in new.keys() - old.keys() - sides.mine.keys():
        if is_kept(path, False):
            del new[path]
    return Sides(old, new, sides.mine)


def _find_moves(scratch: Scratch, before: Tree, after: Tree) -> dict[str, str]:
    if before.keys() <= after.keys():
        return {}
    trees = scratch.write_tree(before), scratch.write_tree(after)
    return {
        path: to
        for path, (to, alike) in scratch.find_renames(*trees, _FLOOR).items()
        if _name(path) == _name(to) or alike >= _FLOOR_OF_NAMES
    }


def _name(path: str) -> str:
    return PurePosixPath(path).name


def _decide(sides: Sides, moved: Mapping[str, str], moved_by_user: Mapping[str, str]) -> tuple[Sides, Collection[str]]:
    """Decide what git would ask about although there is a rule for it.

    Returns:
        The trees, so that git has nothing to ask, and the files that the template has dropped.
    """
    old, new, mine = dict(sides.old), dict(sides.new), dict(sides.mine)
    dropped = []
    for path, entry in sides.old.items():
        place, gone = moved.get(path), path not in sides.new and path not in moved
        if path in moved_by_user:
            if gone:
                new[path] = entry  # the file is the user's now
            elif place and place != moved_by_user[path]:
                new[path] = new.pop(place)  # it stays where the user has put it
        elif path not in sides.mine:
            for name in (path, place):  # deleted stays deleted
                new.pop(name or path, None)
            del old[path]
        elif gone:
            del old[path], mine[path]
            dropped.append(path)
    return Sides(old, new, mine), dropped


def _align_line_ends(scratch: Scratch, sides: Sides) -> Sides:
    """Give the template's versions of a file the line ends that the user gave theirs, so that lines can be compared."""
    old, new, mine = dict(sides.old), dict(sides.new), sides.mine
    edited = {path for path in old.keys() & mine.keys() if old[path].sha != mine[path].sha and old[path].kind == "10"}
    changed = [path for path in edited & new.keys() if old[path] != new[path]]
    contents = scratch.read_blobs({tree[path].sha for tree in (old, new, mine) for path in changed})
    for path in changed:
        ours, theirs = contents[mine[path].sha], contents[old[path].sha]
        if ours.count(b"\r\n") == ours.count(b"\n") > 0 and b"\r" not in theirs and b"\0" not in ours:
            for tree in (old, new):
                content = contents[tree[path].sha].replace(b"\n", b"\r\n")
                tree[path] = tree[path]._replace(sha=scratch.write_blob(content))
    return Sides(old, new, mine)


def _cherry_pick(scratch: Scratch, sides: Sides) -> tuple[dict[str, Entry], dict[str, list[Side]]]:
    """Let git merge, and return the files with their conflicts as it leaves them, and the sides of these."""
    trees = {name: scratch.write_tree(getattr(sides, name)) for name in ("old", "new", "mine")}
    folder = scratch.root.parent / "merge"
    folder.mkdir()
    attributes = scratch.root / ".git/info/attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(_RAW, "utf-8")  # what is checked out here is, byte for byte, what is committed
    git = replace(scratch.git, folder=folder, work_tree=folder)
    old = git.ask("commit-tree", "-m", "old", trees["old"])
    new = git.ask("commit-tree", "-m", _SUBJECT, "-p", old, trees["new"])
    git.run("reset", "--quiet", "--hard", git.ask("commit-tree", "-m", "mine", "-p", old, trees["mine"]))
    failure = None
    try:
        git.run("cherry-pick", "--no-commit", f"-Xfind-renames={_FLOOR}%", new)
    except GitError as error:
        failure = error
    files, conflicts = _read_index(git)
    if failure and not conflicts:
        raise failure
    attributes.unlink()
    for path, stages in list(conflicts.items()):
        present = {side.stage: side for side in stages}
        if 2 in present and 3 in present:
            files[path] = _take_conflict(scratch, folder / path, present[2])
        else:  # about a place only: the user's stays
            del conflicts[path]
            if 2 in present:
                files[path] = Entry(present[2].mode, present[2].sha)
    return files, conflicts


def _read_index(git: Git) -> tuple[dict[str, Entry], dict[str, list[Side]]]:
    files: dict[str, Entry] = {}
    conflicts: dict[str, list[Side]] = {}
    for listed in git.names("ls-files", "--stage", "-z"):
        meta, _, path = listed.partition("\t")
        mode, sha, stage = meta.split(" ")
        if stage == "0":
            files[path] = Entry(mode, sha)
        else:
            conflicts.setdefault(path, []).append(Side(mode, sha, int(stage)))
    return files, conflicts


def _take_conflict(scratch: Scratch, place: Path, mine: Side) -> Entry:
    """A file as git left it, with markers that speak of the update and not of a commit that is gone tomorrow."""
    if place.is_symlink() or not place.is_file():
        return Entry(mine.mode, mine.sha)
    content = _MINE.sub(b"<<<<<<< before updating", place.read_bytes())
    return Entry(mine.mode, scratch.write_blob(_THEIRS.sub(b">>>>>>> after updating", content)))
