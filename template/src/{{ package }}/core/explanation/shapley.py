"""Shapley values of one row: how much each input moves a model's number away from what it is on average.

Sources: E. Štrumbelj, I. Kononenko, "Explaining prediction models and individual predictions with feature
contributions", 2014, for the sampling of permutations; R. Mitchell et al., "Sampling permutations for Shapley value
estimation", 2022, for taking each permutation together with its reverse.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..contract.columns import Columns
from ..evaluation.measure import take

PIECE = 1_000
"""About how many rows are predicted at once, so that what else runs in the process has its turn in between."""


def attribute(
    value: Callable[[Columns], NDArray[np.float64]], row: Columns, background: Columns, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the base, and the contribution of each column, shape (columns,): together they are the row's value.

    Each row of the background turns into the row that is explained, one column after the other in a random order, and
    once more in the reverse order. What a column adds at its turn, on average, is its contribution. With n columns that
    takes 2 n predictions for each row of the background.

    Args:
        value: The number that is explained, shape (rows,), of columns as a request carries them.
        row: The one row that is explained.
        background: The rows of which the base is the average.
        seed: Of the orders.
    """
    count, size = len(row), len(next(iter(background.values())))
    rng = np.random.default_rng(seed)
    ranks = rng.permuted(np.tile(np.arange(count), (size, 1)), axis=1)
    whole, base, contributions = float(value(row)[0]), 0.0, np.zeros(count)
    for start in range(0, size, step := max(1, PIECE // (2 * count))):
        some = np.arange(start, min(start + step, size))
        path = _walk(value, row, take(background, some), ranks[some])
        path[:, [count, -1]] = whole
        base += float(path[:, 0].sum())
        gains = np.diff(path[:, : count + 1]), np.diff(path[:, np.r_[0, count + 1 : 2 * count + 1]])
        rank = ranks[some]
        contributions += np.take_along_axis(gains[0], rank, 1).sum(axis=0)
        contributions += np.take_along_axis(gains[1], count - 1 - rank, 1).sum(axis=0)
    return base / size, contributions / (2 * size)


def _walk(
    value: Callable[[Columns], NDArray[np.float64]], row: Columns, background: Columns, ranks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the values on the way there and, from its second step on, on the way in reverse.

    Args:
        value: The number that is explained.
        row: The row in which every way ends.
        background: The rows in which they begin.
        ranks: When each column has its turn, shape (rows of the background, columns).

    Returns:
        Shape (rows of the background, 2 columns + 1).
    """
    size, count = ranks.shape
    steps = np.arange(count + 1)[:, None]
    forth, back = ranks[:, None] < steps, count - 1 - ranks[:, None] < steps[1:]
    changed = np.concatenate([forth, back], axis=1).reshape(-1, count)
    mixed = {
        name: np.where(changed[:, i], row[name], np.repeat(background[name], 2 * count + 1))
        for i, name in enumerate(row)
    }
    return value(mixed).reshape(size, -1)
