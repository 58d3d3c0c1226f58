"""The contract: what the data hold, what a request carries, and what the model takes.

The data's checks, the service's request type and its page, the signature in the bundle, the profile that drift is
measured against, the slices of the model card and the rows that the tests use all derive from this file.
"""

from .core.contract.columns import Column, Number

ROW_ID: str | None = "reading_id"
"""The column that identifies a row, and so decides whether it is held out. None: the inputs identify it."""
GROUP: str | None = None
"""A column whose rows belong together, such as a customer's number: held out, and resampled for intervals, as one."""
TIME: str | None = None
"""A column of days: the newest days are held out instead of rows by hash."""

TARGET = "anomaly"
"""The column that says whether a row is an anomaly: true or false, yes or no, 1 or 0. The model never sees it; models
are judged by it."""

MISSING: tuple[str, ...] = ("",)
"""Texts that mean a missing value in data and requests, such as "NA"; the empty text always does."""

INPUTS: tuple[Column, ...] = (
    Number(name="sensor_1", description="First reading, which the source says is a time"),
    Number(name="sensor_2"),
    Number(name="sensor_3"),
    Number(name="sensor_4"),
    Number(name="sensor_5"),
    Number(name="sensor_6"),
    Number(name="sensor_7"),
    Number(name="sensor_8"),
    Number(name="sensor_9"),
)
"""What a request carries."""

FEATURES: tuple[Column, ...] = INPUTS
"""What the model takes, from what `features.py` returns; a derived one is added as `(*INPUTS, Number(name=…))`."""

AUDIT: tuple[Column, ...] = ()
"""What the data hold for slices only: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {"sensor_5": (20.0, 40.0)}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ()
"""The columns of `SLICES` whose groups must fare alike: the gate compares each with all others, as `gate.fairness` in
`params.yaml` says."""

CHANGEABLE: tuple[str, ...] = ()
"""The columns of `INPUTS` that a person can change: an explanation tells which other values of one would change the
prediction."""
