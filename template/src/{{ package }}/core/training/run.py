"""One training run: fit, export, check the export, measure, and seal the result into a bundle."""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ... import metrics, model
from ...schema import FEATURES, INPUTS
from ...settings import Settings
from .. import inputs
from ..bundles import registry
from ..bundles.bundle import Bundle, seal
from ..bundles.fingerprint import PACKAGE, features_sha256, fingerprint
from ..bundles.predictor import Predictor, complete, open_model
from ..contract.columns import Columns
from ..contract.optional import MISSING
from ..contract.signature import Signature
from ..data import published, snapshots
from ..errors import ProjectError
from ..evaluation import card, figures
from ..evaluation import report as evaluation
from ..evaluation.fairness import find_measure
from ..evaluation.measure import Examples
from ..evaluation.report import Report
from ..monitoring import drift
from ..params import Params
from ..progress import step
from ..task import examples
from ..task.answer import OUTPUTS
from . import decisions, graphs, parity, tracking
from .fitting import Fit, Watch

CHECKPOINTS = Path("artifacts/checkpoints")
"""Where a fit that was interrupted goes on from; on a volume it outlives a node."""

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
    # Now, while the code on disk is what runs here: a fit may take hours, and somebody may edit a file meanwhile.
    made_of, features = inputs.identify_bundle(snapshot.stem, params), features_sha256()
    evaluation.gate_metric(params.gate)
    if params.gate.fairness:
        find_measure(params.gate.fairness)
    registry.touch(settings)
    training, held_out = examples.split(snapshots.load(snapshot), params.split)
    training = decisions.weigh(training, params)
    signature = make_signature(training.columns)
    with tracking.track(settings.mlflow_tracking_uri, params) as run, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints = CHECKPOINTS / _name(snapshot, params)
        with step("fitting the model") as say:

            def watch(number: int, values: Mapping[str, float]) -> None:
                run.report(number, values)
                say(", ".join([f"step {number}", *(f"{name} {value:.4g}" for name, value in values.items())]))

            trained = fit(params.model, params.seed, signature, training, watch, checkpoints)
            graphs.save(model.export(trained), folder / "model.onnx")
        with step("choosing how to decide") if params.decision else contextlib.nullcontext():
            signature = decisions.decide(training, params, signature)
        predictor = complete(open_model(folder, signature))
        with step("measuring it on the held-out rows"):
            report = _describe(predictor, trained, training, held_out, params, snapshot.stem, folder)
        bundle = seal(folder, data=snapshot.stem, features=features)
        uri = _publish(bundle, snapshot, settings, made_of)
        values = {name: estimate.value for name, estimate in report.metrics.items()}
        run.finish(values, {"bundle": bundle.id, "uri": uri, "data": snapshot.stem})
        shutil.rmtree(checkpoints, ignore_errors=True)
    return Trained(bundle.id, uri, report)


def fit(
    params: dict[str, Any],
    seed: int,
    signature: Signature,
    training: Examples,
    watch: Watch,
    checkpoints: Path | None = None,
) -> model.Model:
    """Return a fitted model; `watch` is told how the fit goes.

    Raises:
        ProjectError: `params.yaml` asks for one that does not exist.
    """
    work = Fit(
        features=signature.model_inputs(training.columns),
        target=training.target,
        validation=training.validation,
        weights=training.weights,
        report=watch,
        checkpoints=checkpoints,
    )
    try:
        return model.fit(model.build(params, seed), work)
    except (TypeError, ValueError) as error:
        raise ProjectError(f"params.yaml, model: {error}") from error


def make_signature(columns: Columns) -> Signature:
    """Return the contract of a model that is trained on these rows."""
    seen = {column.name: column.vocabulary(columns[column.name]) for column in INPUTS}
    return Signature(
        inputs=INPUTS,
        features=FEATURES,
        outputs=OUTPUTS,
        missing=MISSING,
        vocabulary={name: values for name, values in seen.items() if values is not None},
        example={column.name: column.typical(columns[column.name]) for column in INPUTS},
    )


def _name(snapshot: Path, params: Params) -> str:
    """Return a name for all fits of the same model to the same data with the same parameters."""
    code = [fingerprint(PACKAGE, name) for name in ("model", "features")]
    fitted = [snapshot.stem, params.split, params.seed, params.model, params.weights, code]
    return hashlib.sha256(msgspec.json.encode(fitted)).hexdigest()[:16]


def _describe(
    predictor: Predictor,
    trained: model.Model,
    training: Examples,
    held_out: Examples,
    params: Params,
    data: str,
    folder: Path,
) -> Report:
    """Write all that is known of a model beside it, and return what it is worth."""
    signature, answer = predictor.signature, predictor.predict(held_out.columns)
    baseline = metrics.naive(training, held_out)
    report = evaluation.evaluate(predictor, held_out, baseline, params.gate)
    if describe := getattr(model, "describe", None):  # not every model has words for what it has learned
        report = msgspec.structs.replace(report, tables=report.tables | describe(trained))
    everything = {name: np.concatenate([values, held_out.columns[name]]) for name, values in training.columns.items()}
    contents = {
        "signature.json": signature,
        "parity.json": parity.check(trained, predictor, held_out.columns, params.gate.parity),
        "metrics.json": report,
        "reference.json": drift.make_reference(signature, everything, answer, params.monitoring),
        "params.json": params,
    }
    for file, content in contents.items():
        (folder / file).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2))
    drawn = figures.draw(held_out, answer, report.importances, folder / "plots")
    (folder / "card.md").write_text(card.write(report, signature, params, data, training.rows, drawn))
    return report


def _publish(bundle: Bundle, snapshot: Path, settings: Settings, made_of: str) -> str:
    """Publish a bundle and its snapshot; what the store does not take is kept: it may have taken hours."""
    try:
        published.publish(snapshot, settings)
        return registry.publish(bundle, settings, made_of)
    except ProjectError as error:
        kept = KEPT / bundle.id
        shutil.copytree(bundle.path, kept, dirs_exist_ok=True)
        raise ProjectError(f"{error}; the model is kept in {kept}: publish it with `promote --model {kept}`") from error
