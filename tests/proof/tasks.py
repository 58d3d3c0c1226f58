"""What the proof has to know of each task and each framework; one that is missing here is not proven."""

from __future__ import annotations

import base64
import math
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

Prediction = Mapping[str, Any]
Rows = list[list[str]]

WEAK: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("anomaly_detection", "sklearn"): {"max_samples": 512},
    ("forecasting", "sklearn"): {"max_iter": 12},
    ("image_classification", "pytorch"): {"epochs": 6},
    ("recommendation", "sklearn"): {"penalty": 1e4},
    ("tabular_classification", "keras"): {"epochs": 2, "learning_rate": 1e-3},
    # Its first stump alone, on the best category, is hard to tell from a whole model: without categories it is not.
    ("tabular_classification", "lightgbm"): {"n_estimators": 30, "num_leaves": 6, "cat_smooth": 1e6},
    ("tabular_classification", "pytorch"): {"epochs": 2, "learning_rate": 1e-3},
    ("tabular_classification", "sklearn"): {"max_iter": 2, "max_leaf_nodes": 2},
    ("tabular_classification", "xgboost"): {"n_estimators": 1, "max_depth": 1},
    ("tabular_regression", "keras"): {"epochs": 2, "learning_rate": 1e-3},
    ("tabular_regression", "lightgbm"): {"n_estimators": 1, "num_leaves": 2},
    ("tabular_regression", "pytorch"): {"epochs": 2, "learning_rate": 1e-3},
    ("tabular_regression", "sklearn"): {"max_iter": 2, "max_leaf_nodes": 2},
    ("tabular_regression", "xgboost"): {"n_estimators": 1, "max_depth": 1},
    ("text_classification", "sklearn"): {"max_features": 20},
}
"""Parameters with which a model of each pair beats the naive baseline, and is clearly worse than with the sample's."""


def _adds_up(prediction: Prediction) -> bool:
    return bool(abs(sum(prediction["probabilities"].values()) - 1) < 1e-3)


def _is_in_its_interval(prediction: Prediction) -> bool:
    return bool(prediction["low"] <= prediction["value"] <= prediction["high"])


def _is_scored(prediction: Prediction) -> bool:
    return bool(0 <= prediction["score"] <= 1) and isinstance(prediction["is_anomaly"], bool)


def _is_in_order(prediction: Prediction) -> bool:
    return all(low <= median <= high for low, median, high in zip(*prediction.values(), strict=True))


def _is_ranked(prediction: Prediction) -> bool:
    scores = [item["score"] for item in prediction["items"]]
    return scores == sorted(scores, reverse=True) and len({item["item"] for item in prediction["items"]}) == len(scores)


IS_SOUND: Mapping[str, Callable[[Prediction], bool]] = {
    "anomaly_detection": _is_scored,
    "forecasting": _is_in_order,
    "image_classification": _adds_up,
    "recommendation": _is_ranked,
    "tabular_classification": _adds_up,
    "tabular_regression": _is_in_its_interval,
    "text_classification": _adds_up,
}
"""What must hold for every prediction of each task, whatever was asked."""


TABULAR = ("tabular_classification", "tabular_regression", "anomaly_detection")
"""The tasks whose rows have columns of any kind; tests that bring other columns are of these."""


def shuffle_target(rows: Rows) -> Rows:
    """Return the rows of a sample, which ends with the target, so that the inputs say nothing of it."""
    targets = [row[-1] for row in rows]
    random.Random(0).shuffle(targets)
    return [[*row[:-1], target] for row, target in zip(rows, targets, strict=True)]


def _walk_by_season(rows: Rows) -> Rows:
    """Return series of which nobody can know more than that each season is like the one before."""
    rng, past = random.Random(0), dict[str, list[float]]()
    made = []
    for series, day, _ in rows:
        values = past.setdefault(series, [rng.gauss(1000, 150) for _ in range(12)])
        values.append(values[-12] + rng.gauss(0, 20))
        made.append([series, day, f"{values[-1]:.0f}"])
    return made


def _shuffle_items(rows: Rows) -> Rows:
    """Return interactions of which nobody can know more than which items are popular: anybody may have any of them."""
    items = [item for _, item, _ in rows]
    random.Random(0).shuffle(items)
    return [[user, item, day] for (user, _, day), item in zip(rows, items, strict=True)]


UNLEARNABLE: Mapping[str, Callable[[Rows], Rows]] = {"forecasting": _walk_by_season, "recommendation": _shuffle_items}
"""What makes of the rows of a sample some of which no model knows more than the naive baseline, if not shuffling."""


def _grow_with_seasons(rows: Rows) -> Rows:
    """Return series with seasons that grow by a fifth a year: the season before is too low, and the past tells it."""
    rng, sizes, made = random.Random(0), dict[str, float](), []
    for series, day, _ in rows:
        year, month = int(day[:4]), int(day[5:7])
        size = sizes.setdefault(series, rng.lognormvariate(5, 1))
        trend, season = 1.2 ** (year - 2000 + month / 12), 1 + 0.4 * math.sin(math.tau * month / 12)
        made.append([series, day, f"{size * trend * season * rng.lognormvariate(0, 0.1):.0f}"])
    return made


LEARNABLE: Mapping[str, Callable[[Rows], Rows]] = {"forecasting": _grow_with_seasons}
"""What makes of the rows of a sample some by which a weak model is told from a good one, if the sample is too small: of
forecasts, the few days on which they begin are what chance draws."""

READS = {"forecasting": "cut_training({})", "recommendation": "cut_training({})"}
"""What `read` of `source.py` does with a table, for each task that does not take its rows as they are."""


def make_png(width: int, height: int, pixels: bytes, channels: int = 3) -> str:
    """Return pixels, as many of these bytes as there must be and zeros after them, as base64 of a PNG."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    line = width * channels
    padded = pixels[: line * height].ljust(line * height, b"\0")
    lines = b"".join(b"\0" + padded[start : start + line] for start in range(0, line * height, line))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def as_columns(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction of the service as the columns that batch prediction writes."""
    if "items" in prediction:
        items = prediction["items"]
        texts = {"items": " ".join(i["item"] for i in items), "scores": " ".join(f"{i['score']:.6g}" for i in items)}
        first = items[0] if items else {"score": 0.0, "popularity": 0.0}
        return texts | {name: first[name] for name in ("score", "popularity")}
    probabilities = prediction.get("probabilities", {})
    rest = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in prediction.items()
        if name != "probabilities" and not isinstance(value, list)
    }
    lists = {name: values for name, values in prediction.items() if isinstance(values, list)}
    rest |= {f"{name}_{place}": value for name, values in lists.items() for place, value in enumerate(values, 1)}
    return rest | {f"probability_{label}": value for label, value in probabilities.items()}
