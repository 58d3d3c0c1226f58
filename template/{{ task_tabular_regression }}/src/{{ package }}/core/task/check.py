"""What may be wrong with the part of `schema.py` that a regression has: its target and its coverage."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.check import Slip
from ..contract.columns import Number
from ..yours import did_you_mean


def find_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    """Yield what is wrong with the names that `schema.py` defines for this task.

    Args:
        values: What it defines, by name.
    """
    if not isinstance(values["TARGET"], Number):
        yield Slip("TARGET", "TARGET must be a Number, as in Number(name='price')")
    if "COVERAGE" not in values:
        yield Slip("COVERAGE", f"it does not define COVERAGE{did_you_mean('COVERAGE', values)}")
    elif not isinstance(values["COVERAGE"], float) or not 0 < values["COVERAGE"] < 1:
        yield Slip("COVERAGE", "COVERAGE must be a share between 0 and 1, such as 0.9")
