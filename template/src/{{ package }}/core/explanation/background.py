"""The background of explanations: rows that are made up from the profile in a bundle, and so are nobody's."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import BLANK, Column, Columns, Text
from ..contract.signature import Signature
from ..monitoring.profiles import Profile


def draw(signature: Signature, profiles: Iterable[Profile], rows: int) -> Columns:
    """Return rows in which each column is distributed as in its profile, independently of the others.

    A Latin hypercube: of each column one value is drawn from each of as many equal shares of the data as there are
    rows (M. D. McKay et al., "A comparison of three methods for selecting values of input variables", 1979). A column
    that no profile is kept of, such as a date or an image, has its typical value everywhere, and a text is blank. The
    rows are always the same, so that all explanations of a model have the same base.
    """
    rng, known = np.random.default_rng(0), {profile.name: profile for profile in profiles}

    def fill(column: Column) -> list[object]:
        if isinstance(column, Text):
            return [BLANK] * rows
        if column.name not in known:
            return [signature.example[column.name]] * rows
        shares: NDArray[np.float64] = (rng.permutation(rows) + 0.5) / rows
        return known[column.name].quantiles(shares, signature.vocabulary.get(column.name, ()))

    return {column.name: column.array(fill(column)) for column in signature.inputs}
