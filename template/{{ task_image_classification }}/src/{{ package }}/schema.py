"""The contract: what the data hold, what a request carries, and what the model takes.

The data's checks, the service's request type and its page, the signature in the bundle, the profile that drift is
measured against, the slices of the model card and the rows that the tests use all derive from this file.
"""

from .core.contract.columns import Column, Image, Pixels

ROW_ID: str | None = None
"""The column that identifies a row, and so decides whether it is held out. None: the inputs identify it."""
GROUP: str | None = None
"""A column whose rows belong together, such as the same object: held out, and resampled for intervals, as one. The
sample has none, though the digits of one person are alike: its metrics flatter the model."""
TIME: str | None = None
"""A column of days: the newest days are held out instead of rows by hash."""

TARGET = "digit"
LABELS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
"""The values of the target. Of two, the second is the one to be found: metrics and plots are about it."""

INPUTS: tuple[Column, ...] = (
    Image(name="image", description="A handwritten digit, light on dark", height=8, width=8, channels=1, shown=True),
)
"""What a request carries, as base64 of a PNG or JPEG of any size, which becomes this one; 3 channels are colours.
`shown=True` lets the plots in a bundle show images that were held out."""

FEATURES: tuple[Column, ...] = (Pixels(name="pixels", height=8, width=8, channels=1),)
"""What the model takes, from what `features.py` returns."""

AUDIT: tuple[Column, ...] = ()
"""What the data hold for slices only, such as the camera: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ()
"""The columns of `SLICES` whose groups must fare alike; that needs `FAVOURABLE`, the label that people want, and
`gate.fairness` in `params.yaml`."""
