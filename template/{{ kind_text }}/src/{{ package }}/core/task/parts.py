"""What contributes to the answer for a text: its words, each against the text without it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..contract.columns import Column, Columns, Text
from ..evaluation.measure import take
from ..explanation.parts import Parts

MAX_PARTS = 100
"""How many parts a text has at most; the words of a longer one count in groups."""
MAX_PREDICTIONS = 4_000
"""How many predictions a row takes at most."""


def take_apart(inputs: Sequence[Column], row: Columns, background: Columns) -> Parts:
    """Return a row in words, and in whatever else it carries, with a background that has no words.

    Args:
        inputs: The columns of a request.
        row: The row, shape (1,) each.
        background: Rows, shape (rows,) each.
    """
    words = {column.name: _split(str(row[column.name][0])) for column in inputs if isinstance(column, Text)}
    parts, told = {}, list[tuple[str, Any]]()
    for column in inputs:
        for group in dict.fromkeys(group for _, group in words.get(column.name, ())):
            parts[f"{column.name}: {group}"] = np.array([group], dtype=object)
            told.append((column.description, group))
        if column.name not in words:
            parts[column.name] = row[column.name]
            told.append((column.description, column.plain(row[column.name])[0]))
    size = min(len(background[inputs[0].name]), max(1, MAX_PREDICTIONS // (2 * len(parts) + 1)))
    fewer = take(background, np.arange(size))
    empty = np.full(size, "", dtype=object)

    def join(mixed: Columns) -> Columns:
        rows = len(next(iter(mixed.values()))) if mixed else 1
        return {
            column.name: _join(words[column.name], column.name, mixed, rows)
            if column.name in words
            else mixed[column.name]
            for column in inputs
        }

    return Parts(parts, {name: fewer.get(name, empty) for name in parts}, join, told)


def _split(text: str) -> list[tuple[str, str]]:
    """Return each word of a text with the group that it counts in: itself, where there are not too many."""
    words = text.split()
    different = list(dict.fromkeys(words))
    size = -(-len(different) // MAX_PARTS) or 1
    groups = {word: " ".join(different[i // size * size :][:size]) for i, word in enumerate(different)}
    return [(word, groups[word]) for word in words]


def _join(words: list[tuple[str, str]], name: str, mixed: Columns, rows: int) -> Any:
    """Return texts of the words whose parts are there, shape (rows,)."""
    there = {group: mixed[f"{name}: {group}"] != "" for _, group in words}
    texts = [" ".join(word for word, group in words if there[group][i]) for i in range(rows)]
    return np.array(texts, dtype=object)
