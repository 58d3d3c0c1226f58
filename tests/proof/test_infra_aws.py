"""The Terraform of an AWS project, really applied and destroyed: moto answers as AWS does, on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Copier
from tests.proof.account import ACCOUNT, REGION, STATE, Aws, Statement, apply_infra, open_account, run
from tests.template.combinations import load_yaml
from tests.terraform import terraform

BUCKET = f"churn-{ACCOUNT}"
ISSUER = "token.actions.githubusercontent.com"
SUBJECTS = {
    "image": "repo:acme@12/churn@34:ref:refs/heads/main",
    "train": "repo:acme@12/churn@34:ref:refs/heads/main",
    "staging": "repo:acme@12/churn@34:environment:staging",
    "prod": "repo:acme@12/churn@34:environment:prod",
}
PODS = {
    "serving-staging": ("churn-staging", "serving"),
    "serving-prod": ("churn-prod", "serving"),
    "drift": ("churn-prod", "drift"),
    "training": ("churn-train", "training"),
}

# What moto cannot do is named here and nowhere else: it knows neither add-ons, access entries nor pod identities.
CLUSTER = [
    "aws_default_security_group.this",
    "aws_eks_cluster.this",
    "aws_iam_role_policy_attachment.node",
    "aws_route_table_association.private",
    "aws_route_table_association.public",
    "aws_vpc_endpoint.s3",
]
UNKNOWN_TO_MOTO = {"aws_eks_access_entry": 3, "aws_eks_addon": 1}
UNKNOWN_TO_MOTO |= {"aws_eks_pod_identity_association": len(PODS)}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Return an account that nobody has touched."""
    with open_account(tmp_path_factory.mktemp("moto")) as account:
        yield account


@dataclass(frozen=True)
class Applied:
    """A project whose Terraform has been applied as the README says; ``outputs`` are what that has printed."""

    aws: Aws
    project: Path
    outputs: Mapping[str, Any]

    @property
    def infra(self) -> Path:
        """Return the root module."""
        return self.project / "infra"


@pytest.fixture(scope="module")
def applied(aws: Aws, copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    """Return a project whose state bucket has been made first, and then all else, with the state in it."""
    project = copier.copy(tmp_path_factory.mktemp("aws") / "churn", {"project_name": "Churn", "cloud": "aws"})
    infra = project / "infra"
    given = {"region": REGION, "ci_issuer": f"https://{ISSUER}", "ci_subjects": SUBJECTS}
    (infra / "terraform.tfvars.json").write_text(json.dumps(given), encoding="utf-8")
    apply_infra(infra, aws)
    outputs = json.loads(run(infra, "output", "-json", aws=aws))
    return Applied(aws, project, {name: output["value"] for name, output in outputs.items()})


def test_the_state_is_in_its_bucket_and_on_no_disk(applied: Applied) -> None:
    assert applied.aws.buckets() == {BUCKET, STATE}
    assert json.loads(applied.aws.call(f"/{STATE}/infra.tfstate", service="s3"))["resources"]
    assert not list(applied.infra.glob("*.tfstate*"))


@pytest.mark.parametrize("bucket", [BUCKET, STATE])
def test_buckets_are_versioned_encrypted_and_closed(applied: Applied, bucket: str) -> None:
    def ask(what: str) -> str:
        return applied.aws.call(f"/{bucket}?{what}", service="s3")

    assert "<Status>Enabled</Status>" in ask("versioning")
    assert ask("publicAccessBlock").count("true") == 4
    encryption = ask("encryption")
    assert ("aws:kms" if bucket == BUCKET else "AES256") in encryption
    rules = ask("lifecycle")
    assert "<NoncurrentDays>" in rules
    assert "<DaysAfterInitiation>7<" in rules
    assert ("<Prefix>predictions/</Prefix>" in rules) == (bucket == BUCKET)


def test_outputs_hold_what_ci_and_deploy_need(applied: Applied) -> None:
    registry = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/churn"
    assert applied.outputs["ci_variables"] == {
        "REGION": REGION,
        "IMAGE": registry,
        "TRAIN_IMAGE": f"{registry}-train",
        "STORE_URI": f"s3://{BUCKET}/models",
        "PREDICTION_LOG_URI": f"s3://{BUCKET}/predictions/prod",
        **{f"IDENTITY_{stage.upper()}": f"arn:aws:iam::{ACCOUNT}:role/churn-ci-{stage}" for stage in SUBJECTS},
    }
    assert applied.outputs["data_uri"] == f"s3://{BUCKET}/data"


def test_settings_reach_deploy(applied: Applied) -> None:
    command = [sys.executable, str(applied.infra / "settings.py")]
    subprocess.run(command, input=json.dumps(applied.outputs["settings"]), encoding="utf-8", check=True)
    found: dict[str, str] = {}
    for folder in ("overlays/staging", "overlays/prod", "train"):
        (document,) = load_yaml((applied.project / "deploy" / folder / "settings.yaml").read_text(encoding="utf-8"))
        found |= {f"{folder}: {name}": value for name, value in document["data"].items()}
    assert found["overlays/staging: PREDICTION_LOG_URI"] == f"s3://{BUCKET}/predictions/staging"
    assert found["overlays/prod: PREDICTION_LOG_URI"] == f"s3://{BUCKET}/predictions/prod"
    assert found["train: STORE_URI"] == f"s3://{BUCKET}/models"


# ── Least privilege, as IAM has it ──────────────────────────────────────────────────────────────────────────────────


def objects(*prefixes: str) -> frozenset[str]:
    """Return the names of objects below prefixes of the bucket."""
    return frozenset(f"arn:aws:s3:::{BUCKET}/{prefix}*" for prefix in prefixes)


def without_key(statements: set[Statement]) -> set[Statement]:
    """Return statements but those that let S3 use the one key on one's behalf, of which there must be one."""
    keys = {s for s in statements if any(action.startswith("kms:") for action in s[0])}
    ((actions, resources, condition),) = keys
    assert actions <= {"kms:Decrypt", "kms:GenerateDataKey"}
    assert all(re.fullmatch(rf"arn:aws:kms:{REGION}:{ACCOUNT}:key/[\w-]+", resource) for resource in resources)
    assert json.loads(condition) == {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    return statements - keys


WHOLE_BUCKET = frozenset({f"arn:aws:s3:::{BUCKET}"})
LOG_OF_PROD = json.dumps({"StringLike": {"s3:prefix": "predictions/prod/*"}})
GET, PUT, LIST = frozenset({"s3:GetObject"}), frozenset({"s3:PutObject"}), frozenset({"s3:ListBucket"})
LOGIN = (frozenset({"ecr:GetAuthorizationToken"}), frozenset({"*"}), "{}")
REPOSITORIES = frozenset(f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/churn{suffix}" for suffix in ("", "-train"))
PULL = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
PUSH = {f"ecr:{verb}" for verb in ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")}
TRAINING = {(GET, objects("data/"), "{}"), (GET | PUT, objects("models/"), "{}"), (LIST, WHOLE_BUCKET, "{}")}
DRIFT = {(GET, objects("models/bundles/", "predictions/prod/"), "{}"), (LIST, WHOLE_BUCKET, LOG_OF_PROD)}
RELEASE: set[Statement] = {
    LOGIN,
    (frozenset(PULL | {"ecr:DescribeImages"}), REPOSITORIES, "{}"),
    (GET, objects("models/bundles/") | {f"arn:aws:s3:::{BUCKET}/models/champion.json"}, "{}"),
    (LIST, WHOLE_BUCKET, "{}"),
}


def test_there_are_no_other_roles(applied: Applied) -> None:
    assert applied.aws.roles() == {*(f"churn-ci-{stage}" for stage in SUBJECTS), *(f"churn-{name}" for name in PODS)}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_serving_reads_bundles_and_writes_its_log(applied: Applied, environment: str) -> None:
    found = without_key(applied.aws.statements(f"churn-serving-{environment}"))
    assert found == {(GET, objects("models/bundles/"), "{}"), (PUT, objects(f"predictions/{environment}/"), "{}")}


def test_drift_reads_bundles_and_the_log(applied: Applied) -> None:
    assert without_key(applied.aws.statements("churn-drift")) == DRIFT


def test_training_reads_data_and_writes_bundles(applied: Applied) -> None:
    assert without_key(applied.aws.statements("churn-training")) == TRAINING


def test_ci_trains_as_the_cluster_does(applied: Applied) -> None:
    found = applied.aws.statements("churn-ci-train")
    assert {s for s in found if not any(action.startswith("kms:") for action in s[0])} == TRAINING | DRIFT


def test_ci_pushes_images_and_nothing_else(applied: Applied) -> None:
    push = (frozenset(PULL | PUSH | {"ecr:BatchCheckLayerAvailability"}), REPOSITORIES, "{}")
    assert applied.aws.statements("churn-ci-image") == {LOGIN, push}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_a_release_reads_images_and_bundles(applied: Applied, environment: str) -> None:
    assert without_key(applied.aws.statements(f"churn-ci-{environment}")) == RELEASE


def test_each_stage_of_ci_trusts_one_subject(applied: Applied) -> None:
    for stage, subject in SUBJECTS.items():
        trust = applied.aws.trust(f"churn-ci-{stage}")
        assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert trust["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
        claims = {"aud": "sts.amazonaws.com", "sub": subject}
        expected = {f"{ISSUER}:{name}": value for name, value in claims.items()}
        assert trust["Condition"] == {"StringEquals": expected}


def test_each_role_of_a_pod_trusts_one_service_account(applied: Applied) -> None:
    for name, (namespace, account) in PODS.items():
        trust = applied.aws.trust(f"churn-{name}")
        assert set(trust["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
        assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        tags = {"namespace": namespace, "service-account": account}
        expected = {f"aws:RequestTag/kubernetes-{tag}": value for tag, value in tags.items()}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT, **expected}}


# ── The cluster, and the end ────────────────────────────────────────────────────────────────────────────────────────


def test_a_cluster_can_be_made(applied: Applied) -> None:
    targets = [f"-target=module.cluster[0].{name}" for name in CLUSTER]
    run(applied.infra, "apply", "-auto-approve", "-input=false", "-var=create_cluster=true", *targets, aws=applied.aws)
    assert json.loads(applied.aws.call("/clusters", service="eks"))["clusters"] == ["churn"]
    plan = run(applied.infra, "plan", "-input=false", "-var=create_cluster=true", aws=applied.aws)
    planned = re.findall(r"^  # (?:module\.cluster\[0\]\.)?(\w+)\.\S+ will be created$", plan, re.MULTILINE)
    assert {kind: planned.count(kind) for kind in UNKNOWN_TO_MOTO} == UNKNOWN_TO_MOTO


def test_everything_goes_but_the_state(applied: Applied) -> None:
    run(applied.infra, "destroy", "-auto-approve", "-input=false", "-var=create_cluster=true", aws=applied.aws)
    assert applied.aws.buckets() == {STATE}
    assert applied.aws.roles() == set()
    assert json.loads(applied.aws.call("/clusters", service="eks"))["clusters"] == []
    state = applied.infra / "state"
    kept = terraform(state, "destroy", "-auto-approve", f"-var=region={REGION}", env=applied.aws.environment)
    assert kept.returncode == 1
    assert "prevent_destroy" in kept.stderr
    assert applied.aws.buckets() == {STATE}
