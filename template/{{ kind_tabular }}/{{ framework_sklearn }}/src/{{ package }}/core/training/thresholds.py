"""Thresholds of trees that are the same in the export."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline


def round_thresholds(model: Pipeline) -> Pipeline:
    """Round the thresholds of a fitted histogram gradient boosting down to float32, in place.

    As features are float32, that changes no prediction. The export rounds them to the nearest float32, which may be a
    value that the data hold: 4.42, say, for the middle of 4.41 and 4.43, and rows of that value would change sides
    (https://github.com/onnx/sklearn-onnx/issues/1192).
    """
    if isinstance(model[-1], HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        for tree in (tree for trees in model[-1]._predictors for tree in trees):
            exact = tree.nodes["num_threshold"]
            nearest = exact.astype(np.float32)
            tree.nodes["num_threshold"] = np.where(nearest > exact, np.nextafter(nearest, -np.float32(np.inf)), nearest)
    return model
