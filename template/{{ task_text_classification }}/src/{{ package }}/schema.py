"""The contract: what the data hold, what a request carries, and what the model takes.

The data's checks, the service's request type and its page, the signature in the bundle, the profile that drift is
measured against, the slices of the model card and the rows that the tests use all derive from this file.
"""

from .core.contract.columns import Column, Number, Text, Words

ROW_ID: str | None = "synset"
"""The column that identifies a row, and so decides whether it is held out. None: the inputs identify it."""
GROUP: str | None = "hypernym"
"""A column whose rows belong together, such as their author: held out, and resampled for intervals, as one."""
TIME: str | None = None
"""A column of days: the newest days are held out instead of rows by hash."""

TARGET = "topic"
LABELS = ("animal", "artifact", "plant", "substance")
"""The values of the target. Of two, the second is the one to be found: metrics and plots are about it."""

MISSING: tuple[str, ...] = ("",)
"""Texts that mean a missing value in data and requests, such as "NA"; the empty text always does."""

INPUTS: tuple[Column, ...] = (Text(name="text", description="Definition of a word", max_length=2_000),)
"""What a request carries; a longer text is refused. `logged=True` keeps texts in the prediction log, and not only their
SHA-256 and their lengths."""

FEATURES: tuple[Column, ...] = (Words(name="words"),)
"""What the model takes, from what `features.py` returns."""

AUDIT: tuple[Column, ...] = (Number(name="names", description="How many words have this meaning", minimum=1),)
"""What the data hold for slices only: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {"names": (2.0,)}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ()
"""The columns of `SLICES` whose groups must fare alike; that needs `FAVOURABLE`, the label that people want, and
`gate.fairness` in `params.yaml`."""
