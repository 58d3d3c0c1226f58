"""The feature that a model of images takes."""

from ..contract.columns import Column, Pixels
from ..errors import ProjectError


def find_pixels(features: tuple[Column, ...]) -> Pixels:
    """Return the feature that a model of images takes.

    Raises:
        ProjectError: there is none, or there are others.
    """
    match features:
        case (Pixels() as pixels,):
            return pixels
    raise ProjectError("FEATURES in schema.py must be one column of Pixels, which features() returns")
