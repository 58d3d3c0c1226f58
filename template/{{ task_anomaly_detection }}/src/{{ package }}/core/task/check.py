"""What may be wrong with the part of `schema.py` that an anomaly detector has: its target."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.check import Slip
from .answer import OUTPUTS


def find_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    """Yield what is wrong with the names that `schema.py` defines for this task.

    Args:
        values: What it defines, by name.
    """
    target = values["TARGET"]
    if not isinstance(target, str):
        yield Slip("TARGET", "TARGET must be the name of a column, as text")
    elif target in {column.name for column in OUTPUTS}:
        yield Slip("TARGET", f"TARGET is {target!r}, which is a column of the answer: rename it in source.py")
