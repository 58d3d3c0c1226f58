"""The contract: what the data hold, what a request carries, and what the model takes.

The data are a long table: a row for each series and period, with the value. A request carries the past of a series as
columns, newest first: `lag_1` is the value of the period before `start`, `lag_2` that of the one before, and so on.
What `source.py` cuts from the table has the same columns. The data's checks, the service's request type and its page,
the signature in the bundle, the profile that drift is measured against and the rows of the tests all derive from here.
"""

from typing import Literal

from .core.contract.columns import Category, Column, Date, Number

SERIES = "city"
"""The column of the data that names a series."""
DAY = "month"
"""The column of the data that holds the first day of a period."""
TARGET = Number(name="sales", description="Number of homes sold", minimum=0, maximum=1e6)
"""The column of the data that is forecast."""

FREQUENCY: Literal["d", "w", "mo", "q", "y"] = "mo"
"""How long a period is: a day, a week, a month, a quarter or a year."""
SEASON = 12
"""After how many periods the same season comes again."""
HISTORY = 24
"""How many periods of the past a request may carry; at least a season, by which the naive baseline answers."""
HORIZON = 3
"""How many periods are forecast."""

ROW_ID: str | None = "id"
"""The column that identifies a row: `source.py` makes it of the series and the day."""

MISSING: tuple[str, ...] = ("",)
"""Texts that mean a missing value in data and requests, such as "NA"; the empty text always does."""

INPUTS: tuple[Column, ...] = (
    Date(name="start", description="First day of the first period that is forecast"),
    *(
        Number(
            name=f"lag_{lag}",
            description=f"{TARGET.description}, {lag} before",
            nullable=lag > 1,
            minimum=TARGET.minimum,
            maximum=TARGET.maximum,
        )
        for lag in range(1, HISTORY + 1)
    ),
    Category(name=SERIES, description="Area of a listing service"),
)
"""What a request carries: gaps and a short past are missing values, only the newest one has to be known."""

FEATURES: tuple[Column, ...] = (
    Number(name="level"),
    *(Number(name=f"relative_{lag}") for lag in range(1, HISTORY + 1)),
    *(
        Number(name=f"{name}_ahead_{period}")
        for name in ("periods", "season", "month")
        for period in range(1, HORIZON + 1)
    ),
)
"""What the model takes, from what `features.py` returns: `NAME_ahead_1`, `NAME_ahead_2` and so on for one period each,
the others for all of them. Not the series: so the model can forecast new ones, too."""

AUDIT: tuple[Column, ...] = ()
"""What `source.py` adds to the rows for slices only: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ()
"""The columns of `SLICES` whose groups must fare alike: the gate compares each with all others, as `gate.fairness` in
`params.yaml` says."""

CHANGEABLE: tuple[str, ...] = ()
"""The columns of `INPUTS` that a person can change: an explanation tells which other values of one would change the
forecast."""
