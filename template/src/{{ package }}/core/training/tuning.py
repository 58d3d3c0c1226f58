"""Tuning: the search for better parameters, by cross-validation on the training rows."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna

from ... import model
from ..contract.signature import Signature
from ..data import snapshots
from ..evaluation.measure import Examples, Metric, Rows, choose, take
from ..evaluation.report import gate_metric
from ..params import Params
from ..task import examples
from ..task.target import folds
from . import decisions, run
from .tracking import Silent

FOLDS = 3


def tune(snapshot: Path, params: Params, trials: int) -> tuple[dict[str, Any], float]:
    """Search with Optuna, without ever looking at a held-out row.

    Returns:
        The best parameters, as the section `model` of `params.yaml`, and their mean of the gate's metric.

    Raises:
        ProjectError: the data or the parameters will not do.
    """
    metric = gate_metric(params.gate)
    training = decisions.weigh(examples.split(snapshots.load(snapshot), params.split)[0], params)
    signature = run.make_signature(training.columns)
    parts = folds(training, FOLDS, params.seed)

    def score(trial: optuna.Trial) -> float:
        suggested = model.suggest(trial, params.model)
        return float(np.mean([_score(metric, suggested, params.seed, signature, training, *part) for part in parts]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize" if metric.higher_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=params.seed),
    )
    study.optimize(score, n_trials=trials)
    return model.suggest(optuna.trial.FixedTrial(study.best_params), params.model), study.best_value


def _score(
    metric: Metric,
    params: dict[str, Any],
    seed: int,
    signature: Signature,
    training: Examples,
    learn: Rows,
    check: Rows,
) -> float:
    """Return the metric of one fold."""
    fitted = run.fit(params, seed, signature, choose(training, learn), Silent())
    unknown = signature.model_inputs(take(training.columns, check))
    return metric.value(training.target[check], model.predict(fitted, unknown))
