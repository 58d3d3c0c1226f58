"""The parts of a row to which an explanation attributes its answer."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..contract.columns import Columns


class Parts(NamedTuple):
    """A row in parts, and what is made of mixtures of its parts with those of the background.

    Attributes:
        row: The row, shape (1,) each.
        background: The rows of which the base is the average.
        join: Returns columns as a request carries them.
        told: What each part means, and its value as JSON.
    """

    row: Columns
    background: Columns
    join: Callable[[Columns], Columns]
    told: list[tuple[str, Any]]
