"""Searches that any number of workers share by a database: they join and leave, and the number of trials is exact.

A worker tells the storage that it is alive. The trial of one that no longer does is run again by another.
"""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Literal

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ..data.sources import expand, hide
from ..errors import ProjectError

POSTGRESQL_DRIVER = "psycopg[binary]>=3.2"
ALIVE_SECONDS, DEAD_SECONDS = 5, 20
"""How often a worker says that it is alive, and after how long a silence its trial is run again."""
RETRIES = 2
"""How often a trial is run again whose worker has died, perhaps of it."""
LOCKED_SECONDS = 60
"""How long a worker waits for another that writes into the same SQLite file."""
TAKEN_FOR_DEAD = "Cannot tell a FAIL trial."
"""What Optuna says at the end of a trial if its worker could not say that it was alive, as a laptop that was asleep."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

Direction = Literal["minimize", "maximize"]
Score = Callable[[optuna.Trial], float]


class _OneTooManyError(Exception):
    """Another worker has begun the last trial in the same moment."""


@contextlib.contextmanager
def storage_errors(storage: str) -> Iterator[None]:
    """Say in one sentence what is wrong with a storage.

    Raises:
        ProjectError: it cannot be used.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        reason = hide(str(error.__cause__ or error).strip().partition("\n")[0], storage)
        raise ProjectError(f"the storage {storage} cannot be used: {reason}") from error


def join(
    storage: str, name: str, direction: Direction, pruner: optuna.pruners.BasePruner, tries: int = 3
) -> optuna.study.Study:
    """Return the study of a name, which is made if it is not there yet.

    Args:
        storage: `sqlite:///` and a path, for workers on one machine, or `postgresql://…`; `${NAME}` stands for an
            environment variable.
        name: The study's.
        direction: Whether a large value is the better one.
        pruner: What stops trials early.
        tries: Workers that begin in the same moment make its tables at once, which fails for all but one.

    Raises:
        ProjectError: it is another kind of storage, its driver is not installed, or it holds a password.
    """
    url = expand(storage)
    if url.startswith("postgresql://"):
        url, options = url.replace("postgresql", "postgresql+psycopg", 1), {}
    elif url.startswith("sqlite:///"):
        options = {"connect_args": {"timeout": LOCKED_SECONDS}}
    else:
        raise ProjectError(f"the storage {storage} is neither sqlite:///PATH nor postgresql://…")
    try:
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            opened = RDBStorage(
                url,
                engine_kwargs=options,
                heartbeat_interval=ALIVE_SECONDS,
                grace_period=DEAD_SECONDS,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            )
            # Without a seed, for workers of the same seed would begin with the same trials.
            sampler = optuna.samplers.TPESampler(constant_liar=True)
        return optuna.create_study(
            storage=opened, study_name=name, direction=direction, sampler=sampler, pruner=pruner, load_if_exists=True
        )
    except ImportError as error:
        need = f"run: uv add --group train '{POSTGRESQL_DRIVER}'"
        raise ProjectError(f"the driver of {storage} is not installed; {need}") from error
    except SQLAlchemyError:
        if tries == 1:
            raise
        time.sleep(1)
        return join(storage, name, direction, pruner, tries - 1)


def run(study: optuna.study.Study, score: Score, trials: int) -> None:
    """Run trials until so many are finished, by whichever worker."""

    def score_within(trial: optuna.Trial) -> float:
        before = [other for other in _trials(study, *FINISHED, TrialState.RUNNING) if other.number < trial.number]
        if len(before) >= trials:
            raise _OneTooManyError
        return score(trial)

    since: dict[int, float] = {}
    while len(finished(study)) < trials:
        if len(_trials(study, *FINISHED, TrialState.RUNNING)) < trials:
            try:
                study.optimize(score_within, n_trials=1, catch=(_OneTooManyError,))
            except (AssertionError, ValueError) as error:
                if TAKEN_FOR_DEAD not in (str(error), str(error.__context__)):
                    raise
        else:  # the last ones are at work elsewhere, and may die there
            time.sleep(1)
            with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
                fail_stale_trials(study)
            _speak_once(study, since)


def _speak_once(study: optuna.study.Study, since: dict[int, float]) -> None:
    """Say once that a trial is alive that has been waited for: of one that never said so, no silence would be noticed.

    Args:
        study: Whose trials are waited for.
        since: When each of them was first waited for, by its number; kept from call to call.
    """
    now = time.monotonic()
    for trial in _trials(study, TrialState.RUNNING):
        if now - since.setdefault(trial.number, now) > DEAD_SECONDS:
            since[trial.number] = float("inf")
            study._storage.record_heartbeat(trial._trial_id)  # type: ignore[attr-defined]  # Optuna has no other way


def finished(study: optuna.study.Study) -> list[FrozenTrial]:
    """Return the trials that count, in the order in which they were begun."""
    return _trials(study, *FINISHED)


def _trials(study: optuna.study.Study, *states: TrialState) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=states)
