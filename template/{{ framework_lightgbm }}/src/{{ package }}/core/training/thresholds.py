"""The thresholds of LightGBM's trees in the precision of the exported graph."""

import re

import lightgbm as lgb
import numpy as np


def round_thresholds(estimator: lgb.LGBMModel) -> None:
    """Round every threshold down to a float32, for a graph has no others.

    For a feature that is a float32 itself this changes no answer, while the export's rounding to the nearest would send
    a value on the edge to the other side.
    """
    text = estimator.booster_.model_to_string()
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)  # lengths of the text, which is about to change
    text = re.sub(r"^threshold=(.*)$", _round, text, flags=re.MULTILINE)
    estimator._Booster = lgb.Booster(model_str=text)  # there is no other way to give an estimator a booster


def _round(line: re.Match[str]) -> str:
    exact = np.array(line[1].split(), dtype=np.float64)
    nearest = exact.astype(np.float32)
    rounded = np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)
    return "threshold=" + " ".join(repr(float(value)) for value in rounded)
