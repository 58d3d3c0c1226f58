"""The contract: what the data hold, what a request carries, and what the model takes.

The data are a long table: a row for each time that a user has taken an item. A request carries the items of one user,
and `source.py` makes such rows of the table. The data's checks, the service's request type and its page, the signature
in the bundle, the profile that drift is measured against and the rows of the tests all derive from here.
"""

from .core.contract.columns import Column, Count, Items, Number

USER = "user"
"""The column of the data that names a user."""
ITEM = "item"
"""The column of the data that names an item, without spaces."""
DAY = "day"
"""The column of the data that holds the day."""
HIDDEN = 3
"""How many of the newest items of each user a model has to find."""
TOP = 20
"""How many items an answer has at most."""

ROW_ID: str | None = USER
"""The column that identifies a row: a user is held out as a whole, and counts once in the intervals."""

TARGET = "next"
"""The column that holds the hidden items, which `source.py` makes."""

MISSING: tuple[str, ...] = ("",)
"""Texts that mean a missing value in data and requests, such as "NA"; the empty text always does."""

INPUTS: tuple[Column, ...] = (
    Items(name="history", description="What the user has taken, the newest last", nullable=True, max_items=200),
    Items(name="exclude", description="What not to recommend either", nullable=True, max_items=200, counted=False),
    Items(name="candidates", description="The only ones to recommend", nullable=True, max_items=2000, counted=False),
    Count(name="k", description="How many items to recommend at most", nullable=True, minimum=1, maximum=TOP),
)
"""What a request carries; who has no history is recommended what is popular, with a warning."""

FEATURES: tuple[Column, ...] = INPUTS
"""What the model takes, from what `features.py` returns."""

AUDIT: tuple[Column, ...] = (Number(name="length", description="How many items the history has"),)
"""What `source.py` adds to the rows for slices only: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {"length": (5.0, 10.0, 20.0)}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ()
"""The columns of `SLICES` whose groups must fare alike: the gate compares each with all others, as `gate.fairness` in
`params.yaml` says."""

CHANGEABLE: tuple[str, ...] = ()
"""The columns of `INPUTS` that a person can change: an explanation tells which other values of one would change the
first recommendation."""
