"""Endpoints of SageMaker, from an empty account to production and back: Terraform and CI's stages against moto.

What answers at an endpoint is the project's service, run as SageMaker runs it (`pipeline_stubs.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Copier
from tests.proof import pipeline_runs
from tests.proof.account import ACCOUNT, REGION, Aws, admit_insecure_connections, apply_infra, open_account, run
from tests.proof.pipeline_site import Site, make_site
from tests.terraform import variables

BUCKET = f"churn-{ACCOUNT}"
STAGES = ("image", "train", "staging", "prod")


@dataclass(frozen=True)
class Managed:
    """A project whose endpoints are in an account of AWS."""

    site: Site
    aws: Aws

    @property
    def deploy(self) -> Path:
        """Return the Terraform of the endpoints."""
        return self.site.project / "deploy"

    @contextmanager
    def quirk(self, name: str) -> Iterator[None]:
        """Let the account answer otherwise for as long as the context lasts, as `moto_more.py` says."""
        path = self.aws.quirks / name
        path.touch()
        try:
            yield
        finally:
            path.unlink()

    def endpoint(self, environment: str) -> dict[str, Any]:
        """Return what SageMaker says of an endpoint."""
        return self.aws.sagemaker("DescribeEndpoint", EndpointName=f"churn-{environment}")

    def container(self, environment: str) -> dict[str, Any]:
        """Return the container of an endpoint."""
        name = self.endpoint(environment)["EndpointConfigName"]
        (variant,) = self.aws.sagemaker("DescribeEndpointConfig", EndpointConfigName=name)["ProductionVariants"]
        return dict(self.aws.sagemaker("DescribeModel", ModelName=variant["ModelName"])["PrimaryContainer"])

    def release(self, environment: str, digest: str) -> None:
        """Write a release of the same model with another image, which has been signed, into the working tree."""
        path = self.deploy / environment / "release.tfvars.json"
        text = re.sub(r"sha256:\w{8}", f"sha256:{digest * 8}", path.read_text("utf-8"))
        path.write_text(text, encoding="utf-8")
        with (self.site.state / "signed").open("a") as signed:
            signed.write(json.loads(text)["image"] + "\n")


@pytest.fixture(scope="module")
def managed(copier: Copier, template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """Return a project that CI can deploy: what infra/README.md says has been done."""
    root = tmp_path_factory.mktemp("managed")
    (root / "moto").mkdir()
    with open_account(root / "moto") as aws:
        for site in make_site(copier, template_repo, root, "github", "aws", {"deploy": "managed"}):
            site.runner.environment |= variables() | aws.environment | {"AWS_ALLOW_HTTP": "true"}
            _set_up(site, aws)
            yield Managed(site, aws)


def _set_up(site: Site, aws: Aws) -> None:
    """Apply `infra/`, and commit what comes of it.

    `test_infra_aws.py` applies all of it. What is left out here, Terraform waits for most of a minute each: rules for
    what is old in a bucket, in files that are the same for Kubernetes.
    """
    infra = site.project / "infra"
    subjects = dict.fromkeys(STAGES, "repo:acme@12/churn@34:ref:refs/heads/main")
    given = {"region": REGION, "ci_issuer": "https://token.actions.githubusercontent.com", "ci_subjects": subjects}
    (infra / "terraform.tfvars.json").write_text(json.dumps(given), encoding="utf-8")
    for file in (infra / "state/main.tf", infra / "storage.tf"):
        rules = r'(?ms)^resource "aws_s3_bucket_lifecycle_configuration" .*?^}\n'
        text, found = re.subn(rules, "", file.read_text("utf-8"))
        assert found == 1
        file.write_text(text, encoding="utf-8")
    apply_infra(infra, aws)
    admit_insecure_connections(aws, BUCKET)
    settings = run(infra, "output", "-json", "settings", aws=aws)
    (site.project / "deploy/infra.auto.tfvars.json").write_text(settings, encoding="utf-8")
    made = json.loads(run(infra, "output", "-json", "ci_variables", aws=aws))
    assert made["STORE_URI"] == f"s3://{BUCKET}/models"
    site.runner.variables |= {"STORE_URI": made["STORE_URI"], "PREDICTION_LOG_URI": made["PREDICTION_LOG_URI"]}
    site.git("add", "--all")
    site.git("commit", "--quiet", "--message", "Set up AWS")
    site.git("push", "--quiet", "origin", "main")
    site.start_over()


def test_an_endpoint_may_pull_its_image_read_bundles_and_write_its_log(managed: Managed) -> None:
    assert managed.aws.roles() == {f"churn-ci-{s}" for s in STAGES} | {f"churn-serving-{s}" for s in STAGES[2:]}
    for environment in ("staging", "prod"):
        trust = managed.aws.trust(f"churn-serving-{environment}")
        assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        found = managed.aws.statements(f"churn-serving-{environment}")
        objects = {r: a for a, resources, _ in found for r in resources if r.startswith("arn:aws:s3:::")}
        assert objects == {
            f"arn:aws:s3:::{BUCKET}/models/bundles/*": {"s3:GetObject"},
            f"arn:aws:s3:::{BUCKET}/predictions/{environment}/*": {"s3:PutObject"},
        }


def test_ci_deploys_what_is_named_after_its_environment(managed: Managed) -> None:
    for environment in ("staging", "prod"):
        for actions, resources, _ in managed.aws.statements(f"churn-ci-{environment}"):
            if any(action.startswith(("sagemaker:", "iam:PassRole")) for action in actions):
                assert all(f"churn-{environment}" in r or f"churn-serving-{environment}" in r for r in resources)


def test_a_model_goes_from_training_to_production(managed: Managed) -> None:
    site = managed.site
    for stage in pipeline_runs.order(site.project):
        site.run(stage)
    build = next(call for call in site.calls("docker") if "--target serve" in call)
    assert "oci-mediatypes=false" in build
    assert "--provenance false" in build
    site.git("push", "--quiet", ".", "release:main", where=site.remote)
    site.start_over()
    site.run("production")
    (staging, image, model), (prod, *same) = [
        line.split() for line in (site.state / "invoked").read_text().splitlines()
    ]
    assert (staging, prod, same) == ("churn-staging", "churn-prod", [image, model])
    for environment in ("staging", "prod"):
        released = json.loads((managed.deploy / environment / "release.tfvars.json").read_text("utf-8"))
        assert released == {"image": image, "model": model}
        listed = managed.aws.call(f"/{BUCKET}?prefix=predictions/{environment}/", service="s3")
        assert ".jsonl" in listed, "what was asked is in its log"


def test_the_endpoint_has_guards_and_scales(managed: Managed) -> None:
    deployed = managed.endpoint("prod")["LastDeploymentConfig"]
    assert deployed["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert deployed["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "churn-prod-errors"}]}
    assert {"churn-prod-errors", "churn-staging-errors"} <= managed.aws.alarms()
    bounds = {each["ResourceId"]: (each["MinCapacity"], each["MaxCapacity"]) for each in managed.aws.scaled()}
    assert bounds == {"endpoint/churn-staging/variant/model": (1, 2), "endpoint/churn-prod/variant/model": (2, 10)}


def test_another_release_updates_the_endpoint_in_place(managed: Managed) -> None:
    before, container = managed.endpoint("staging"), managed.container("staging")
    managed.release("staging", "1")
    deploy(managed)
    plan = json.loads(run(managed.deploy, "show", "-json", "release.tfplan", aws=managed.aws))
    actions = {change["address"]: change["change"]["actions"] for change in plan["resource_changes"]}
    made_anew = ["create", "delete"]  # the new one is there before the old one goes
    assert {name: wanted for name, wanted in actions.items() if wanted != ["no-op"]} == {
        "aws_sagemaker_endpoint.this": ["update"],
        "aws_sagemaker_endpoint_configuration.this": made_anew,
        "aws_sagemaker_model.this": made_anew,
    }
    after = managed.endpoint("staging")
    assert after["CreationTime"] == before["CreationTime"], "it is the same endpoint"
    assert after["EndpointConfigName"] != before["EndpointConfigName"]
    assert after["LastDeploymentConfig"] == before["LastDeploymentConfig"]
    assert managed.container("staging")["Image"] != container["Image"]


def test_a_release_that_an_alarm_has_taken_back_leaves_all_as_it_was(managed: Managed) -> None:
    """Terraform is not told of it, and removes the configuration that the endpoint still has."""
    before, invoked = managed.container("staging"), managed.site.state / "invoked"
    asked = invoked.read_text()
    managed.release("staging", "2")
    with managed.quirk("alarm"):
        assert "staging has not passed: the release is taken back" in deploy(managed, 1)
    assert managed.container("staging") == before
    assert invoked.read_text() == asked, "what was taken back has not been asked"


def test_a_plan_that_would_take_the_endpoint_down_is_not_applied(managed: Managed) -> None:
    before = managed.endpoint("staging")
    managed.release("staging", "3")
    with managed.quirk("forget"):
        assert "staging would be without an endpoint for minutes" in deploy(managed, 1)
    assert managed.endpoint("staging") == before


def test_an_endpoint_goes_with_all_that_is_about_it(managed: Managed) -> None:
    files = [f"-var-file=staging/{name}" for name in ("settings.tfvars", "release.tfvars.json")]
    run(managed.deploy, "destroy", "-auto-approve", "-input=false", *files, aws=managed.aws)
    aws, prod = managed.aws, managed.endpoint("prod")["EndpointConfigName"]
    assert [each["EndpointName"] for each in aws.sagemaker("ListEndpoints")["Endpoints"]] == ["churn-prod"]
    assert [each["EndpointConfigName"] for each in aws.sagemaker("ListEndpointConfigs")["EndpointConfigs"]] == [prod]
    assert [each["ModelName"] for each in aws.sagemaker("ListModels")["Models"]] == [prod]
    assert [each["ResourceId"] for each in aws.scaled()] == ["endpoint/churn-prod/variant/model"]
    assert {name for name in aws.alarms() if "staging" in name} == set()


def deploy(managed: Managed, code: int = 0) -> str:
    """Run `scripts/deploy staging` as a job of CI does, and return what it says."""
    done = managed.site.runner.shell("sh scripts/deploy staging", {"AWS_SESSION_TOKEN": "identity-of/STAGING"})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr
