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
from ..task import explained
from ..task.answer import Prediction, flatten, to_predictions
from ..task.explained import ONLY_SUPPORTING, choose_output
from .background import draw
from .changes import find_changes
from .parts import Part, Parts
from .shapley import attribute

MAX_BACKGROUND, MIN_BACKGROUND = 100, 10
MAX_PREDICTIONS = 4_000
"""How many predictions the contributions of a row take at most, unless so many columns leave fewer than
`MIN_BACKGROUND` rows of background."""
MAX_REASONS = 4


class Reason(msgspec.Struct, frozen=True):
    """An input that moves the number most, in the schema's words, with its value in the row, or a piece of it."""

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
    profile of the data, with blank texts and the average image. A text contributes by each of its words, and an image
    by each of its parts.
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
        self._background = draw(predictor.signature, profiles, _count_background(len(self._inputs)))

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
        focus = getattr(explained, "focus", lambda columns, _: columns)  # where other inputs would ask something else

        def value(columns: Columns) -> NDArray[np.float64]:
            if time.monotonic() > end:
                raise TimeoutError
            return flatten(self._predictor.predict(focus(columns, answer)))[output].astype(np.float64)

        plain = {column.name: column.plain(row[column.name])[0] for column in self._inputs}
        seed = int.from_bytes(hashlib.blake2b(msgspec.json.encode(plain), digest_size=8).digest())
        parts = Parts(self._inputs, row, self._background)
        fewer = take(parts.background, np.arange(_count_background(len(parts.told))))
        base, contributions = attribute(lambda mixed: value(parts.join(mixed)), parts.row, fewer, seed)
        return Explanation(
            prediction=to_predictions(answer)[0],
            output=output,
            value=float(flatten(answer)[output][0]),
            base=base,
            contributions=dict(zip(parts.told, contributions.tolist(), strict=True)),
            reasons=_reasons(list(parts.told.values()), contributions),
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


def _count_background(parts: int) -> int:
    """Return how many rows of background a row in so many parts is compared with."""
    return max(MIN_BACKGROUND, min(MAX_PREDICTIONS // (2 * parts + 1), MAX_BACKGROUND))


def _reasons(parts: Sequence[Part], contributions: NDArray[np.float64]) -> list[Reason]:
    """Return the parts that contribute most, the largest first."""
    weights = contributions if ONLY_SUPPORTING else np.abs(contributions)
    largest = [i for i in np.argsort(-weights, kind="stable")[:MAX_REASONS].tolist() if weights[i] > 0]
    return [_name_reason(parts[i], float(contributions[i])) for i in largest]


def _name_reason(part: Part, contribution: float) -> Reason:
    return Reason(part.column.name, part.column.description, part.value, contribution)
