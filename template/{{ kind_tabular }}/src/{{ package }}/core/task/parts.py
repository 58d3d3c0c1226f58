"""What contributes to the answer for a row of a table: its columns."""

from collections.abc import Sequence

from ..contract.columns import Column, Columns
from ..explanation.parts import Parts


def take_apart(inputs: Sequence[Column], row: Columns, background: Columns) -> Parts:
    """Return a row and the background as they are, shape (1,) and (rows,) each."""
    told = [(column.description, column.plain(row[column.name])[0]) for column in inputs]
    return Parts(row, background, lambda mixed: mixed, told)
