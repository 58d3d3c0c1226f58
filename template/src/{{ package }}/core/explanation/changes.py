"""What would change an answer: other values of single columns, of those that a person can change."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..bundles.predictor import Predictor
from ..contract.columns import Answer, Column, Columns
from ..evaluation.measure import take
from ..monitoring.profiles import Profile
from ..task.explained import differs

MAX_CHANGES = 4
MAX_TRIED = 1_000
"""How many other values are tried at most."""


class Change(NamedTuple):
    """Another value of a column, as JSON has it, the answer that it leads to, and how far away the value is, 0 to 1."""

    column: Column
    value: Any
    answer: Answer
    distance: float


def find_changes(
    predictor: Predictor, profiles: Iterable[Profile], row: Columns, answer: Answer, changeable: Iterable[str]
) -> list[Change]:
    """Return the nearest changes of single columns that lead to another answer, one for each column, nearest first.

    A number is as far away as the share of the data that lies between, a category as the share that has other values:
    what few people have is hard to come by (B. Ustun et al., "Actionable recourse in linear classification", 2019,
    measure by such shares, too).

    Args:
        predictor: The model.
        profiles: What values there are.
        row: The row whose answer is to change.
        answer: Its answer.
        changeable: The names of the columns that may change.
    """
    known = {profile.name: profile for profile in profiles}
    columns = [column for column in predictor.signature.inputs if column.name in changeable and column.name in known]
    tried = [other for column in columns for other in _others(column, known[column.name], row)][:MAX_TRIED]
    if not tried:
        return []
    rows = {name: np.repeat(values, len(tried)) for name, values in row.items()}
    for i, (column, value, _) in enumerate(tried):
        rows[column.name][i] = column.array([value])[0]
    answers = predictor.predict(rows)
    found: dict[str, Change] = {}
    for i in np.flatnonzero(differs(answers, answer)).tolist():
        column, value, distance = tried[i]
        if column.name not in found or distance < found[column.name].distance:
            found[column.name] = Change(column, value, take(answers, np.array([i])), distance)
    return sorted(found.values(), key=lambda change: change.distance)[:MAX_CHANGES]


def _others(column: Column, profile: Profile, row: Columns) -> Iterator[tuple[Column, Any, float]]:
    """Yield the other values of a column that its contract allows, with their distances."""
    (now,) = row[column.name].tolist()
    values: list[Any] = [value for value in profile.alternatives() if value != now]
    wrong = np.any([np.zeros(len(values), dtype=bool), *column.faults(column.array(values)).values()], axis=0)
    distances = profile.distances(now, values)
    yield from [(column, value, far) for value, far, no in zip(values, distances, wrong, strict=True) if not no]
