"""The naive baseline of a classifier of images: the nearest of the labels' average images."""

import numpy as np
from numpy.typing import NDArray

from ...features import features
from ...schema import FEATURES, LABELS
from ..contract.columns import Answer
from ..evaluation.measure import Examples
from .pixels import find_pixels

ROWS_AT_ONCE = 500


def naive(training: Examples, held_out: Examples) -> Answer:
    """Return how frequent each label is among the training rows that the same average image is nearest to."""
    pixels = _flatten(training)
    averages = np.stack([_average(pixels[training.target == i]) for i in range(len(LABELS))])
    shares = np.bincount(training.target, minlength=len(LABELS)) / training.rows
    counts = np.tile(shares, (len(LABELS), 1))  # a row beside those that are counted that has every label in part
    np.add.at(counts, (_find_nearest(pixels, averages), training.target), 1)
    found = counts[_find_nearest(_flatten(held_out), averages)]
    return {"probabilities": found / found.sum(axis=1, keepdims=True)}


def _flatten(examples: Examples) -> NDArray[np.uint8]:
    """Return the pixels of each row, shape (rows, values)."""
    pixels: NDArray[np.uint8] = features(examples.columns)[find_pixels(FEATURES).name].reshape(examples.rows, -1)
    return pixels


def _average(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    average: NDArray[np.float32] = pixels.sum(axis=0, dtype=np.float32) / max(1, len(pixels))
    return average


def _find_nearest(pixels: NDArray[np.uint8], averages: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return which of some images is nearest to each row, shape (rows,), by the squared distance."""
    lengths = (averages**2).sum(axis=1)
    parts = [pixels[i : i + ROWS_AT_ONCE].astype(np.float32) for i in range(0, len(pixels), ROWS_AT_ONCE)]
    return np.concatenate([np.argmin(lengths - 2 * part @ averages.T, axis=1) for part in parts])
