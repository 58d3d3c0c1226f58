"""The features: one function that training, evaluation, serving and batch all call, so that they cannot disagree.

A bundle records what this file and your modules that it imports compute, and a model is never served with features that
it was not trained with: after a change, train again. Comments, docstrings and formatting do not count.
"""

from .core.contract.columns import Columns
from .core.contract.pictures import stack


def features(columns: Columns) -> Columns:
    """Turn columns as a request carries them into columns as the model takes them.

    Stateless and row by row: what is learned from data, such as the mean of the pixels, belongs in `network.py`. The
    model takes one column of pixels; light may be made dark, for instance:

        {"pixels": 255 - stack(columns["image"])}
    """
    return {"pixels": stack(columns["image"])}
