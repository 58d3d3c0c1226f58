"""The features: one function that training, evaluation, serving and batch all call, so that they cannot disagree.

A bundle records what this file and your modules that it imports compute, and a model is never served with features that
it was not trained with: after a change, train again. Comments, docstrings and formatting do not count.
"""

import re
import unicodedata

import numpy as np

from .core.contract.columns import Columns

WORD = re.compile(r"\w+")
"""Letters, digits and marks of any script, in a row; Chinese and Japanese, which put no spaces, want another rule."""


def features(columns: Columns) -> Columns:
    """Turn columns as a request carries them into columns as the model takes them.

    Stateless and row by row: what is learned from data, such as which words count, belongs in `model.py`. The model
    takes one column of words; a second text is added to the same, for instance:

        {"words": columns["title"] + " " + columns["text"]}
    """
    return {"words": np.array([split(text) for text in columns["text"]], dtype=object)}


def split(text: str) -> str:
    """Return the words of a text with a space between them, in one form of their letters, whatever their case.

    NFKC makes one character of those that look the same (Unicode Standard Annex #15).
    """
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
