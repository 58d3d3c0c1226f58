"""The model: built, fitted, searched and exported; the only file that builds on scikit-learn's estimators.

Words and pairs of neighbours are counted, weighed by how rare they are (TF-IDF), and added up by a linear model.
"""

from typing import Any, TypeAlias

import msgspec
import numpy as np
import onnx
import optuna
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from .core.contract.columns import Answer, Columns
from .core.evaluation.report import Table
from .core.task.words import find_words
from .core.training.fitting import Fit
from .core.training.words import prepend
from .schema import FEATURES, LABELS

HEAVIEST = 8
"""How many words of each label the model card names."""

Model: TypeAlias = Pipeline


class ModelParams(msgspec.Struct, forbid_unknown_fields=True):
    """The section `model` of `params.yaml`: the estimators' own parameters."""

    words: dict[str, Any] = {}
    tfidf: dict[str, Any] = {}
    logistic_regression: dict[str, Any] = {}


def build(params: dict[str, Any], seed: int) -> Model:
    """Return an unfitted model.

    Raises:
        ValueError, TypeError: the parameters are not those of `ModelParams` or of the estimators.
    """
    chosen = msgspec.convert(params, ModelParams)
    # `features.py` has split the texts: here, and in the export, words are what stands between spaces.
    words = {"tokenizer": str.split, "token_pattern": None, "lowercase": False, "dtype": np.float32}
    model: Model = make_pipeline(
        CountVectorizer(**words, **{name: _as_tuple(value) for name, value in chosen.words.items()}),
        TfidfTransformer(**chosen.tfidf),
        LogisticRegression(random_state=seed, max_iter=1000, **chosen.logistic_regression),
    )
    return model


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to all training rows."""
    fitted: Model = model.fit(_texts(work.features), work.target, logisticregression__sample_weight=work.weights)
    return fitted


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels), as the model itself gives them: what the export must equal."""
    return {"probabilities": model.predict_proba(_texts(columns))}


def export(model: Model) -> onnx.ModelProto:
    """Return the model as a graph, with the inputs that `predictor.py` names."""
    width = len(model[0].vocabulary_)
    graph = to_onnx(model[1:], initial_types=[("counts", FloatTensorType([None, width]))], options={"zipmap": False})
    return prepend(graph, model[0].vocabulary_, labels=len(LABELS))


def describe(model: Model) -> dict[str, Table]:
    """Return what the model has learned, for the model card: the words that speak most for each label."""
    words, weights = model[0].get_feature_names_out(), model[-1].coef_
    if len(weights) == 1:  # of two labels, one weight is against the other
        weights = np.vstack([-weights, weights])
    heaviest = np.argsort(-weights, axis=1)[:, :HEAVIEST]
    return {
        "Heaviest words": [
            {"label": str(label), "words": ", ".join(words[row])} for label, row in zip(LABELS, heaviest, strict=True)
        ]
    }


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    words = {"min_df": trial.suggest_int("min_df", 1, 5)}
    logistic_regression = {"C": trial.suggest_float("C", 0.1, 100, log=True)}
    return params | {
        "words": params.get("words", {}) | words,
        "logistic_regression": params.get("logistic_regression", {}) | logistic_regression,
    }


def _texts(columns: Columns) -> list[str]:
    texts: list[str] = columns[find_words(FEATURES)].tolist()
    return texts


def _as_tuple(value: Any) -> Any:
    """Return a list, which is all that YAML has, as the tuple that scikit-learn wants."""
    return tuple(value) if isinstance(value, list) else value
