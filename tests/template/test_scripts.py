"""What the pipeline's scripts decide, with stand-ins for the commands that they call; real runs are in tests/proof."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.template.assembly import Assembly
from tests.template.ci_checks import write
from tests.template.combinations import load_yaml

STAND_IN = """\
#!/bin/sh
echo "${0##*/} $*" >> "$CALLS"
case "$*" in
*" champion") echo "$CHAMPION" ;;
*" monitor --hours "*) exit "$MONITOR" ;;
*" smoke "*) exit "$SMOKE" ;;
*" release "*) echo "$RELEASED" ;;
*"imagetools inspect"*) [ -n "$PUSHED" ] && echo "Digest:    sha256:1" ;;
*" plan "*) echo "$PLAN" ;;
*" output -raw release") [ -n "$BEFORE" ] && echo "$BEFORE" || echo "Warning: No outputs found" ;;
*" output -raw configuration" | *" describe-endpoint "*) echo "configuration" ;;
*" invoke-endpoint "*) for answer in "$@"; do :; done; echo "$ANSWER" > "$answer" ;;
esac
"""


RELEASED = "registry.example.com/churn@sha256:2 s3://bucket/models/bundles/2"


@dataclass
class Scripts:
    """The scripts of a project on AWS, in a repository with a remote."""

    project: Path
    place: Path
    variables: dict[str, str] = field(
        default_factory=lambda: (
            {"CHAMPION": "s3://b/1", "MONITOR": "0", "SMOKE": "0", "PUSHED": "yes", "RELEASED": ""}
            | {"PLAN": "", "BEFORE": "", "ANSWER": ""}
        )
    )

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.place}:{os.environ['PATH']}", "HOME": os.environ["HOME"]}
        environment |= {name: value for name, value in os.environ.items() if name.startswith("GIT_")}
        environment |= {"CALLS": str(self.place / "calls"), **self.variables, **variables}
        (self.place / "calls").write_text("")
        command = ["sh", f"scripts/{script}", *arguments]
        return subprocess.run(
            command, check=False, cwd=self.project, env=environment, capture_output=True, encoding="utf-8"
        )

    def calls(self) -> list[str]:
        return (self.place / "calls").read_text().splitlines()

    def release(self, environment: str, digest: str) -> None:
        path = self.project / f"deploy/overlays/{environment}/release/kustomization.yaml"
        path.write_text(f"digest: sha256:{digest}\n", encoding="utf-8")
        self.variables["RELEASED"] = f"registry.example.com/churn@sha256:{digest} s3://bucket/models/bundles/{digest}"

    def git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(
            command, check=True, cwd=self.project, capture_output=True, encoding="utf-8"
        ).stdout.strip()


@pytest.fixture
def scripts(assembly: Assembly, tmp_path: Path) -> Scripts:
    return make_scripts(assembly, tmp_path, "kubernetes")


@pytest.fixture
def managed(assembly: Assembly, tmp_path: Path) -> Scripts:
    """Return the scripts of a project whose service is a managed endpoint, with a release in staging."""
    found = make_scripts(assembly, tmp_path, "managed")
    found.variables["RELEASED"] = RELEASED
    return found


def make_scripts(assembly: Assembly, tmp_path: Path, deploy: str) -> Scripts:
    patterns = ("scripts/*", "deploy/overlays/*/release/kustomization.yaml", "deploy/train/run.sh")
    wanted = {"cloud": "aws", "deploy": deploy}.items()
    files = next(files for c, files in assembly.subtrees(*patterns) if wanted <= c.answers.items())
    found = Scripts(write(files, tmp_path / "project"), tmp_path / "place")
    found.place.mkdir()
    for name in ("uv", "docker", "cosign", "kubectl", "aws", "terraform"):
        (found.place / name).write_text(STAND_IN, encoding="utf-8")
        (found.place / name).chmod(0o755)
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "remote")], check=True)
    for command in ("init --quiet", "add --all", "commit --quiet --message First", "remote add origin ../remote"):
        found.git(*command.split())
    found.git("push", "--quiet", "origin", "main")
    return found


# ── Drift ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("variables", "code", "trains"),
    [
        ({"MONITOR": "4"}, 0, True),
        ({"MONITOR": "0"}, 0, False),
        ({"MONITOR": "1"}, 1, False),
        ({"MONITOR": "4", "CHAMPION": ""}, 0, False),
        ({"MONITOR": "4", "PREDICTION_LOG_URI": ""}, 0, False),
    ],
    ids=["drift", "no drift", "a failure", "no champion", "no log"],
)
def test_a_scheduled_training_waits_for_drift(
    variables: dict[str, str], code: int, trains: bool, scripts: Scripts
) -> None:
    done = scripts.run("train", "drift", **{"PREDICTION_LOG_URI": "s3://log", **variables})
    assert done.returncode == code
    assert (f"uv run {_slug(scripts)} pipeline" in scripts.calls()) == trains


def test_a_training_that_is_asked_for_waits_for_nothing(scripts: Scripts) -> None:
    assert scripts.run("train", "asked", PREDICTION_LOG_URI="s3://log").returncode == 0
    assert scripts.calls() == [f"uv run {_slug(scripts)} pipeline"]


def test_what_was_trained_is_signed_by_whoever_can_sign(scripts: Scripts) -> None:
    assert scripts.run("train", "asked", SIGNER="me", ISSUER="you").returncode == 0
    looked, trained, brought, signed, published = scripts.calls()
    assert trained.endswith(" pipeline --force"), "what is not signed may be anybody's"
    assert looked == brought
    assert brought.endswith(" manifest candidate artifacts/manifest")
    assert signed.startswith("cosign sign-blob --yes --bundle artifacts/manifest/manifest.sigstore.json ")
    assert published.endswith(" artifacts/manifest --publish")


def test_what_is_signed_need_not_be_trained_nor_signed_again(scripts: Scripts) -> None:
    signature = scripts.project / "artifacts/manifest/manifest.sigstore.json"
    signature.parent.mkdir(parents=True)
    signature.write_text("{}")
    assert scripts.run("train", "asked", SIGNER="me", ISSUER="you").returncode == 0
    assert f"uv run {_slug(scripts)} pipeline" in scripts.calls()
    assert [call.split()[1] for call in scripts.calls() if call.startswith("cosign")] == ["verify-blob", "verify-blob"]


# ── Images ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_image_that_the_scanner_refuses_goes_no_further(scripts: Scripts) -> None:
    scan = scripts.project / "scripts/scan"
    scan.write_text('echo "scanned $1"\nexit 7\n', encoding="utf-8")
    done = scripts.run("image", IMAGE="registry.example.com/Team", SIGNER="me", ISSUER="you")
    assert done.returncode == 7
    assert "scanned registry.example.com/team@sha256:1" in done.stdout
    assert not [call for call in scripts.calls() if call.startswith("cosign")]
    assert (scripts.project / "artifacts/images").read_text() == ""


def test_without_a_registry_images_are_built_and_forgotten(scripts: Scripts) -> None:
    assert scripts.run("image").returncode == 0
    assert scripts.calls() == [f"docker buildx build --target {name} ." for name in ("serve", "train")]


# ── Releases ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_environment_without_a_release_is_left_alone(scripts: Scripts) -> None:
    done = scripts.run("deploy", "staging")
    assert (done.returncode, done.stdout) == (0, "Nothing has been released to staging yet.\n")
    assert len(scripts.calls()) == 1


def test_the_service_is_asked_for_what_was_released(scripts: Scripts) -> None:
    scripts.release("staging", "1")
    variables = {"DEPLOY": "gitops", "URL": "https://churn", "IMAGE": "r.io/churn", "SIGNER": "me", "ISSUER": "you"}
    assert scripts.run("deploy", "staging", **variables).returncode == 0
    image, model = [call for call in scripts.calls() if call.startswith("cosign")]
    assert image.endswith(" registry.example.com/churn@sha256:1")
    assert model.startswith("cosign verify-blob --certificate-identity me --certificate-oidc-issuer you ")
    (brought,) = [call for call in scripts.calls() if " manifest " in call]
    assert brought.endswith(" manifest s3://bucket/models/bundles/1 artifacts/manifest --signed")
    asked = " --model s3://bucket/models/bundles/1 --image registry.example.com/churn@sha256:1 "
    assert asked in scripts.calls()[-1]


def test_a_release_is_not_proposed_from_a_commit_that_is_not_the_last(scripts: Scripts) -> None:
    scripts.git("commit", "--quiet", "--allow-empty", "--message", "Later")
    scripts.git("push", "--quiet", "origin", "main")
    scripts.git("checkout", "--quiet", "HEAD^")
    done = scripts.run("propose", SERVING="registry.example.com/churn@sha256:1", MODEL="s3://bucket/models/bundles/1")
    assert done.returncode == 0
    assert "main has gone on" in done.stdout
    assert scripts.calls() == []
    assert scripts.git("ls-remote", "origin", "refs/heads/release") == ""


# ── Rollback where Argo CD or Flux deploys ──────────────────────────────────────────────────────────────────────────
def test_gitops_takes_a_release_back_that_does_not_pass(scripts: Scripts) -> None:
    scripts.release("staging", "1")
    assert scripts.run("deploy", "staging", DEPLOY="gitops", URL="https://churn").returncode == 0
    good = scripts.git("ls-remote", "origin", "refs/heads/staging")
    assert "sha256:1" in scripts.git("show", f"{good.split()[0]}:deploy/overlays/staging/release/kustomization.yaml")
    scripts.release("staging", "2")
    done = scripts.run("deploy", "staging", DEPLOY="gitops", URL="https://churn", SMOKE="1")
    assert done.returncode == 1
    assert "the release is taken back" in done.stderr
    assert scripts.git("ls-remote", "origin", "refs/heads/staging") == good
    assert not [call for call in scripts.calls() if call.startswith("kubectl")]


def test_gitops_leaves_main_to_those_who_may_merge(scripts: Scripts) -> None:
    for environment in ("staging", "prod"):
        scripts.release(environment, "1")
    before = scripts.git("ls-remote", "origin")
    done = scripts.run("deploy", "prod", DEPLOY="gitops", URL="https://churn", SMOKE="1")
    assert done.returncode == 1
    assert "revert the merge that has released it" in done.stderr
    assert scripts.git("ls-remote", "origin") == before


# ── Managed endpoints ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("before", ["", "registry.example.com/churn@sha256:1 s3://bucket/models/bundles/1"])
def test_an_endpoint_that_answers_with_another_model_is_taken_back(before: str, managed: Scripts) -> None:
    right = managed.run("deploy", "staging", BEFORE=before, ANSWER='{"model":"2","predictions":[]}')
    assert right.returncode == 0, right.stderr
    wrong = managed.run("deploy", "staging", BEFORE=before, ANSWER='{"model":"1","predictions":[]}')
    assert wrong.returncode == 1
    assert "staging has not passed: the release is taken back" in wrong.stderr
    planned = [call.partition(" -var image=")[2] for call in managed.calls() if " plan " in call]
    assert planned == [release.replace(" ", " -var model=") for release in (RELEASED, before) if release]


def test_a_plan_that_would_replace_the_endpoint_is_not_applied(managed: Scripts) -> None:
    done = managed.run("deploy", "staging", PLAN="  # aws_sagemaker_endpoint.this must be replaced")
    assert done.returncode == 1
    assert "staging would be without an endpoint for minutes" in done.stderr
    assert not [call for call in managed.calls() if " apply " in call]


def _slug(scripts: Scripts) -> str:
    (line,) = [line for line in (scripts.project / "scripts/train").read_text().splitlines() if "pipeline" in line]
    return line.split()[2]


# ── Training in the cluster, for longer than a login lasts ──────────────────────────────────────────────────────────
LOGIN = {
    "az": 'echo "$*" >> "$CALLS"; case "$*" in login*) touch "$CALLS.login" ;; esac',
    "curl": """echo "$*" >> "$CALLS"; echo '{"value": "new", "oidcToken": "new"}'""",
    "jq": "python3 -c \"import json, sys; print(json.load(sys.stdin)['value'])\"",
    "kubelogin": ":",
    "sleep": ":",
    "kubectl": """case "$*" in
*" get job "*) [ -f "$CALLS.login" ] && echo Complete || { echo Unauthorized >&2; exit 1; } ;;
esac""",
}
"""Commands of a runner whose login has ended: kubectl is refused until the Azure CLI logs in once more."""


@pytest.mark.parametrize("ci", ["github", "azure_pipelines"])
def test_a_login_that_ends_is_renewed(ci: str, assembly: Assembly, tmp_path: Path) -> None:
    patterns = ("scripts/*", ".azuredevops/*", "deploy/train/run.sh")
    files = next(
        f for c, f in assembly.subtrees(*patterns) if (c.answers["ci"], c.answers["cloud"]) == (ci, "azure") and f
    )
    found = Scripts(write(files, tmp_path / "project"), tmp_path / "place")
    found.place.mkdir()
    for name, text in LOGIN.items():
        (found.place / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (found.place / name).chmod(0o755)
    names = ["TENANT_ID", "AZURE_TENANT_ID", "SUBSCRIPTION_ID", "STORAGE_ACCOUNT", "AZURE_CLIENT_ID", "IDENTITY_TRAIN"]
    names += ["CONNECTION_TRAIN", "SYSTEM_ACCESSTOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    given = {name: name.lower() for name in names} | {"STAGE": "TRAIN"}
    given |= dict.fromkeys(
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"), "https://ci.example.com/token?v=1"
    )
    done = found.run("../deploy/train/run.sh", **given)
    assert done.returncode == 0, done.stderr
    (login,) = [call for call in found.calls() if call.startswith("login")]
    assert "--federated-token new" in login


# ── Which push of Azure Pipelines brings a release ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("proven", "changed"), [("HEAD~2", True), ("HEAD^", False), ("HEAD", False), ("", False)])
def test_a_release_is_seen_however_many_commits_a_push_has(
    proven: str, changed: bool, assembly: Assembly, scripts: Scripts
) -> None:
    """The release is the last commit but one; Azure Pipelines tells which commit its last good run was about."""
    for name in ("release", "another"):
        path = scripts.project / ("deploy/overlays/prod/release/kustomization.yaml" if name == "release" else name)
        path.write_text(name, encoding="utf-8")
        scripts.git("add", "--all")
        scripts.git("commit", "--quiet", "--message", name)
    files = next(f for c, f in assembly.subtrees("azure-pipelines.yml") if c.answers["cloud"] == "aws")
    (pipeline,) = load_yaml(files["azure-pipelines.yml"].content.decode())
    (step,) = [s for s in pipeline["stages"][0]["jobs"][0]["steps"] if s.get("name") == "release"]
    commit = scripts.git("rev-parse", proven) if proven else ""
    (scripts.place / "az").write_text(f'#!/bin/sh\necho "{commit}"\n', encoding="utf-8")
    (scripts.place / "az").chmod(0o755)
    (scripts.project / "scripts/release-step").write_text(step["bash"], encoding="utf-8")
    assert ("]changed" in scripts.run("release-step", SYSTEM_DEFINITIONID="1").stdout) == changed
