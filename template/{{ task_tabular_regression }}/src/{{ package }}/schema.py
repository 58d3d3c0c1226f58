"""The contract: what the data hold, what a request carries, and what the model takes.

The data's checks, the service's request type and its page, the signature in the bundle, the profile that drift is
measured against, the slices of the model card and the rows that the tests use all derive from this file.
"""

from .core.contract.columns import Category, Column, Number

ROW_ID: str | None = "stone_id"
"""The column that identifies a row, and so decides whether it is held out. None: the inputs identify it."""
GROUP: str | None = None
"""A column whose rows belong together, such as a customer's number: held out, and resampled for intervals, as one."""
TIME: str | None = None
"""A column of days: the newest days are held out instead of rows by hash."""

TARGET = Number(name="price", description="Price, in US dollars", minimum=1, maximum=1e6)
"""The number to be predicted, of either sign."""
COVERAGE = 0.9
"""The share of rows whose target the interval of a prediction is to hold."""

MISSING: tuple[str, ...] = ("",)
"""Texts that mean a missing value in data and requests, such as "NA"; the empty text always does."""

INPUTS: tuple[Column, ...] = (
    Number(name="carat", description="Weight, in carats", minimum=0.05, maximum=50),
    Category(
        name="cut",
        description="Quality of the cut",
        values=("Fair", "Good", "Very Good", "Premium", "Ideal"),
    ),
    Category(
        name="color",
        description="Colour, from D, the best, to J",
        values=("D", "E", "F", "G", "H", "I", "J"),
    ),
    Category(
        name="clarity",
        description="Clarity, from IF, the best, to I1",
        values=("IF", "VVS1", "VVS2", "VS1", "VS2", "SI1", "SI2", "I1"),
    ),
    Number(name="depth", description="Depth, in percent of the mean of length and width", minimum=20, maximum=100),
    Number(name="table", description="Width of the flat top, in percent of the width", minimum=20, maximum=100),
    Number(name="x", description="Length, in millimetres", minimum=0.5, maximum=100),
    Number(name="y", description="Width, in millimetres", minimum=0.5, maximum=100),
    Number(name="z", description="Depth, in millimetres", minimum=0.5, maximum=100),
)
"""What a request carries."""

FEATURES: tuple[Column, ...] = INPUTS
"""What the model takes, from what `features.py` returns; a derived one is added as `(*INPUTS, Number(name=…))`."""

AUDIT: tuple[Column, ...] = ()
"""What the data hold for slices only: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {"cut": (), "carat": (0.5, 1.0)}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ()
"""The columns of `SLICES` whose groups must fare alike: the gate compares each with all others, as `gate.fairness` in
`params.yaml` says."""

CHANGEABLE: tuple[str, ...] = ()
"""The columns of `INPUTS` that a person can change: an explanation tells which other values of one would change the
prediction."""
