"""Tuning: the search for better parameters, by cross-validation on the training rows."""

from collections.abc import Mapping
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
from .fitting import Watch

FOLDS = 3
MIN_STEPS = 10
"""How many steps of a fit a trial is given before it can be stopped."""
KEPT = 75
"""A trial goes on while its loss at a step is among the best so many percent of those so far."""


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

        def watch(step: int, values: Mapping[str, float]) -> None:
            loss = values.get("validation_loss")
            if loss is not None:
                trial.report(-loss if metric.higher_is_better else loss, step)
                if trial.should_prune():
                    raise optuna.TrialPruned

        # The steps of the first fold alone are watched: those of another would be taken for the same fit's.
        watched = zip(parts, [watch, *[lambda *_: None] * (FOLDS - 1)], strict=True)
        scores = [_score(metric, suggested, params.seed, signature, training, *part, told) for part, told in watched]
        return float(np.mean(scores))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize" if metric.higher_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=params.seed),
        pruner=optuna.pruners.PercentilePruner(KEPT, n_warmup_steps=MIN_STEPS),
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
    watch: Watch,
) -> float:
    """Return the metric of one fold."""
    fitted = run.fit(params, seed, signature, choose(training, learn), watch)
    unknown = signature.model_inputs(take(training.columns, check))
    return metric.value(training.target[check], model.predict(fitted, unknown))
