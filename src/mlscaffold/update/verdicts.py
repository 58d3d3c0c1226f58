"""What an update does to each file, said before it is done."""

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from mlscaffold.project.files import File, Verdict
from mlscaffold.template.render import ANSWERS_FILE
from mlscaffold.update.merge import Merge, Sides

MEANING = {
    Verdict.ADDED: "new",
    Verdict.UPDATED: "as the template has it now",
    Verdict.MERGED: "the template's changes and yours",
    Verdict.CONFLICT: "the template's changes and yours meet: yours to resolve",
    Verdict.KEPT: "yours, although the template's has changed",
    Verdict.REMOVED: "no longer in the template",
}


def explain(file: File) -> str:
    """A verdict as people read it."""
    return f"{MEANING[file.verdict]}{f' ({file.note})' if file.note else ''}"


def judge_files(sides: Sides, merge: Merge, in_the_way: Collection[str]) -> Iterator[File]:
    """The verdict on each file that changes, or that changed in the template and stays as the user has it.

    Args:
        sides: what was merged.
        merge: what came out.
        in_the_way: paths that were to be added, where something lies that git does not know: these stay.
    """
    came_from = {to: path for path, to in merge.moved.items()}
    user_moved = {to: path for path, to in merge.moved_by_user.items()}
    along = _find_moved_along(sides, merge)
    came_along = {to: path for path, to in along.items()}
    went_along = _find_gone_along(sides, merge)
    for path in sorted({*sides.old, *sides.new, *sides.mine, *merge.files}):
        was, will = sides.mine.get(path), merge.files.get(path)
        source = came_from.get(path, user_moved.get(path))
        place = f"moved from {source}" if source else ""
        if path in in_the_way:
            yield File(path, Verdict.KEPT, "something that git does not know lies there")
        elif path in merge.conflicts:
            dropped = {side.stage for side in merge.conflicts[path]} == {1, 2}
            yield File(path, Verdict.CONFLICT, "the template removed it, and you edited it" if dropped else place)
        elif was == will:
            note = _explain_kept(sides, merge, path)
            if note is not None:
                yield File(path, Verdict.KEPT, note)
        elif was is None:
            if path in came_along:
                yield File(path, Verdict.ADDED, f"yours, moved with its folder from {came_along[path]}")
            elif path in went_along:
                yield File(path, Verdict.ADDED, f"you moved the folder of {went_along[path]}")
            else:
                edited = source is not None and source in sides.mine and sides.mine[source] != sides.old[source]
                yield File(path, Verdict.MERGED if edited else Verdict.ADDED, place)
        elif will is None:
            to = merge.moved.get(path, along.get(path))
            yield File(path, Verdict.REMOVED, f"moved to {to}" if to else "")
        else:
            base = sides.old.get(user_moved.get(path, path))
            updated = path == ANSWERS_FILE or was == base
            yield File(path, Verdict.UPDATED if updated else Verdict.MERGED, place)


def _find_moved_along(sides: Sides, merge: Merge) -> dict[str, str]:
    """The user's own files that went with a folder which the template moved: old path to new path."""
    new = {entry: path for path, entry in merge.files.items() if path not in sides.mine and path not in sides.new}
    own = sides.mine.keys() - sides.old.keys() - merge.files.keys()
    return {path: new[sides.mine[path]] for path in own if sides.mine[path] in new}


def _find_gone_along(sides: Sides, merge: Merge) -> dict[str, str]:
    """The template's new files that went into a folder which the user moved: path here to path in the template."""
    elsewhere = sides.new.keys() - sides.old.keys() - merge.files.keys()
    added = {path: entry for path, entry in merge.files.items() if path not in sides.mine and path not in sides.new}
    return {
        path: source
        for path, entry in added.items()
        for source in elsewhere
        if sides.new[source] == entry and PurePosixPath(source).name == PurePosixPath(path).name
    }


def _explain_kept(sides: Sides, merge: Merge, path: str) -> str | None:
    """More about a file that stays although the template's has changed; None if there is nothing to say."""
    old, new, mine = (tree.get(path) for tree in (sides.old, sides.new, sides.mine))
    if old is None and mine is None:
        source = next((source for source, to in merge.moved.items() if to == path), None)
        if source is None or source in sides.mine:
            return None
        to = merge.moved_by_user.get(source)
        return f"you moved it to {to}" if to else f"you deleted it, as {source}"
    if path == ANSWERS_FILE or mine in (old, new) or old == new:
        return None
    if mine is not None:
        return "" if new else "and no longer in the template"
    if path in merge.moved_by_user or new is None:
        return None  # said at its new place, or gone on both sides
    return "you deleted it"
