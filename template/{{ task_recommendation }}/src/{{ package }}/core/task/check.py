"""What may be wrong with the part of `schema.py` that a recommender has: its columns and inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.check import Slip
from ..contract.columns import Count, Items
from ..yours import did_you_mean

INPUTS = {"history": Items, "exclude": Items, "candidates": Items, "k": Count}


def find_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    """Yield what is wrong with the names that `schema.py` defines for this task.

    Args:
        values: What it defines, by name.
    """
    for name in ("GROUP", "TIME"):
        if values.get(name):
            yield Slip(name, f"{name} is not for recommendations, of which whole users are held out: remove it")
    for name in ("USER", "ITEM", "DAY", "TARGET"):
        if name not in values:
            yield Slip(name, f"it does not define {name}{did_you_mean(name, values)}")
        elif not isinstance(values[name], str) or not values[name]:
            yield Slip(name, f"{name} must be the name of a column, as text")
    if values["ROW_ID"] != values.get("USER"):
        yield Slip("ROW_ID", "ROW_ID must be USER: each row is a user")
    for name in ("HIDDEN", "TOP"):
        if not isinstance(values.get(name), int) or values[name] < 1:
            yield Slip(name, f"{name} must be a whole number, at least 1")
    for group in ("INPUTS", "FEATURES"):
        if isinstance(values[group], tuple | list):
            kinds = {column.name: type(column) for column in values[group]}
            for name, kind in INPUTS.items():
                if kinds.get(name) is not kind:
                    yield Slip(group, f"{group} must hold {kind.__name__}(name={name!r}), which the model takes")
