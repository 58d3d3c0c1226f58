"""The same code with an object store in the place of a disk: bundles, prediction log and batch behind `s3://`."""

from __future__ import annotations

import http.client
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof.pairs.test_service import instances
from tests.proof.project import Project

SERVER = ("uv", "tool", "run", "--from", "moto[server]>=5.1,<6", "moto_server", "--host", "127.0.0.1", "--port", "0")

SIGNED = "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=unchecked"


class Bucket:
    """A bucket of an emulated S3."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        self.name = name
        self.request("PUT")

    def request(self, method: str, key: str = "", body: bytes | None = None) -> bytes:
        """Send a request about the bucket or one of its objects, and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, f"/{self.name}/{key}", body, {"authorization": SIGNED})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        assert response.status in (200, 204), (method, key, response.status, content)
        return content

    def keys(self, prefix: str = "") -> list[str]:
        """Return the names of the objects."""
        return re.findall(r"<Key>(.*?)</Key>", self.request("GET", f"?prefix={prefix}").decode())


@pytest.fixture(scope="module")
def bucket(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """Return an empty bucket for one project."""
    log = tmp_path_factory.mktemp(f"s3-{project.task}") / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(SERVER, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        end = time.monotonic() + 300  # it is downloaded the first time
        while not (found := re.search(r"Running on http://127\.0\.0\.1:(\d+)", log.read_text())):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield Bucket(int(found[1]), "models")
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def remote(project: Project, bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project in an empty folder, told to keep everything in the bucket."""
    return project.elsewhere(tmp_path_factory.mktemp("remote")).with_env(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{bucket.port}",
        AWS_ALLOW_HTTP="true",
        AWS_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="somebody",
        AWS_SECRET_ACCESS_KEY="something",
        STORE_URI="s3://models/store",
        PREDICTION_LOG_URI="s3://models/log",
        MODEL_RETRY_SECONDS=0.2,
    )


@pytest.fixture(scope="module")
def bundle(remote: Project) -> str:
    """Return the id of the champion that the pipeline has made."""
    remote("pipeline")
    return str(remote.json("evaluate", "--model", "champion")["bundle"])


def test_the_champion_is_in_the_bucket_and_nowhere_else(remote: Project, bucket: Bucket, bundle: str) -> None:
    keys = bucket.keys("store/")
    assert {"store/champion.json", "store/candidate.json", "store/champion.md"} <= set(keys)
    assert f"store/bundles/{bundle}/manifest.json" in keys
    assert not (remote.cwd / "artifacts/store").exists()
    assert remote.json("promote")["decision"]["verdict"] == "passed"


def test_what_a_model_was_made_from_comes_back_from_the_bucket(remote: Project, bundle: str, tmp_path: Path) -> None:
    done = remote.json("pipeline")
    assert [done[step]["skipped"] for step in ("data", "train", "promote")] == [True, True, True]
    assert done["train"]["bundle"] == bundle
    (found,) = remote.json("snapshots", "--model", "champion")
    assert remote.json("snapshots") == [found]
    assert found["record"]["source"] == remote.source
    elsewhere = remote.elsewhere(tmp_path)
    elsewhere("pull", found["id"])
    there, here = (where.cwd / f"artifacts/snapshots/{found['id']}.parquet" for where in (remote, elsewhere))
    assert here.read_bytes() == there.read_bytes()


def test_what_is_served_and_logged_is_in_the_bucket(
    remote: Project, bucket: Bucket, bundle: str, tmp_path: Path
) -> None:
    elsewhere = remote.with_env(MODEL_URI=f"s3://models/store/bundles/{bundle}", MODEL_CACHE=tmp_path / "cache")
    with elsewhere.served() as service:
        assert service.get("/readyz")["model"] == bundle
        rows = instances(remote.table, service)
        service.predict(rows[:30])
    assert bucket.keys("log/")
    assert remote.json("monitor", "--out", tmp_path / "drift")["rows"] == 30


def test_a_table_in_the_bucket_is_predicted_into_the_bucket(remote: Project, bucket: Bucket, bundle: str) -> None:
    bucket.request("PUT", "tables/in.csv", remote.table.read_bytes())
    lines = len(remote.table.read_text("utf-8").splitlines()) - 1
    for rows in (300, 500):
        done = remote.json("predict", "s3://models/tables/in.csv", "s3://models/tables/out", "--rows-a-part", rows)
        parts = [f"tables/out/part-{number:05}.parquet" for number in range(done["parts"])]
        assert done["rows"] == lines
        assert bucket.keys("tables/out") == parts


def test_data_in_the_bucket_are_read(remote: Project, bucket: Bucket, bundle: str) -> None:
    bucket.request("PUT", "tables/rows.csv", (remote.cwd / remote.source).read_bytes())
    snapshot = remote.json("data")
    remote.parameters((f"source: {remote.source}", "source: s3://models/tables/rows.csv"))
    assert remote.json("data") == snapshot


def test_a_service_waits_for_a_bundle_that_is_whole_and_the_right_one(
    remote: Project, bucket: Bucket, bundle: str, tmp_path: Path
) -> None:
    keys = bucket.keys(f"store/bundles/{bundle}/")
    objects = {key.rpartition(f"{bundle}/")[2]: bucket.request("GET", key) for key in keys}
    waiting = remote.with_env(MODEL_URI=f"s3://models/late/{bundle}", MODEL_CACHE=tmp_path / "cache")

    def put(*names: str) -> None:
        for name in names:
            bucket.request("PUT", f"late/{bundle}/{name}", objects[name])

    with waiting.served(ready=False) as service:
        service.wait(lambda: b"cannot be fetched" in service.request("GET", "/readyz")[1])
        bucket.request(
            "PUT",
            f"late/{bundle}/manifest.json",
            b'{"format": 2, "files": {"../../escaped": ""}, "data": "", "features": ""}',
        )
        service.wait(lambda: b"outside the bundle" in service.request("GET", "/readyz")[1])
        put("manifest.json", *(name for name in objects if name != "signature.json"))
        bucket.request("PUT", f"late/{bundle}/signature.json", b"{}")
        service.wait(lambda: b"is not the file that was sealed" in service.request("GET", "/readyz")[1])
        put("signature.json")
        service.wait_until_ready()
        assert service.get("/readyz")["model"] == bundle
    assert not (tmp_path / "escaped").exists()


def test_a_bundle_under_the_name_of_another_is_refused(
    remote: Project, bucket: Bucket, bundle: str, tmp_path: Path
) -> None:
    for key in bucket.keys(f"store/bundles/{bundle}/"):
        name = key.rpartition(f"{bundle}/")[2]
        bucket.request("PUT", f"false/{'0' * 64}/{name}", bucket.request("GET", key))
    renamed = remote.with_env(MODEL_CACHE=tmp_path / "cache")
    assert f"holds the bundle {bundle}, not {'0' * 64}" in renamed.refuses(
        "evaluate", "--model", f"s3://models/false/{'0' * 64}"
    )


def test_a_store_that_cannot_be_reached_is_one_sentence(remote: Project, tmp_path: Path) -> None:
    nowhere = remote.with_env(STORE_URI="s3://absent/store", MODEL_CACHE=tmp_path / "cache")
    nowhere.refuses("evaluate")
    nowhere.refuses("predict", remote.source, "out", "--model", "0" * 64)
    assert "cannot be read" in remote.with_env(PREDICTION_LOG_URI="s3://absent/log").refuses("monitor")


def test_what_is_old_leaves_the_bucket_and_what_is_in_use_stays(remote: Project, bucket: Bucket, bundle: str) -> None:
    unused = "0" * 64
    for key in bucket.keys(f"store/bundles/{bundle}/"):
        bucket.request("PUT", key.replace(bundle, unused), bucket.request("GET", key))
    bucket.request("PUT", "log/2026-01-01/old.jsonl.gz", b"")
    before = set(bucket.keys())
    time.sleep(1)  # S3 tells whole seconds
    assert remote.json("prune", "--days", 0, "--dry-run")["bundles"] == [unused]
    assert set(bucket.keys()) == before
    expired = remote.json("prune", "--days", 0)
    assert (expired["bundles"], expired["snapshots"]) == ([unused], [])
    gone = {key for key in before if unused in key or key.startswith("log/")}
    assert before - set(bucket.keys()) == gone
    assert expired["logged"] == len([key for key in gone if key.startswith("log/")]) > 0
    assert remote.json("evaluate", "--model", "champion")["bundle"] == bundle
