"""The service gets its model from the object store of each cloud, in good times and bad, and leaves its log there."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from tests.proof.project import Project
from tests.proof.shipping import stores
from tests.proof.shipping.conftest import publish, python, seal
from tests.proof.shipping.images import Container, Image
from tests.proof.shipping.stores import STORES, Gate, Store
from tests.proof.shipping.web import answers, ask, free_port, wait

PREDICTIONS = 20


@pytest.fixture(scope="module", params=list(STORES))
def store(request: pytest.FixtureRequest) -> Store:
    """Return each store."""
    return STORES[request.param]


@pytest.fixture(scope="module")
def emulated(store: Store) -> Iterator[Gate]:
    """Return the gate of a store that runs; it is closed."""
    with stores.emulate(store) as gate:
        yield gate


@pytest.fixture(scope="module")
def bucket() -> Iterator[Gate]:
    """Return the closed gate of one store, for what does not depend on which it is."""
    with stores.emulate(STORES["s3"]) as gate:
        yield gate


@pytest.fixture
def gate(emulated: Gate) -> Gate:
    """Return a closed gate of its own, before a store that other tests use too."""
    return Gate(emulated.store, emulated.emulator)


@contextmanager
def serving(image: Image, gate: Gate, model: str, **env: str) -> Iterator[tuple[int, Container]]:
    """Run a service that is told a model until the context ends; yield its port as soon as it is alive."""
    port = free_port()
    settings = {"MODEL_URI": model, "MODEL_RETRY_SECONDS": "0.5", "PREDICTION_LOG_URI": "", **env}
    command = ("serve", "--host", "127.0.0.1", "--port", str(port))
    with image.run(*command, env=gate.environment | settings) as container:
        wait(lambda: answers(port, "/healthz"), f"the service is not alive:\n{container.log.read_text()}")
        yield port, container


def test_a_model_comes_from_the_store_and_the_log_goes_there(
    service: Image, project: Project, champion: Path, gate: Gate, request_body: bytes
) -> None:
    log = f"{gate.uri}/predictions"
    with gate.open():
        model = publish(project.with_env(**gate.environment), champion, f"{gate.uri}/bundles")
        with serving(service, gate, model, PREDICTION_LOG_URI=log, PREDICTION_LOG_SECONDS="3600") as (port, container):
            wait(lambda: answers(port, "/readyz"), "the service is not ready")
            for _ in range(PREDICTIONS):
                assert ask(port, "POST", "/v1/predict", request_body).status == 200
            assert rows_logged(project, log, gate) == 0
            assert container.stop() == 0
        assert rows_logged(project, log, gate) == PREDICTIONS * len(json.loads(request_body)["instances"])
        env = gate.environment | {"MODEL_URI": model, "PREDICTION_LOG_URI": log}
        assert f"{PREDICTIONS} rows" in ended(service, project, "components/drift", env)


def rows_logged(project: Project, log: str, gate: Gate) -> int:
    """Return how many rows of the champion the project's own monitoring finds in the log."""
    rows: int = project.with_env(**gate.environment, PREDICTION_LOG_URI=log).json("monitor")["rows"]
    return rows


def ended(image: Image, project: Project, folder: str, env: dict[str, str]) -> str:
    """Run an image as the CronJob of a folder runs it, insist that it succeeds, and return what it has printed."""
    manifests = yaml.safe_load_all((project.folder / f"deploy/{folder}/cronjob.yaml").read_text(encoding="utf-8"))
    (cronjob,) = (each for each in manifests if each["kind"] == "CronJob")
    (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert {variable["name"] for variable in container["env"]} <= env.keys()
    arguments = [re.sub(r"\$\((\w+)\)", lambda name: env[name[1]], argument) for argument in container["args"]]
    with image.run(*arguments, env=env) as job:
        code = job.process.wait(300)
        text = job.log.read_text(encoding="utf-8")
    assert code == 0, text
    return text


def test_what_is_trained_in_the_cluster_is_served_there(
    service: Image, trainer: Image, project: Project, bucket: Gate, request_body: bytes
) -> None:
    store = f"{bucket.uri}/trained"
    with bucket.open():
        env = bucket.environment | {"STORE_URI": store, "MLFLOW_TRACKING_URI": "sqlite:///artifacts/mlflow.db"}
        (bundle,) = re.findall(r"^([0-9a-f]{64}) is the champion", ended(trainer, project, "train", env), re.MULTILINE)
        with serving(service, bucket, f"{store}/bundles/{bundle}") as (port, _):
            wait(lambda: answers(port, "/readyz", text=bundle), "the service is not ready")
            assert ask(port, "POST", "/v1/predict", request_body).status == 200


def test_a_store_that_comes_up_late_is_waited_for(service: Image, project: Project, champion: Path, gate: Gate) -> None:
    with gate.open():
        model = publish(project.with_env(**gate.environment), champion, f"{gate.uri}/late")
    with ExitStack() as stack:
        port, _ = stack.enter_context(serving(service, gate, model))
        wait(lambda: answers(port, "/readyz", 503, "cannot be fetched"), "it does not say what it waits for")
        stack.enter_context(gate.open())
        wait(lambda: answers(port, "/readyz", text=champion.name), "the service is not ready")
        assert answers(port, "/healthz")


def test_a_slow_store_keeps_nobody_from_asking_for_health(
    service: Image, project: Project, champion: Path, gate: Gate
) -> None:
    with gate.open():
        model = publish(project.with_env(**gate.environment), champion, f"{gate.uri}/slow")
        size = sum(path.stat().st_size for path in champion.rglob("*") if path.is_file())
        gate.bytes_a_second = size / 60
        with serving(service, gate, model) as (port, _):
            for _ in range(20):
                begin = time.monotonic()
                assert answers(port, "/healthz")
                assert time.monotonic() - begin < 1
                assert answers(port, "/readyz", 503, "being loaded")
                time.sleep(0.05)
            gate.bytes_a_second = float("inf")
            wait(lambda: answers(port, "/readyz"), "the service is not ready")


def test_a_silent_store_is_given_up_and_tried_again(
    service: Image, project: Project, champion: Path, gate: Gate
) -> None:
    with gate.open():
        model = publish(project.with_env(**gate.environment), champion, f"{gate.uri}/silent")
        gate.silent = True
        with serving(service, gate, model, MODEL_LOAD_SECONDS="1") as (port, _):
            wait(lambda: answers(port, "/readyz", 503, "could not be loaded within 1 seconds"), "no reason is given")
            gate.silent = False
            wait(lambda: answers(port, "/readyz"), "the service is not ready")


def test_a_service_that_waits_for_a_silent_store_ends_when_told(service: Image, gate: Gate) -> None:
    with gate.open():
        gate.silent = True
        with serving(service, gate, f"{gate.uri}/silent/{'0123456789abcdef' * 4}") as (_, container):
            time.sleep(1)
            assert container.stop(5) == 0
        gate.silent = False


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_bundle_is_never_served(
    service: Image, project: Project, champion: Path, gate: Gate, tmp_path: Path, damage: str
) -> None:
    assert_never_served(service, project, champion, gate, tmp_path, damage)


@pytest.mark.parametrize("damage", ["truncated", "foreign"])
def test_a_bundle_that_is_not_what_was_asked_for_is_never_served(
    service: Image, project: Project, champion: Path, bucket: Gate, tmp_path: Path, damage: str
) -> None:
    """How it is found does not depend on where it was."""
    assert_never_served(service, project, champion, bucket, tmp_path, damage)


def assert_never_served(
    service: Image, project: Project, champion: Path, gate: Gate, folder: Path, damage: str
) -> None:
    """Damage a published bundle, and see that the service stays alive, does not become ready, and says why."""
    with gate.open():
        model = publish(project.with_env(**gate.environment), champion, f"{gate.uri}/{damage}")
        spoil, reason = SPOILS[damage]
        copy = shutil.copytree(champion, folder / champion.name)
        replace(project, gate, model, spoil(copy))
        with serving(service, gate, model) as (port, _):
            wait(lambda: answers(port, "/readyz", 503, reason), f"it does not say: {reason}")
            for _ in range(20):  # several tries
                assert answers(port, "/readyz", 503)
                assert ask(port, "POST", "/v1/predict", b"{}").status == 503
                assert answers(port, "/healthz")
                time.sleep(0.1)


def altered(bundle: Path) -> Path:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)
    return bundle / "model.onnx"


def truncated(bundle: Path) -> Path:
    (bundle / "model.onnx").write_bytes((bundle / "model.onnx").read_bytes()[:-1])
    return bundle / "model.onnx"


def missing(bundle: Path) -> Path:
    (bundle / "signature.json").unlink()
    return bundle / "signature.json"


def foreign(bundle: Path) -> Path:
    """Name other data: every file fits, but this is another bundle than its folder says."""
    return edit(bundle, data="0" * 64)


def edit(bundle: Path, **values: str) -> Path:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    (bundle / "manifest.json").write_text(json.dumps(manifest | values), encoding="utf-8")
    return bundle / "manifest.json"


SPOILS = {
    "altered": (altered, "model.onnx is not the file that was sealed"),
    "truncated": (truncated, "model.onnx is not the file that was sealed"),
    "missing": (missing, "cannot be fetched"),
    "foreign": (foreign, "holds the bundle"),
}


def replace(project: Project, gate: Gate, model: str, file: Path) -> None:
    """Put a file in the place of the one in the store, or delete that one where the file is gone."""
    script = "import sys, obstore, pathlib; from churn.core.bundles.storage import open_folder; "
    script += "store, file = open_folder(sys.argv[1]), pathlib.Path(sys.argv[2]); "
    script += "obstore.put(store, file.name, file) if file.exists() else obstore.delete(store, file.name)"
    python(project.with_env(**gate.environment), script, model, file)


def test_a_model_of_other_features_is_never_served(
    service: Image, project: Project, champion: Path, bucket: Gate, tmp_path: Path
) -> None:
    """A bundle that is whole, and named by its content, but made by another version of the project."""
    bundle = shutil.copytree(champion, tmp_path / "bundle")
    digest = edit(bundle, features="0" * 64)
    script = "import sys; from pathlib import Path; from churn.core.bundles.bundle import verify; "
    script += "print(verify(Path(sys.argv[1])).id)"
    bundle = bundle.rename(tmp_path / python(project, script, digest.parent))
    with bucket.open():
        model = publish(project.with_env(**bucket.environment), bundle, f"{bucket.uri}/other")
        with serving(service, bucket, model) as (port, _):
            wait(lambda: answers(port, "/readyz", 503, "another version of features.py"), "it does not say why")


def test_a_large_bundle_is_fetched_in_little_memory(
    project: Project, champion: Path, bucket: Gate, tmp_path: Path
) -> None:
    """Memory grows by less than 50 MB while 150 MB are fetched, written and verified."""
    bundle = shutil.copytree(champion, tmp_path / "bundle")
    with (bundle / "weights.bin").open("wb") as file:
        for part in range(150):
            file.write(part.to_bytes(4, "big") * 250_000)
    bundle = seal(project, bundle)
    script = (
        "import resource, sys; from pathlib import Path; from churn.core.bundles.bundle import fetch; "
        "import onnxruntime; "
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3; before = peak(); "
        "fetch(sys.argv[1], Path(sys.argv[2])); print(peak() - before)"
    )
    with bucket.open():
        model = publish(project.with_env(**bucket.environment), bundle, bucket.uri)
        cache = str(tmp_path / "cache")
        grown = float(python(project.with_env(**bucket.environment), script, model, cache))
    print(f"memory grew by {grown:.0f} MB while a bundle of 150 MB was fetched")
    assert grown <= 50
