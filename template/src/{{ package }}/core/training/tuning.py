"""Tuning: the search for better parameters, by cross-validation on the training rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import optuna
import polars as pl

from ... import model
from .. import inputs
from ..bundles.fingerprint import PACKAGE
from ..contract.signature import Signature
from ..data import snapshots
from ..errors import ProjectError
from ..evaluation.measure import Examples, Metric, Rows, choose, take
from ..evaluation.report import gate_metric
from ..params import Params
from ..progress import step
from ..task import examples
from ..task.target import folds
from . import decisions, run, shared
from .fitting import Watch

FOLDS = 3
MIN_STEPS = 10
"""How many steps of a fit a trial is given before it can be stopped."""
KEPT = 75
"""A trial goes on while its loss at a step is among the best so many percent of those so far."""
COMPLETE = optuna.trial.TrialState.COMPLETE


class Trial(msgspec.Struct, frozen=True):
    """One set of hyperparameters, and the mean of the gate's metric where it was not stopped early."""

    number: int
    value: float | None
    params: dict[str, Any]


class Search(msgspec.Struct, frozen=True):
    """What a search has found: the best parameters, as the section `model` of `params.yaml`, and all trials."""

    model: dict[str, Any]
    value: float
    trials: list[Trial]


def tune(snapshot: Path, params: Params, trials: int, storage: str = "") -> Search:
    """Search with Optuna, without ever looking at a held-out row.

    Args:
        snapshot: The data.
        params: The parameters.
        trials: How many trials there are in all, over all workers.
        storage: Where workers share a search, as `shared.py` takes it; the seed does not decide what they find. Workers
            that are given the same data, code and parameters, but for those that are searched, join the same search.

    Raises:
        ProjectError: the data or the parameters will not do, or the storage cannot be used.
    """
    metric = gate_metric(params.gate)
    training = decisions.weigh(examples.split(snapshots.load(snapshot), params.split)[0], params)
    signature = run.make_signature(training.columns)
    parts = folds(training, FOLDS, params.seed)

    def score(trial: optuna.Trial) -> float:
        suggested = model.suggest(trial, params.model)

        def watch(number: int, values: Mapping[str, float]) -> None:
            loss = values.get("validation_loss")
            if loss is not None:
                trial.report(-loss if metric.higher_is_better else loss, number)
                if trial.should_prune():
                    raise optuna.TrialPruned

        # The steps of the first fold alone are watched: those of another would be taken for the same fit's.
        watched = zip(parts, [watch, *[lambda *_: None] * (FOLDS - 1)], strict=True)
        scores = [_score(metric, suggested, params.seed, signature, training, *part, told) for part, told in watched]
        if np.isnan(scores).any():  # which Optuna takes for a trial that never was
            raise optuna.TrialPruned
        return float(np.mean(scores))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    direction: shared.Direction = "maximize" if metric.higher_is_better else "minimize"
    pruner = optuna.pruners.PercentilePruner(KEPT, n_warmup_steps=MIN_STEPS)
    with shared.storage_errors(storage):
        if storage:
            name = f"{PACKAGE.name}-{inputs.identify_search(snapshot.stem, _fix_searched(params))[:16]}"
            study = shared.join(storage, name, direction, pruner)
            doing = f"search {name}, of whose {trials} trials {len(shared.finished(study))} are done"
        else:
            sampler = optuna.samplers.TPESampler(seed=params.seed)
            study = optuna.create_study(direction=direction, sampler=sampler, pruner=pruner)
            doing = f"search of {trials} trials"
        with step(doing):
            shared.run(study, score, trials)
        if not study.get_trials(deepcopy=False, states=(COMPLETE,)):
            raise ProjectError(f"{params.gate.metric} could be measured in none of {trials} trials: try more rows")
        best = model.suggest(optuna.trial.FixedTrial(study.best_params), params.model)
        found = [Trial(t.number, t.value if t.state == COMPLETE else None, t.params) for t in shared.finished(study)]
        return Search(best, study.best_value, found)


def _fix_searched(params: Params) -> Params:
    """Return the parameters with something in place of each that is searched, so that `--write` parts no workers."""
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    return msgspec.structs.replace(params, model=model.suggest(trial, params.model))


def show(search: Search, metric: Metric, most: int = 10) -> str:
    """Return the best trials as text."""
    ranked = sorted(
        (trial for trial in search.trials if trial.value is not None),
        key=lambda trial: trial.value or 0,
        reverse=bool(metric.higher_is_better),
    )
    rows = pl.DataFrame([{"trial": trial.number, "value": trial.value, **trial.params} for trial in ranked[:most]])
    with pl.Config(
        tbl_rows=most, tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True
    ):
        return str(rows)


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
