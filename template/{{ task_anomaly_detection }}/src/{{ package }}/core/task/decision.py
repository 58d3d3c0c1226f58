"""The decision of an anomaly detector: from which score on a row is flagged, so that a share of the rows is.

The threshold is chosen on the training rows, by the scores of models that have not seen them, and without labels.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from ..errors import ProjectError
from ..evaluation.measure import Target
from .answer import decided

Table = list[dict[str, str | int | float]]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `decision` of `params.yaml`."""

    alert_budget: Annotated[float, msgspec.Meta(gt=0, lt=1)]


def decide(section: dict[str, Any]) -> Callable[[Target, Answer], dict[str, float]]:
    """Return what chooses the threshold, as the section `decision` of `params.yaml` wants it.

    Raises:
        ProjectError: the section is not as it must be.
    """
    try:
        wanted = msgspec.convert(section, Wanted)
    except msgspec.ValidationError as error:
        raise ProjectError(f"params.yaml, decision: {error}") from error
    return lambda _, answer: {"threshold": _choose(wanted.alert_budget, answer["score"])}


def tabulate(target: Target, answer: Answer) -> dict[str, Table]:
    """Return what the decisions come to, by title: how many rows of each kind are flagged."""
    flagged, threshold = decided(answer), answer.get("threshold")
    rows: Table = [
        {"actual": name, "flagged": int((flagged & kind).sum()), "not flagged": int((~flagged & kind).sum())}
        for name, kind in (("anomaly", target), ("normal", ~target))
    ]
    return {f"Alerts from a score of {threshold[0]:.3f} on" if threshold is not None else "Alerts": rows}


def _choose(budget: float, score: NDArray[Any]) -> float:
    """Return the lowest threshold that flags at most a share of the rows, in the middle between two scores."""
    limit = np.sort(score)[::-1][int(budget * len(score))]  # the first that is not to be flagged
    above = score[score > limit]
    return float((limit + (above.min() if len(above) else 1)) / 2)
