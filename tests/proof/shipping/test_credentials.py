"""CI's identity opens the bundle store of each cloud, before training and after it; a refusal is one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import in_clone
from tests.proof.project import Project
from tests.proof.shipping.authorities import (
    ACCOUNT,
    AUDIENCES,
    BUCKET,
    CONNECTION,
    JOB_TOKEN,
    JWT,
    POOL,
    Authority,
    authority,
)

URIS = {"gcp": f"gs://{BUCKET}/store", "azure": f"az://{BUCKET}/store"}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Authority]:
    """Return a cloud that refuses whoever has not got its token."""
    with authority(tmp_path) as known:
        yield known


@pytest.fixture(scope="module")
def projects(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Return a project for each cloud whose login `obstore` does not know by itself."""
    made = {}
    for name in URIS:
        place = tmp_path_factory.mktemp(name)
        given = ("--defaults", f"--set=cloud={name}", "--set=ci=azure_pipelines")
        in_clone(template_repo, place).with_env(UV_OFFLINE="")("new", "churn", *given)
        made[name] = Project(place / "churn", "churn")
        made[name].tool("uv", "sync", "--locked")
    return made


def google(cloud: Authority, folder: Path, source: dict[str, object]) -> dict[str, str]:
    """Return what a login to Google Cloud leaves in the environment: a file that says how to get tokens."""
    host = f"http://127.0.0.1:{cloud.port}"
    content = {
        "type": "external_account",
        "audience": POOL,
        "subject_token_type": JWT,
        "token_url": f"{host}/v1/token",
        "service_account_impersonation_url": f"{host}/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken",
        "credential_source": source,
    }
    (folder / "cloud.json").write_text(json.dumps(content), encoding="utf-8")
    return {
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "cloud.json"),
        "GOOGLE_CLOUD_PROJECT": "acme",
        "GOOGLE_BASE_URL": host,
        "GOOGLE_ALLOW_HTTP": "true",
    }


def login(name: str, cloud: Authority, folder: Path, project: Project) -> dict[str, str]:
    """Return the environment of a job of some CI after its login to a cloud."""
    host = f"http://127.0.0.1:{cloud.port}"
    github = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{host}/github?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": JOB_TOKEN,
    }
    pipelines = {"SYSTEM_OIDCREQUESTURI": f"{host}/azure-pipelines", "SYSTEM_ACCESSTOKEN": JOB_TOKEN}
    azure = {
        "AZURE_TENANT_ID": "tenant",
        "AZURE_CLIENT_ID": "client",
        "AZURE_AUTHORITY_HOST": f"https://127.0.0.1:{cloud.secure_port}",
        "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
        "AZURE_STORAGE_ACCOUNT_NAME": "account",
        "AZURE_ENDPOINT": host,
        "AZURE_ALLOW_HTTP": "true",
    }
    if name == "gcp-github":
        url = f"{host}/github?audience={AUDIENCES['google']}"
        bearer = {"Authorization": f"Bearer {JOB_TOKEN}"}
        form = {"type": "json", "subject_token_field_name": "value"}
        return google(cloud, folder, {"url": url, "headers": bearer, "format": form})
    if name == "gcp-gitlab":
        cloud.assertion_seconds = 3600  # GitLab's tokens live as long as the job
        (folder / "token").write_text(cloud.assertion(AUDIENCES["google"]), encoding="utf-8")
        return google(cloud, folder, {"file": str(folder / "token")})
    if name == "gcp-azure_pipelines":
        script = project.folder / ".azuredevops/cloud-token.sh"
        source: dict[str, object] = {"executable": {"command": f"sh {script}", "timeout_millis": 30000}}
        given = pipelines | {"STAGE": "TRAIN", "CONNECTION_TRAIN": CONNECTION}
        cloud.pool_audience = AUDIENCES["azure"]
        return google(cloud, folder, source) | given | {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}
    if name == "azure-github":
        return azure | github
    return azure | pipelines | {"AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": CONNECTION}


LOGINS = ("gcp-github", "gcp-gitlab", "gcp-azure_pipelines", "azure-github", "azure-azure_pipelines")


@pytest.mark.parametrize("name", LOGINS)
def test_ci_trains_into_the_store_of_its_cloud(
    cloud: Authority, projects: dict[str, Project], tmp_path: Path, name: str
) -> None:
    """Neither an assertion nor a token lives as long as the training: both are asked for again."""
    cloud.token_seconds = 3
    kind = name.partition("-")[0]
    project = projects[kind]
    env = login(name, cloud, tmp_path, project) | {"STORE_URI": URIS[kind]}
    job = project.elsewhere(tmp_path).with_env(**env)
    job("pipeline")
    first = cloud.log.index(f"PUT /{BUCKET}/store/touched {201 if kind == 'azure' else 200}")
    assert not any("bundles" in line for line in cloud.log[:first])
    assert f"/{BUCKET}/store/champion.json" in cloud.objects
    exchanges = [line for line in cloud.log if line.endswith(("/token 200", "generateAccessToken 200"))]
    assert len(exchanges) > (2 if kind == "gcp" else 1), "nothing was asked for again"
    assert job("champion").stdout.startswith(f"{URIS[kind]}/bundles/")


def test_data_are_read_by_the_same_login(cloud: Authority, projects: dict[str, Project], tmp_path: Path) -> None:
    job = projects["azure"].elsewhere(tmp_path)
    here = job.json("data")
    cloud.objects[f"/{BUCKET}/rows.csv"] = (tmp_path / "data/credit.csv").read_bytes()
    job.parameters(("source: data/credit.csv", f"source: az://{BUCKET}/rows.csv"))
    job = job.with_env(**login("azure-github", cloud, tmp_path, job))
    assert job.json("data") == here
    cloud.closed = True
    assert "rows.csv cannot be read" in job.refuses("data")


def test_polars_is_given_the_token_of_google(cloud: Authority, projects: dict[str, Project], tmp_path: Path) -> None:
    """What it reads Cloud Storage with can be sent nowhere but to Google."""
    job = projects["gcp"].with_env(**login("gcp-gitlab", cloud, tmp_path, projects["gcp"]))
    script = "from churn.core.data import sources; print(sources._tokens('gs://models/rows.csv')()[0]['bearer_token'])"
    assert cloud.accepts(job.tool("uv", "run", "python", "-c", script).stdout.strip(), "storage")


@pytest.mark.parametrize("name", ["gcp-gitlab", "azure-github"])
def test_a_store_that_refuses_is_one_sentence_before_anything_is_trained(
    cloud: Authority, projects: dict[str, Project], tmp_path: Path, name: str
) -> None:
    kind = name.partition("-")[0]
    job = projects[kind].elsewhere(tmp_path).with_env(**login(name, cloud, tmp_path, projects[kind]))
    absent = job.with_env(STORE_URI=URIS[kind].replace(BUCKET, "absent"))
    assert f"the store {URIS[kind].replace(BUCKET, 'absent')} refuses" in absent.refuses("pipeline")
    cloud.given.clear()  # the file of GitLab's job, for one
    cloud.closed = True
    assert f"candidate.json in {URIS[kind]} cannot be read" in job.with_env(STORE_URI=URIS[kind]).refuses("pipeline")
    assert not (tmp_path / "artifacts/store").exists(), "it was trained first"


def test_a_model_that_the_store_does_not_take_is_kept_and_can_be_promoted_later(
    cloud: Authority, projects: dict[str, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Authority._store

    def takes_one(self: Authority, method: str, path: str, *rest: object) -> object:
        self.closed = any(path.endswith("touched") for path in self.objects)
        return put(self, method, path, *rest)  # type: ignore[arg-type]

    job = projects["gcp"].elsewhere(tmp_path).with_env(**login("gcp-github", cloud, tmp_path, projects["gcp"]))
    job = job.with_env(STORE_URI=URIS["gcp"])
    with monkeypatch.context() as patch:
        patch.setattr(Authority, "_store", takes_one)
        assert "the model is kept in artifacts/store/bundles/" in job.refuses("pipeline")
    (kept,) = (tmp_path / "artifacts/store/bundles").iterdir()
    cloud.closed = False
    job("promote", "--model", kept.relative_to(tmp_path))
    assert job("champion").stdout.strip() == f"{URIS['gcp']}/bundles/{kept.name}"


@pytest.mark.parametrize(
    ("uri", "env", "sentence"),
    [
        ("gs://models/store", {"GOOGLE_APPLICATION_CREDENTIALS": "absent.json"}, "is not a file of credentials"),
        ("az://models/store", {"SYSTEM_OIDCREQUESTURI": "http://127.0.0.1:9"}, "set SYSTEM_ACCESSTOKEN and"),
    ],
)
def test_a_login_that_is_half_there_is_one_sentence(
    projects: dict[str, Project], tmp_path: Path, uri: str, env: dict[str, str], sentence: str
) -> None:
    project = projects["gcp" if uri.startswith("gs") else "azure"]
    given = {"STORE_URI": uri, "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client"} | env
    assert sentence in project.elsewhere(tmp_path).with_env(**given).refuses("champion")
