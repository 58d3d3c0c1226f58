"""What may be wrong with the part of `schema.py` that a classifier has: its labels."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.check import Slip
from ..yours import did_you_mean


def find_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    """Yield what is wrong with the names that `schema.py` defines for this task.

    Args:
        values: What it defines, by name.
    """
    if "LABELS" not in values:
        yield Slip("LABELS", f"it does not define LABELS{did_you_mean('LABELS', values)}")
        return
    labels = values["LABELS"]
    if not isinstance(labels, tuple | list):
        yield Slip("LABELS", "LABELS must be a tuple of the values of the target, as in ('good', 'bad')")
        return
    if len(labels) < 2:
        yield Slip("LABELS", f"LABELS holds {len(labels)} of the at least two values that the target must have")
    for label in labels:
        if not isinstance(label, str | int | float) or label == "":
            yield Slip("LABELS", f"LABELS holds {label!r}, which is neither a text, a number nor True or False", label)
        if str(label) in values.get("MISSING", ()):
            yield Slip("LABELS", f"LABELS holds {label!r}, which is also in MISSING", label)
    names = [str(label) for label in labels]
    for twice in sorted({name for name in names if names.count(name) > 1}):
        yield Slip("LABELS", f"LABELS holds {twice!r} more than once", next(x for x in labels if str(x) == twice))
    favourable = values.get("FAVOURABLE")
    if favourable is None and values.get("PROTECTED"):
        yield Slip("PROTECTED", "PROTECTED needs FAVOURABLE, the one of LABELS that people want")
    if favourable is not None and favourable not in labels:
        sentence = f"FAVOURABLE is {favourable!r}, which is none of LABELS: name one, or None if people want none"
        yield Slip("FAVOURABLE", sentence)
    if not isinstance(values["TARGET"], str):
        yield Slip("TARGET", "TARGET must be the name of a column, as text")
