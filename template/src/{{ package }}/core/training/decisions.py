"""What a task may add in `metrics.py` and need not: how much a row counts in training, and how it is decided.

`weigh` reads the section `weights` of `params.yaml` and returns a weight for each row; `decide` reads the section
`decision` and returns what chooses numbers, such as a threshold, by the answers for rows that the model has not seen.
They are sealed in the bundle and are part of every answer.
"""

from typing import Any

import msgspec
import numpy as np

from ... import metrics, model
from ..contract.columns import Answer
from ..contract.signature import Signature
from ..errors import ProjectError
from ..evaluation.measure import Examples, choose, take
from ..params import Params
from ..task.target import folds
from . import run

FOLDS = 5


def weigh(training: Examples, params: Params) -> Examples:
    """Return the rows with their weights, where `params.yaml` asks for any.

    Raises:
        ProjectError: the task does not weigh rows, or not so.
    """
    if not params.weights:
        return training
    weights = _hook("weigh", "weights")(training.target, params.weights)
    return msgspec.structs.replace(training, weights=weights)


def decide(training: Examples, params: Params, signature: Signature) -> Signature:
    """Return the signature with what decides, where `params.yaml` asks for any.

    It is chosen by cross-validation on the training rows: by answers of models that have not seen the row.

    Raises:
        ProjectError: the task decides nothing, or not so.
    """
    if not params.decision:
        return signature
    rule = _hook("decide", "decision")(params.decision)
    decision = rule(training.target, _answer_unseen(training, params, signature))
    return msgspec.structs.replace(signature, decision=decision)


def _answer_unseen(training: Examples, params: Params, signature: Signature) -> Answer:
    """Return for each row the answer of a model that was fitted to other folds."""
    answers, places = [], []
    for learn, check in folds(training, FOLDS, params.seed):
        fitted = run.fit(params.model, params.seed, signature, choose(training, learn), lambda *_: None)
        answers.append(model.predict(fitted, signature.model_inputs(take(training.columns, check))))
        places.append(check)
    order = np.argsort(np.concatenate(places))
    return {name: np.concatenate([answer[name] for answer in answers])[order] for name in answers[0]}


def _hook(name: str, section: str) -> Any:
    """Return a function of `metrics.py`."""
    if not hasattr(metrics, name):
        raise ProjectError(f"params.yaml, {section}: metrics.py has no function {name!r}, so leave it empty")
    return getattr(metrics, name)
