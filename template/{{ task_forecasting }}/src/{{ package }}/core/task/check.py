"""What may be wrong with the part of `schema.py` that a forecast has: its target, periods and past."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.check import Slip
from ..contract.columns import Date, Number
from ..yours import did_you_mean

COUNTS = ("SEASON", "HISTORY", "HORIZON")
AHEAD = "_ahead_"
"""What stands between the name of a feature and the number of the period that it is of."""
FREQUENCIES = ("d", "w", "mo", "q", "y")


def find_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    """Yield what is wrong with the names that `schema.py` defines for this task.

    Args:
        values: What it defines, by name.
    """
    if not isinstance(values["TARGET"], Number):
        yield Slip("TARGET", "TARGET must be a Number, as in Number(name='sales')")
    for name in ("GROUP", "TIME"):
        if values.get(name):
            yield Slip(name, f"{name} is not for forecasts, of which the newest periods are held out: remove it")
    missing = [name for name in ("SERIES", "DAY", "FREQUENCY", *COUNTS) if name not in values]
    yield from [Slip(name, f"it does not define {name}{did_you_mean(name, values)}") for name in missing]
    if missing:
        return
    for name in ("SERIES", "DAY"):
        if not isinstance(values[name], str) or not values[name]:
            yield Slip(name, f"{name} must be the name of a column, as text")
    if values["FREQUENCY"] not in FREQUENCIES:
        yield Slip("FREQUENCY", f"FREQUENCY must be one of {', '.join(FREQUENCIES)}")
    wrong = [name for name in COUNTS if not isinstance(values[name], int) or values[name] < 1]
    yield from [Slip(name, f"{name} must be a whole number of periods, at least 1") for name in wrong]
    if not wrong and values["HISTORY"] < values["SEASON"]:
        yield Slip("HISTORY", "HISTORY must be at least SEASON: the naive baseline answers by the season before")
    if not wrong and isinstance(values["INPUTS"], tuple | list):
        yield from _find_missing_inputs(values)
    if not wrong and isinstance(values["FEATURES"], tuple | list):
        yield from _find_missing_features(values)


def _find_missing_inputs(values: Mapping[str, Any]) -> Iterator[Slip]:
    kinds = {getattr(column, "name", None): type(column) for column in values["INPUTS"]}
    if kinds.get("start") is not Date:
        yield Slip("INPUTS", "INPUTS must hold Date(name='start'), the first day that is forecast")
    lags = [f"lag_{lag}" for lag in range(1, values["HISTORY"] + 1)]
    if missing := [name for name in lags if kinds.get(name) is not Number]:
        yield Slip("INPUTS", f"INPUTS must hold Number(name={missing[0]!r}), as HISTORY says")


def _find_missing_features(values: Mapping[str, Any]) -> Iterator[Slip]:
    names = {getattr(feature, "name", "") for feature in values["FEATURES"]}
    stems = sorted({name.rpartition("_")[0] for name in names if AHEAD in name})
    wanted = [f"{stem}_{period}" for stem in stems for period in range(1, values["HORIZON"] + 1)]
    if missing := [name for name in wanted if name not in names]:
        yield Slip("FEATURES", f"FEATURES must hold {missing[0]!r}, as HORIZON says")
