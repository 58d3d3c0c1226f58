"""The figures that show what a classifier is worth."""

from .curves import draw

__all__ = ["draw"]
