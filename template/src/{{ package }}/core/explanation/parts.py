"""The parts of a row to which an explanation attributes its answer: its columns, and the pieces of texts and images."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Column, Columns

MAX_WORDS = 100
"""How many parts a text has at most; the words of a longer one count in groups."""


class Part(NamedTuple):
    """A column of a row with its value as JSON has it, or some of its pieces, such as words, with their names."""

    column: Column
    value: Any


class Parts:
    """A row in parts.

    Attributes:
        told: The parts by name; of pieces it is that of their column, a colon, and the names of the pieces.
        row: The row, shape (1,) for each part; of pieces, that they are there.
        background: The rows of which the base is the average, shape (rows,) for each part; their texts are blank, and
            their images the average one.
    """

    def __init__(self, inputs: Sequence[Column], row: Columns, background: Columns) -> None:
        self._inputs = inputs
        self._pieces: dict[str, list[str]] = {}
        self._whole, self._nothing = row, background
        self.told: dict[str, Part] = {}
        self.row: Columns = {}
        self.background: Columns = {}
        for column in inputs:
            pieces = column.pieces(row[column.name][0])
            groups = _group(pieces)
            self._pieces[column.name] = [f"{column.name}: {groups[piece]}" for piece in pieces]
            nothing = np.zeros(len(background[column.name]), dtype=bool)
            for group in dict.fromkeys(groups.values()):
                self._add(f"{column.name}: {group}", Part(column, group), np.array([True]), nothing)
            if not pieces:
                part = Part(column, column.plain(row[column.name])[0])
                self._add(column.name, part, row[column.name], background[column.name])

    def _add(self, name: str, part: Part, row: NDArray[Any], background: NDArray[Any]) -> None:
        self.told[name], self.row[name], self.background[name] = part, row, background

    def join(self, mixed: Columns) -> Columns:
        """Return columns as a request carries them, of parts of the row mixed with those of the background."""
        return {
            column.name: self._join(column, mixed) if self._pieces[column.name] else mixed[column.name]
            for column in self._inputs
        }

    def _join(self, column: Column, mixed: Columns) -> NDArray[Any]:
        """Return values of those pieces whose parts are there, shape (rows,)."""
        value, other = self._whole[column.name][0], self._nothing[column.name][0]
        there = np.stack([mixed[part] for part in self._pieces[column.name]], axis=1)
        joined = np.empty(len(there), dtype=object)
        joined[:] = [column.keep(value, row, other) for row in there]
        return joined


def _group(words: Sequence[str]) -> dict[str, str]:
    """Return of each piece those that it counts with: itself alone, where there are not too many."""
    different = list(dict.fromkeys(words))
    size = -(-len(different) // MAX_WORDS)
    return {word: " ".join(different[i // size * size :][:size]) for i, word in enumerate(different)}
