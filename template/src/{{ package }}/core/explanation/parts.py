"""The parts of a row to which an explanation attributes its answer: its columns, and in place of a text its words."""

from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Column, Columns, Text

MAX_WORDS = 100
"""How many parts a text has at most; the words of a longer one count in groups."""
BLANK = " "
"""A text without words, which any request may carry: what is left of a text when all of its words are away."""


class Part(NamedTuple):
    """A column of a row, or some of its words, with the value as JSON has it."""

    column: Column
    value: Any


class Parts:
    """A row in parts.

    Attributes:
        told: The parts by name; of words it is that of their column, a colon, and the words.
        row: The row, shape (1,) for each part; of words, that they are there.
        background: The rows of which the base is the average, shape (rows,) for each part; their texts are blank.
    """

    def __init__(self, inputs: Sequence[Column], row: Columns, background: Columns) -> None:
        self._inputs = inputs
        self._texts: dict[str, list[tuple[str, str]]] = {}
        self.told: dict[str, Part] = {}
        self.row: Columns = {}
        self.background: Columns = {}
        for column in inputs:
            words = row[column.name][0].split() if isinstance(column, Text) else []
            groups = _group(words)
            self._texts[column.name] = [(word, f"{column.name}: {groups[word]}") for word in words]
            nothing = np.zeros(len(background[column.name]), dtype=bool)
            for group in dict.fromkeys(groups.values()):
                self._add(f"{column.name}: {group}", Part(column, group), np.array([True]), nothing)
            if not words:
                part = Part(column, column.plain(row[column.name])[0])
                self._add(column.name, part, row[column.name], background[column.name])

    def _add(self, name: str, part: Part, row: NDArray[Any], background: NDArray[Any]) -> None:
        self.told[name], self.row[name], self.background[name] = part, row, background

    def join(self, mixed: Columns) -> Columns:
        """Return columns as a request carries them, of parts of the row mixed with those of the background."""
        return {
            column.name: _join(words, mixed) if (words := self._texts[column.name]) else mixed[column.name]
            for column in self._inputs
        }


def _group(words: Sequence[str]) -> dict[str, str]:
    """Return of each word those that it counts with: itself alone, where there are not too many."""
    different = list(dict.fromkeys(words))
    size = -(-len(different) // MAX_WORDS)
    return {word: " ".join(different[i // size * size :][:size]) for i, word in enumerate(different)}


def _join(words: Sequence[tuple[str, str]], mixed: Columns) -> NDArray[Any]:
    """Return the texts of those words whose parts are there, shape (rows,)."""
    there = np.stack([mixed[part] for _, part in words], axis=1)
    return np.array([" ".join(compress((word for word, _ in words), row)) or BLANK for row in there], dtype=object)
