"""One training run: fit, export, check the export, measure, and seal the result into a bundle."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from . import card, data, evaluation, metrics, model, monitoring, parity, registry, tracking
from .bundle import Bundle, seal
from .columns import Category, Columns
from .errors import ProjectError
from .evaluation import Report
from .metrics import Target
from .params import Params
from .predictor import open_model
from .schema import AUDIT, FEATURES, INPUTS, LABELS
from .settings import Settings
from .signature import Signature
from .tables import to_columns

KEPT = Path("artifacts/store/bundles")
"""Where a bundle is kept that its store has not taken."""


class Trained(msgspec.Struct, frozen=True):
    """What a run made: the bundle's id and URI, and what it is worth."""

    bundle: str
    uri: str
    report: Report


def train(snapshot: Path, params: Params, settings: Settings) -> Trained:
    """Train on a snapshot and publish the bundle.

    Raises:
        ProjectError: the data or the parameters will not do, or the export differs from the model.
    """
    evaluation.gate_metric(params.gate)
    registry.touch(settings)
    fitting, holdout = data.split(data.load(snapshot), params.split)
    columns, target = to_columns(fitting, INPUTS), data.to_target(fitting)
    held, held_target = to_columns(holdout, INPUTS), data.to_target(holdout)
    _check_labels(target, held_target)
    signature = make_signature(columns)

    trained = fit(params.model, params.seed, signature.model_inputs(columns), target)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.export(trained, folder)
        predictor = open_model(folder, signature)
        probabilities = predictor.predict(held)
        report = evaluation.evaluate(predictor, held, to_columns(holdout, AUDIT), held_target, target, params.gate)
        everything = {name: np.concatenate([values, held[name]]) for name, values in columns.items()}
        contents = {
            "signature.json": signature,
            "parity.json": parity.check(trained, predictor, held, params.gate.parity),
            "metrics.json": report,
            "reference.json": monitoring.make_reference(everything, probabilities, LABELS, params.monitoring),
            "params.json": params,
        }
        for file, content in contents.items():
            (folder / file).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2))
        metrics.plot(held_target, probabilities, report.importances, folder / "plots")
        (folder / "card.md").write_text(card.write(report, signature, params, snapshot.stem, len(target)))
        bundle = seal(folder, data=snapshot.stem)
        uri = _publish(bundle, settings)
    values = {name: estimate.value for name, estimate in report.metrics.items()}
    tags = {"bundle": bundle.id, "uri": uri, "data": snapshot.stem}
    tracking.track(settings.mlflow_tracking_uri, params, values, tags)
    return Trained(bundle.id, uri, report)


def fit(params: dict[str, Any], seed: int, features: Columns, target: Target) -> model.Model:
    """Return a fitted model.

    Raises:
        ProjectError: `params.yaml` asks for one that does not exist.
    """
    try:
        return model.fit(model.build(params, seed), features, target)
    except (TypeError, ValueError) as error:
        raise ProjectError(f"params.yaml, model: {error}") from error


def make_signature(columns: Columns) -> Signature:
    """Return the contract of a model that is trained on these rows."""
    categories = [column.name for column in INPUTS if isinstance(column, Category)]
    vocabulary = {name: tuple(sorted(set(columns[name]) - {""})) for name in categories}
    first = {name: values[:1].tolist()[0] for name, values in columns.items()}
    example = {name: None if value in ("", None) or value != value else value for name, value in first.items()}
    return Signature(inputs=INPUTS, features=FEATURES, labels=LABELS, vocabulary=vocabulary, example=example)


def _publish(bundle: Bundle, settings: Settings) -> str:
    """Publish a bundle; one that the store does not take is kept, for it may have taken hours to make."""
    try:
        return registry.publish(bundle, settings)
    except ProjectError as error:
        kept = KEPT / bundle.id
        shutil.copytree(bundle.path, kept, dirs_exist_ok=True)
        raise ProjectError(f"{error}; the model is kept in {kept}: publish it with `promote --model {kept}`") from error


def _check_labels(*targets: Target) -> None:
    """Raise ProjectError unless each part of the data holds every label."""
    for target in targets:
        if lacking := [label for i, label in enumerate(LABELS) if i not in target]:
            raise ProjectError(f"no row to train on, or none held out, is labelled {', '.join(lacking)}")
