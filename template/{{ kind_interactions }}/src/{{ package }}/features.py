"""The features: one function that training, evaluation, serving and batch all call, so that they cannot disagree.

A bundle records what this file and your modules that it imports compute, and a model is never served with features that
it was not trained with: after a change, train again. Comments, docstrings and formatting do not count.
"""

from .core.contract.columns import Columns


def features(columns: Columns) -> Columns:
    """Turn columns as a request carries them into columns as the model takes them.

    Items are texts with a space between them, the newest last. Stateless and row by row: what is learned from data
    belongs in `model.py`. To let a model see the newest 20 items only, for instance:

        newest = np.array([" ".join(items.split()[-20:]) for items in columns["history"]], dtype=object)
        return columns | {"history": newest}
    """
    return columns
