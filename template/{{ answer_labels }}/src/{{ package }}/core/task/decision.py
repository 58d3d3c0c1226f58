"""The decision of a classifier: from which probability on a row is given the second of two labels.

The threshold is chosen on training rows, by the answers of models that have not seen them: where the errors cost least,
or where a wanted share of the second label is found, or of what is called so is right.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Answer
from ..errors import ProjectError
from ..evaluation.measure import Target
from .answer import NAMES, decided, lacking_in

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Cost = Annotated[float, msgspec.Meta(gt=0)]
Table = list[dict[str, str | int | float]]
UNKNOWN = "–"


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the two errors cost: the second label given where it is wrong, and not given where it is right."""

    false_positive: Cost
    false_negative: Cost


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `decision` of `params.yaml`: one of three."""

    costs: Costs | None = None
    recall: Share | None = None
    precision: Share | None = None


def decide(section: dict[str, Any]) -> Callable[[Target, Answer], dict[str, float]]:
    """Return what chooses the threshold, as the section `decision` of `params.yaml` wants it.

    Raises:
        ProjectError: the section is not as it must be, or there are more than two labels.
    """
    try:
        wanted = msgspec.convert(section, Wanted)
    except msgspec.ValidationError as error:
        raise ProjectError(f"params.yaml, decision: {error}") from error
    if len(section) != 1:
        raise ProjectError("params.yaml, decision: give one of costs, recall and precision")
    if len(NAMES) != 2:
        raise ProjectError(f"params.yaml, decision: a threshold is between two labels, and schema.py has {len(NAMES)}")
    return lambda target, answer: {"threshold": _choose(wanted, target == 1, answer["probabilities"][:, 1])}


def weigh(target: Target, section: dict[str, float] | str) -> NDArray[np.float64]:
    """Return how much each row counts in training, shape (rows,): 1 on average.

    Args:
        target: The labels, by position.
        section: The section `weights` of `params.yaml`: "balanced" for labels that count equally, however rare, or a
            weight for each label that does not have the weight 1.

    Raises:
        ProjectError: it names a label that there is not, or no weight.
    """
    if section == "balanced":
        by_label = 1 / np.bincount(target, minlength=len(NAMES))
    elif isinstance(section, dict) and set(section) <= set(NAMES) and all(weight > 0 for weight in section.values()):
        by_label = np.array([section.get(name, 1.0) for name in NAMES])
    else:
        raise ProjectError(f"params.yaml, weights: must be balanced, or weights above 0 of {', '.join(NAMES)}")
    weights: NDArray[np.float64] = by_label[target] / by_label[target].mean()
    return weights


def tabulate(target: Target, answer: Answer) -> dict[str, Table]:
    """Return what the decisions come to, by title: precision, recall and F1 of each label, and the confusion matrix."""
    counts = np.zeros((len(NAMES), len(NAMES)), dtype=np.int64)
    np.add.at(counts, (target, decided(answer)), 1)
    scores: Table = []
    for i, name in enumerate(NAMES):
        hits, called, there = int(counts[i, i]), int(counts[:, i].sum()), int(counts[i].sum())
        shares: dict[str, str | float] = {
            "precision": hits / max(called, 1),
            "recall": hits / there if there else UNKNOWN,
            "F1": 2 * hits / (called + there) if there else UNKNOWN,
        }
        scores.append({"label": name, **shares, "rows": there})
    matrix: Table = [
        {"actual": name, **{f"decided {other}": int(n) for other, n in zip(NAMES, row, strict=True)}}
        for name, row in zip(NAMES, counts, strict=True)
    ]
    lacking = lacking_in(target)
    unmeasured = f" (no row is labelled {' or '.join(lacking)}, so nothing is known of that)" if lacking else ""
    where = f" from a probability of {answer['threshold'][0]:.3f} for {NAMES[1]} on" if "threshold" in answer else ""
    return {f"Decision{where}{unmeasured}": scores, "Confusion matrix": matrix}


def _choose(wanted: Wanted, hit: NDArray[np.bool_], score: NDArray[Any]) -> float:
    """Return the threshold, in the middle between two scores."""
    values, position = np.unique(score, return_inverse=True)
    # Of each threshold, from the lowest score upwards: how many are called so, and how many of them rightly.
    called = np.cumsum(np.bincount(position)[::-1])[::-1]
    found = np.cumsum(np.bincount(position, weights=hit)[::-1])[::-1]
    recall, precision = found / hit.sum(), found / called
    if wanted.costs:
        costs = wanted.costs.false_positive * (called - found) + wanted.costs.false_negative * (hit.sum() - found)
        best = int(costs.argmin())
    elif wanted.recall:
        best = int(np.flatnonzero(recall >= wanted.recall)[-1])
    else:
        enough = np.flatnonzero(precision >= (wanted.precision or 0))
        if not len(enough):
            raise ProjectError(
                f"params.yaml, decision: no threshold reaches a precision of {wanted.precision} on the training rows; "
                f"the highest is {precision.max():.2f}"
            )
        best = int(enough[recall[enough].argmax()])
    below = values[best - 1] if best else 0.0
    return float((values[best] + below) / 2)
