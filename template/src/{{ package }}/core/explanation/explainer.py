"""Explanations: the answer for a row, what each input contributes, the reasons in words, and what would change it."""

import hashlib
import time
from collections.abc import Sequence
from math import inf
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..bundles.predictor import Predictor
from ..contract.columns import Columns
from ..contract.optional import CHANGEABLE
from ..evaluation.measure import take
from ..monitoring.profiles import Profile
from ..task.answer import Prediction, flatten, to_predictions
from ..task.explained import ONLY_SUPPORTING, choose_output
from ..task.parts import take_apart
from .background import draw
from .changes import find_changes
from .parts import Parts
from .shapley import attribute

MAX_BACKGROUND, MIN_BACKGROUND = 100, 10
MAX_PREDICTIONS = 4_000
"""How many predictions the contributions of a row take at most, unless so many columns leave fewer than
`MIN_BACKGROUND` rows of background."""
MAX_REASONS = 4


class Reason(msgspec.Struct, frozen=True):
    """An input that moves the number most, in the schema's words, with its value in the row."""

    column: str
    description: str
    value: Any
    contribution: float


class Consequence(msgspec.Struct, frozen=True):
    """Another value of one column, and what the number and the prediction would then be.

    `distance` is the share of the data that lies between, or that does not have the value: 0 is near, 1 is far.
    """

    column: str
    description: str
    value: Any
    becomes: float
    prediction: Prediction
    distance: float


class Explanation(msgspec.Struct, frozen=True):
    """Why a row is answered so: `value` is `base` and all `contributions` together.

    `output` names the number that is explained. `base` is what it is on average over rows that are made up from the
    profile of the data.
    """

    prediction: Prediction
    output: str
    value: float
    base: float
    contributions: dict[str, float]
    reasons: list[Reason]
    changes: list[Consequence]


class Explainer:
    """A model that can explain its answers."""

    def __init__(
        self, predictor: Predictor, profiles: Sequence[Profile], changeable: Sequence[str] = CHANGEABLE
    ) -> None:
        self._predictor = predictor
        self._profiles = profiles
        self._changeable = changeable
        self._inputs = predictor.signature.inputs
        rows = MAX_PREDICTIONS // (2 * len(self._inputs) + 1)
        rows = max(MIN_BACKGROUND, min(rows, MAX_BACKGROUND))
        self._background = draw(predictor.signature, profiles, rows)

    def explain(self, columns: Columns, seconds: float = inf) -> list[Explanation]:
        """Explain rows, as a request carries them; the same row always in the same way.

        Raises:
            TimeoutError: it takes longer than so many seconds.
        """
        rows, end = len(columns[self._inputs[0].name]), time.monotonic() + seconds
        return [self._explain(take(columns, np.array([i])), end) for i in range(rows)]

    def _explain(self, row: Columns, end: float) -> Explanation:
        answer = self._predictor.predict(row)
        output = choose_output(answer)

        def value(columns: Columns) -> NDArray[np.float64]:
            if time.monotonic() > end:
                raise TimeoutError
            return flatten(self._predictor.predict(columns))[output].astype(np.float64)

        plain = {column.name: column.plain(row[column.name])[0] for column in self._inputs}
        seed = int.from_bytes(hashlib.blake2b(msgspec.json.encode(plain), digest_size=8).digest())
        parts = take_apart(self._inputs, row, self._background)
        base, contributions = attribute(lambda mixed: value(parts.join(mixed)), parts.row, parts.background, seed)
        return Explanation(
            prediction=to_predictions(answer)[0],
            output=output,
            value=float(flatten(answer)[output][0]),
            base=base,
            contributions=dict(zip(parts.row, contributions.tolist(), strict=True)),
            reasons=_reasons(parts, contributions),
            changes=[
                Consequence(
                    column=change.column.name,
                    description=change.column.description,
                    value=change.value,
                    becomes=float(flatten(change.answer)[output][0]),
                    prediction=to_predictions(change.answer)[0],
                    distance=change.distance,
                )
                for change in find_changes(self._predictor, self._profiles, row, answer, self._changeable)
            ],
        )


def _reasons(parts: Parts, contributions: NDArray[np.float64]) -> list[Reason]:
    """Return the parts that contribute most, the largest first."""
    weights = contributions if ONLY_SUPPORTING else np.abs(contributions)
    largest = [i for i in np.argsort(-weights, kind="stable")[:MAX_REASONS].tolist() if weights[i] > 0]
    names = list(parts.row)
    return [Reason(names[i], *parts.told[i], float(contributions[i])) for i in largest]
