"""The project's command: every step from the data to a monitored service."""

import contextlib
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from pydantic import ValidationError

from .core.errors import DriftError, ProjectError
from .core.training import threads
from .settings import Settings

app = typer.Typer(
    help=__doc__,
    epilog="Exit codes: 0 done, 1 error, 2 wrong usage, 3 refused by the gate, 4 drift or a worse model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
DRAIN_SECONDS = 15
"""How long requests under way may take when the service is told to stop; Kubernetes gives it 30 seconds in all."""
KEEP_ALIVE_SECONDS = 620
"""How long an idle connection stays open: longer than load balancers keep it (Google 600 s, AWS 60 s), because a
request sent into one that is being closed is lost."""
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Model = Annotated[str, typer.Option(help="candidate, champion, a bundle's id, or its path or URI.")]
NewBaseline = Annotated[
    bool, typer.Option("--new-baseline", help="Accept a model that cannot be compared with the champion.")
]


@app.callback()
def check() -> None:
    """Check `schema.py` before any command does its work."""
    from .core.contract import check as schema

    schema.check()


@app.command()
def data(as_json: AsJson = False) -> None:
    """Read the source, quarantine invalid rows, and keep the rest as an immutable snapshot."""
    from .core import params
    from .core.data import reading

    snapshot = reading.make_snapshot(params.load())
    _print(reading.show(snapshot), reading.to_report(snapshot), as_json)


@app.command()
def train(as_json: AsJson = False) -> None:
    """Train on the newest snapshot, check the export, measure it, and publish it as the candidate."""
    from .core import params
    from .core.data import snapshots
    from .core.evaluation import report
    from .core.training import run

    trained = run.train(snapshots.latest(), params.load(), Settings())
    _print(f"candidate {trained.uri}\n{report.show(trained.report)}", trained, as_json)


@app.command()
def tune(
    trials: Annotated[int, typer.Option(min=1, help="How many sets of hyperparameters to try.")] = 30,
    storage: Annotated[
        str,
        typer.Option(
            metavar="URI",
            help="Share the search: sqlite:///PATH or postgresql://…; the seed no longer decides it.",
        ),
    ] = "",
    write: Annotated[bool, typer.Option("--write", help="Put the best ones into params.yaml.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tune hyperparameters by cross-validation on the training rows, by as many workers as share a storage."""
    from .core import params
    from .core.data import snapshots
    from .core.evaluation.report import gate_metric
    from .core.training import tuning

    current = params.load()
    found = tuning.tune(snapshots.latest(), current, trials, storage)
    if write:
        params.save_model(found.model)
    best = f"{current.gate.metric} {found.value:.4f} with\n{params.to_yaml({'model': found.model})}"
    _print(f"{tuning.show(found, gate_metric(current.gate))}\n{best}", found, as_json)


@app.command()
def evaluate(model: Model = "candidate", as_json: AsJson = False) -> None:
    """Compare a model with the champion on the held-out rows; exit with 3 if the gate refuses it."""
    from .core import params
    from .core.bundles import registry
    from .core.data import snapshots
    from .core.evaluation import gate

    settings = Settings()
    bundle = registry.fetch(model, settings)
    decision = gate.judge(bundle, snapshots.latest(), params.load(), settings)
    _print(f"{bundle.id}: {decision}", {"bundle": bundle.id, "decision": decision}, as_json)
    gate.enforce(decision)


@app.command()
def promote(model: Model = "candidate", new_baseline: NewBaseline = False, as_json: AsJson = False) -> None:
    """Make a model the champion if it passes the gate."""
    from .core import inputs, params
    from .core.bundles import registry
    from .core.data import snapshots
    from .core.evaluation import gate

    settings, current, snapshot = Settings(), params.load(), snapshots.latest()
    bundle = registry.fetch(model, settings)
    led_to_it = inputs.identify_champion(bundle.id, snapshot.stem, current)
    decision = gate.judge(bundle, snapshot, current, settings)
    _print(f"{bundle.id}: {decision}", {"bundle": bundle.id, "decision": decision}, as_json)
    gate.promote(bundle, decision, led_to_it, settings, new_baseline=new_baseline)
    if not as_json:
        typer.echo(f"{bundle.id} is the champion")


@app.command()
def pipeline(
    force: Annotated[bool, typer.Option("--force", help="Run all steps, whether anything has changed or not.")] = False,
    new_baseline: NewBaseline = False,
    as_json: AsJson = False,
) -> None:
    """Run data, train and promote: from the source to a champion; skip what would make the same again."""
    from .core import params
    from .core import pipeline as steps

    done: dict[str, object] = {}
    try:
        for step in steps.run(params.load(), Settings(), force=force, new_baseline=new_baseline):
            done[step.name] = step.report
            if not as_json:
                typer.echo(step.text)
    finally:
        if done and as_json:
            _print("", done, as_json)


@app.command()
def serve(
    host: Annotated[str, typer.Option(envvar="SERVE_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, envvar="SERVE_PORT", help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, envvar="SERVE_WORKERS", help="Processes; each holds the model.")] = 1,
    shadow: Annotated[
        str,
        typer.Option(metavar="MODEL", help="A second model for the same requests; its answers are logged, not sent."),
    ] = "",
) -> None:
    """Serve the bundle at MODEL_URI over HTTP, or the champion if that is not set."""
    import uvicorn

    from .core.bundles import registry

    settings = Settings()
    if not settings.model_uri:
        try:
            os.environ["MODEL_URI"] = registry.find("champion", settings)
        except ProjectError as error:
            typer.echo(f"serving without a model: {error}", err=True)
    if shadow:
        os.environ["SHADOW_URI"] = uri = registry.find(shadow, settings)
        if uri == os.environ.get("MODEL_URI"):
            raise ProjectError(f"{uri} is what is served: --shadow needs another model")
    with contextlib.ExitStack() as stack:
        if workers > 1:  # what makes Prometheus' client add up the workers' metrics
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(tempfile.TemporaryDirectory())
        try:
            uvicorn.run(
                f"{__package__}.core.serving.app:create_app",
                factory=True,
                host=host,
                port=port,
                workers=workers,
                access_log=False,
                proxy_headers=False,  # the service asks nobody where they are
                server_header=False,
                http=f"{__package__}.core.serving.protocol:JoiningProtocol",
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        except SystemExit as stop:  # uvicorn says 3 when it cannot start, which here is the gate's code
            raise SystemExit(1 if stop.code else 0) from None


@app.command()
def example(model: Model = "champion") -> None:
    """Print a request that can be posted as it is."""
    from .core.bundles import registry

    signature = registry.fetch(model, Settings()).signature()
    typer.echo(msgspec.json.format(msgspec.json.encode({"instances": [signature.example]}), indent=2))


@app.command()
def explain(
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Argument(metavar="[FILE]", help="A request, such as `example` prints; - for standard input."),
    ] = None,
    model: Model = "champion",
    as_json: AsJson = False,
) -> None:
    """Explain predictions of a request, or of the example: what contributes to them, and what would change them."""
    from .core.bundles import predictor, registry
    from .core.explanation import table
    from .core.explanation.explainer import Explainer
    from .core.monitoring import profiles
    from .core.serving.decoder import RequestDecoder

    settings = Settings()
    bundle = registry.fetch(model, settings)
    loaded = predictor.load(bundle)
    decoder = RequestDecoder(loaded.signature, settings.max_request_rows)
    body = file.read() if file else msgspec.json.encode({"instances": [loaded.signature.example]})
    try:
        columns = decoder(body)
    except msgspec.DecodeError as error:
        fault = decoder.faults(body, error)[0]
        where = ".".join(map(str, fault.loc[1:])) or "the request"
        raise ProjectError(f"{where}: {fault.msg}") from error
    explanations = Explainer(loaded, profiles.load_reference(bundle.path).profiles).explain(columns)
    _print(table.show(explanations), {"bundle": bundle.id, "explanations": explanations}, as_json)


@app.command()
def predict(
    source: Annotated[str, typer.Argument(metavar="IN", help="CSV, Parquet or JSON lines: a path, URI or pattern.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="The folder, a path or URI, that gets Parquet parts.")],
    model: Model = "champion",
    rows_a_part: Annotated[int, typer.Option(min=1, help="Rows per part; larger parts need more memory.")] = 250_000,
    shard: Annotated[str, typer.Option(metavar="I/N", help="One of N shares, from 0/N on; pods know theirs.")] = "",
    as_json: AsJson = False,
) -> None:
    """Predict every row of a table of any size, into a folder of Parquet parts."""
    from .core import batch, shards
    from .core.bundles import predictor, registry

    settings = Settings()
    if not shard and settings.job_completion_index is not None and settings.job_completions is not None:
        shard = f"{settings.job_completion_index}/{settings.job_completions}"
    try:
        share = shards.parse(shard) if shard else None
    except ValueError:
        raise typer.BadParameter(f"{shard} is no shard: the first of eight is 0/8, the last 7/8") from None
    bundle = registry.fetch(model, settings)
    loaded = predictor.load(bundle, threads=threads.available())
    done = batch.predict(loaded, source, target, rows_a_part, bundle.id, share)
    invalid = f"; {done.invalid} of them break the contract and have no prediction" if done.invalid else ""
    missing = f"; {done.missing} of {share.of} shards are still missing" if share and done.missing else ""
    _print(f"{done.rows} rows in {done.parts} parts in {target}{invalid}{missing}", done, as_json)


@app.command()
def monitor(
    model: Model = "champion",
    hours: Annotated[float | None, typer.Option(min=0, help="Only consider the last N hours.")] = None,
    out: Annotated[Path, typer.Option(help="The folder that gets drift.md, drift.json and drift.prom.")] = Path(
        "artifacts/drift"
    ),
    against: Annotated[
        str,
        typer.Option(metavar="MODEL", help="Also compare it with this one, on the rows that both have answered."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compare logged predictions with the training data and the outcomes; exit with 4 on drift or a worse model."""
    from .core.bundles import registry
    from .core.monitoring import drift, outcomes, profiles
    from .core.monitoring import report as drift_report

    settings = Settings()
    bundle = registry.fetch(model, settings)
    since = datetime.now(UTC) - timedelta(hours=hours) if hours is not None else None
    reference = profiles.load_reference(bundle.path)
    report = drift.measure(reference, bundle.signature(), bundle.id, settings.prediction_log_uri, since)
    performance = outcomes.measure(bundle, reference.thresholds, settings.prediction_log_uri, since)
    comparison = None
    if against:
        other = registry.fetch(against, settings)
        comparison = outcomes.measure_against(bundle, other, reference.thresholds, settings.prediction_log_uri, since)
    report = msgspec.structs.replace(report, performance=performance, comparison=comparison)
    drift_report.write(report, reference.thresholds, out)
    _print(drift_report.summary(report, reference.thresholds), report, as_json)
    if report.drifted:
        raise DriftError(f"the data have drifted; {out / 'drift.md'} says which columns, and how far")
    if performance and performance.worse:
        raise DriftError(f"the model has become worse; {out / 'drift.md'} says by how much")
    if comparison and comparison.worse:
        raise DriftError(f"the model is worse than the other one; {out / 'drift.md'} says by how much")


@app.command()
def labels(
    source: Annotated[str, typer.Argument(metavar="IN", help="CSV, Parquet or JSON lines: a path or URI.")],
    as_json: AsJson = False,
) -> None:
    """Store the outcomes of logged predictions, which `monitor` compares with them."""
    from .core.data import labels as late
    from .core.monitoring import outcomes

    settings = Settings()
    if not settings.prediction_log_uri:
        raise ProjectError("PREDICTION_LOG_URI is empty: predictions are not logged, so labels belong to nothing")
    read = late.read(source)
    outcomes.keep(read, settings.prediction_log_uri)
    _print(f"{len(read)} labels are kept in {settings.prediction_log_uri}", {"labels": len(read)}, as_json)


@app.command()
def snapshots(
    model: Annotated[str, typer.Option(help="Only what this one was trained on: candidate, champion, …")] = "",
    as_json: AsJson = False,
) -> None:
    """List the snapshots in the store that models were trained on, and where their rows come from."""
    from .core.bundles import registry
    from .core.data import published

    settings = Settings()
    if model:
        found = [published.find(registry.fetch(model, settings).manifest.data, settings)]
    else:
        found = published.find_all(settings)
    _print(published.show(found), found, as_json)


@app.command()
def pull(
    snapshot: Annotated[str, typer.Argument(metavar="ID", help="The snapshot's SHA-256, as `snapshots` lists it.")],
    as_json: AsJson = False,
) -> None:
    """Bring a snapshot from the store onto this machine and verify it; `train` then trains on it."""
    from .core.data import published
    from .core.data.snapshots import SNAPSHOTS

    path = published.pull(snapshot, SNAPSHOTS, Settings())
    _print(f"{path} is the newest snapshot", {"snapshot": path}, as_json)


@app.command()
def forget(
    row_id: Annotated[list[str] | None, typer.Option(help="Erase the row of this id from all snapshots.")] = None,
    request_id: Annotated[list[str] | None, typer.Option(help="Erase this request from the prediction log.")] = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person's rows from the snapshots, here and in the store, and their requests from the prediction log."""
    from .core.data import erasure

    if not row_id and not request_id:
        raise typer.BadParameter("give at least one --row-id or --request-id")
    settings = Settings()
    done = erasure.forget(row_id or [], request_id or [], settings)
    lines = [
        f"erased {done.snapshot_rows} rows of snapshots, {done.published_rows} of those in {settings.store_uri}, and "
        f"{done.log_rows} rows of the prediction log"
    ]
    if done.bundles:
        lines.append(f"bundles made from them, to be replaced by training again: {', '.join(done.bundles)}")
    if done.unsearched:
        lines.append(f"snapshots without the column that names a row, to be deleted: {', '.join(done.unsearched)}")
    lines.append("out of reach: the source, other stores and machines, and versions or backups that a bucket keeps")
    _print("\n".join(lines), done, as_json)


@app.command()
def prune(
    days: Annotated[float, typer.Option(min=0, help="Delete what is older than this.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete old bundles and snapshots that are not in use, and old logged predictions."""
    from .core.data import retention

    expired = retention.prune(datetime.now(UTC) - timedelta(days=days), Settings(), dry_run=dry_run)
    lines = [f"bundle {name}" for name in expired.bundles] + [f"snapshot {name}" for name in expired.snapshots]
    lines.append(f"{expired.logged} files of the prediction log")
    _print("\n".join([f"{'would be deleted' if dry_run else 'deleted'}:", *lines]), expired, as_json)


@app.command()
def release(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="staging, prod, or train for the training image.")],
    image: Annotated[str, typer.Option(help="The image by its digest: registry/name@sha256:…")] = "",
    model: Annotated[str, typer.Option(help="The bundle's URI, which ends with its id; none for train.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write which image and model are to run in an environment; print what is written if neither is given."""
    from .core.release import release as releases

    if not image and not model:
        released = releases.read(environment) or releases.Release("", "")
        _print(" ".join(released).strip(), released._asdict(), as_json)
        return
    path = releases.write(environment, image, model)
    _print(f"{path} is written: commit it", {"path": path, "image": image, "model": model}, as_json)


@app.command()
def champion(as_json: AsJson = False) -> None:
    """Print the champion's URI, or nothing if there is none."""
    from .core.bundles import registry

    settings = Settings()
    uri = registry.find("champion", settings) if registry.pointer("champion", settings) else ""
    _print(uri, {"champion": uri}, as_json)


@app.command()
def manifest(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="candidate, champion, a bundle's id, path or URI.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What gets manifest.json and its signature.")],
    signed: Annotated[bool, typer.Option("--signed", help="Refuse a bundle without a signature.")] = False,
    publish: Annotated[bool, typer.Option("--publish", help="Put FOLDER's signature beside the bundle.")] = False,
) -> None:
    """Bring a bundle's manifest and its Sigstore signature here: cosign signs and verifies them."""
    from .core.bundles import registry, sigstore

    uri = registry.find(model, Settings())
    if publish:
        sigstore.publish(uri, folder)
    elif not sigstore.bring(uri, folder) and signed:
        raise ProjectError(f"the bundle {uri} is not signed: train it in CI, which signs it")
    typer.echo(uri)


@app.command()
def smoke(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the service is, such as https://churn.example.org")],
    model: Annotated[str, typer.Option(help="The bundle that it should serve, by its id or URI.")] = "",
    image: Annotated[str, typer.Option(help="The image that it should run, as its release names it.")] = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds within which it has to become ready.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Check a running service with real requests: its model, its image and its answers."""
    from .core.release import smoke as test

    report = test.run(url, model, image, wait)
    _print(f"{url} serves {report.model}; a request takes {report.milliseconds} ms", report, as_json)


def main() -> None:
    """Run the command; what its user can mend is one sentence, everything else a traceback."""
    threads.limit()
    try:
        app()
    except ProjectError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except ValidationError as error:  # only settings are validated so
        details = error.errors()[0]
        typer.echo(f"error: the environment variable {str(details['loc'][0]).upper()}: {details['msg']}", err=True)
        raise SystemExit(1) from None
    except ModuleNotFoundError as error:
        typer.echo(f"error: this needs {error.name}, which is not installed; `uv sync` installs everything", err=True)
        raise SystemExit(1) from None


def _print(text: str, report: object, as_json: bool) -> None:
    """Print text for a person, or the report for a script."""
    typer.echo(msgspec.json.encode(report, enc_hook=str) if as_json else text)
