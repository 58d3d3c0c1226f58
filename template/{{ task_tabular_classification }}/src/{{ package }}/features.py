"""The features: one function that training, evaluation, serving and batch all call, so that they cannot disagree.

A bundle records the SHA-256 of this file, and a model is never served with features that it was not trained with:
after a change here, train again.
"""

from .columns import Columns


def features(columns: Columns) -> Columns:
    """Turn columns as a request carries them into columns as the model takes them.

    Stateless, row by row: nothing is learned here (what is learned, such as a mean, belongs into `model.py`).
    Whatever `FEATURES` in `schema.py` names must be in the result; the rest is ignored.
    """
    return {
        **columns,
        "amount_per_month": columns["credit_amount"] / columns["duration_months"],
    }
