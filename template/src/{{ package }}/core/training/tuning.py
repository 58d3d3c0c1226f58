"""The search for better parameters, by cross-validation inside the rows that are trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
from sklearn.model_selection import StratifiedKFold

from ... import model
from ...schema import INPUTS
from ..contract.tables import to_columns
from ..data import snapshots
from ..evaluation import report
from ..params import Params
from . import run

FOLDS = 3


def tune(snapshot: Path, params: Params, trials: int) -> tuple[dict[str, Any], float]:
    """Search with Optuna, without ever looking at a held-out row.

    Returns:
        The best parameters, as the section `model` of `params.yaml`, and their mean of the gate's metric.

    Raises:
        ProjectError: the data or the parameters will not do.
    """
    metric = report.gate_metric(params.gate)
    fitting, _ = snapshots.split(snapshots.load(snapshot), params.split)
    columns, target = to_columns(fitting, INPUTS), snapshots.to_target(fitting)
    features = run.make_signature(columns).model_inputs(columns)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=params.seed).split(target, target))

    def score(trial: optuna.Trial) -> float:
        values = []
        for fit, check in folds:
            learnt = {name: array[fit] for name, array in features.items()}
            unknown = {name: array[check] for name, array in features.items()}
            fitted = run.fit(model.suggest(trial, params.model), params.seed, learnt, target[fit])
            answers = model.predict(fitted, unknown)
            values.append(metric.function(target[check], answers))
        return float(np.mean(values))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize" if metric.higher_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=params.seed),
    )
    study.optimize(score, n_trials=trials)
    return model.suggest(optuna.trial.FixedTrial(study.best_params), params.model), study.best_value
