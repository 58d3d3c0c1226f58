"""The feature that a model of texts takes."""

from ..contract.columns import Column, Words
from ..errors import ProjectError


def find_words(features: tuple[Column, ...]) -> str:
    """Return the name of the feature that a model of texts takes.

    Raises:
        ProjectError: there is none, or there are others.
    """
    match features:
        case (Words(name=name),):
            return name
    raise ProjectError("FEATURES in schema.py must be one column of Words, which features() returns")
