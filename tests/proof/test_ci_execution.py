"""Every stage of every provider, really run in a generated project, from an empty account to production.

What has no engine here is a stand-in (`pipeline_stubs.py`): registry, signatures, cloud and cluster. What is real: the
scripts and their order, git and its remote, training and gate, kustomize, the service and what it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.proof import pipeline_runs
from tests.proof.pipeline_runs import RUNNERS
from tests.proof.pipeline_site import Site, make_site


@pytest.fixture(scope="module", params=list(RUNNERS))
def site(
    request: pytest.FixtureRequest, copier: Copier, template_repo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Return a project on a provider and AWS."""
    yield from make_site(copier, template_repo, tmp_path_factory.mktemp(request.param), request.param, "aws")


def test_the_first_push_is_checked_and_built_and_waits_for_a_model(site: Site) -> None:
    site.run("check")
    site.run("image")
    assert len((site.state / "pushed").read_text().splitlines()) == 2
    signatures = [call for call in site.calls("cosign") if call.startswith("cosign sign ")]
    assert len(signatures) == (2 if site.signs else 0)
    assert "no champion yet" in site.run("staging")
    assert site.applied() == []
    site.run("image")
    assert len([call for call in site.calls("docker") if "--push" in call]) == 2, "what is there is not built again"


def test_a_model_goes_from_training_to_production(site: Site) -> None:
    for stage in pipeline_runs.order(site.project):
        site.run(stage)
    ((_, image, model),) = [line.split() for line in site.applied()]
    assert site.released("staging", "release") == site.released("prod", "release")
    assert image.partition("@")[2] in site.released("prod", "release")
    assert model in site.released("prod", "release")
    site.git("push", "--quiet", ".", "release:main", where=site.remote)
    site.start_over()
    site.run("production")
    assert site.applied()[-1].split() == ["deploy/overlays/prod", image, model]


def test_what_is_in_production_is_not_proposed_again(site: Site) -> None:
    before = site.git("rev-parse", "release", where=site.remote)
    assert "prod has it already" in "".join(site.run(stage) for stage in ("staging", "propose"))
    assert site.git("rev-parse", "release", where=site.remote) == before


def test_a_training_that_the_gate_refuses_stops_the_pipeline(site: Site) -> None:
    params = site.project / "params.yaml"
    good, applied = params.read_text("utf-8"), site.applied()
    params.write_text(good.replace("max_iter: 120", "max_iter: 1").replace("0.05", "0.0001"), "utf-8")
    try:
        assert "the gate refuses the model" in site.fails_in("train")
    finally:
        params.write_text(good, "utf-8")
    assert site.applied() == applied


def test_training_in_the_cluster_is_refused_there_as_well(site: Site) -> None:
    params = site.project / "params.yaml"
    good = params.read_text("utf-8")
    params.write_text(good.replace("max_iter: 120", "max_iter: 1").replace("0.05", "0.0001"), "utf-8")
    site.runner.variables["TRAIN_ON"] = "cluster"
    site.runner.environment["STORE_URI"] = site.runner.variables["STORE_URI"]
    try:
        text = site.run("train", -1)
        assert "the gate refuses the model" in text
        assert "has failed with exit code 3" in text
        assert any("apply -k deploy/train" in call for call in site.calls("kubectl"))
    finally:
        del site.runner.variables["TRAIN_ON"]
        params.write_text(good, "utf-8")
        site.git("checkout", "--quiet", "--", "deploy")


def test_drift_that_nobody_could_have_seen_trains_nothing(site: Site) -> None:
    site.runner.variables["REASON"] = "drift"
    try:
        assert "no prediction log, or no champion" in site.run("train")
    finally:
        del site.runner.variables["REASON"]


def test_a_deployment_that_fails_its_smoke_test_is_taken_back_and_stops_the_pipeline(site: Site) -> None:
    proposed = site.git("rev-parse", "release", where=site.remote)
    before = (site.state / "applied-staging.json").read_text()
    overlay = site.project / "deploy/overlays/staging/kustomization.yaml"
    good = overlay.read_text("utf-8")
    overlay.write_text(good.replace("maxReplicas: 3", "maxReplicas: 4"), "utf-8")
    (site.state / "break").touch()
    try:
        text = site.fails_in("staging", start="staging")
    finally:
        overlay.write_text(good, "utf-8")
    assert "answers 500 to 1 rows" in text
    assert "the release is taken back" in text
    assert (site.state / "applied-staging.json").read_text() == before, "everything is as it was before"
    assert not (site.state / "break").exists(), "the model before answers again"
    assert site.git("rev-parse", "release", where=site.remote) == proposed
    site.run("staging")


def test_a_deployment_that_the_cluster_refuses_changes_nothing(site: Site) -> None:
    overlay = site.project / "deploy/overlays/staging/kustomization.yaml"
    good, applied = overlay.read_text("utf-8"), site.applied()
    overlay.write_text(good.replace("components:\n", "components:\n  - ../../monitoring\n"), "utf-8")
    try:
        assert 'no matches for kind "PrometheusRule"' in site.fails_in("staging", start="staging")
    finally:
        overlay.write_text(good, "utf-8")
    assert site.applied() == applied


def test_production_takes_nothing_that_staging_has_not_proven(site: Site) -> None:
    release = site.project / "deploy/overlays/prod/release/kustomization.yaml"
    good, applied = release.read_text("utf-8"), site.applied()
    release.write_text(re.sub(r"sha256:\w{4}", "sha256:0000", good), "utf-8")
    try:
        assert "prod gets what staging has proven, and nothing else" in site.run("production", -1)
    finally:
        release.write_text(good, "utf-8")
    assert site.applied() == applied


def test_an_image_that_nobody_has_signed_goes_nowhere(site: Site) -> None:
    if not site.signs:
        assert not (site.state / "signed").exists()
        return
    signed = site.state / "signed"
    kept, applied = signed.read_text(), site.applied()
    signed.write_text("")
    try:
        site.run("production", -1)
    finally:
        signed.write_text(kept)
    assert site.applied() == applied


def test_a_model_that_this_pipeline_has_not_signed_goes_nowhere(site: Site) -> None:
    model = Path(site.applied()[-1].split()[2])
    signature, applied = model / "manifest.sigstore.json", site.applied()
    assert signature.exists() == site.signs
    if not site.signs:
        return
    kept = signature.read_text()
    try:
        signature.unlink()
        assert "is not signed: train it in CI, which signs it" in site.run("production", -1)
        signature.write_text("of another bundle")
        assert "invalid signature" in site.run("production", -1)
    finally:
        signature.write_text(kept)
    assert site.applied() == applied


def test_a_stage_that_is_somebody_else_gets_nowhere(site: Site) -> None:
    applied, pushed = site.applied(), (site.state / "pushed").read_text()
    variables = site.runner.variables
    right = variables.copy()
    try:
        variables |= {"IDENTITY_STAGING": right["IDENTITY_PROD"], "IDENTITY_PROD": "identity-of-nobody"}
        assert "prod may not work in" in site.run("staging", -1)
        assert "is not known here" in site.run("production", -1)
    finally:
        variables |= right
    assert (site.applied(), (site.state / "pushed").read_text()) == (applied, pushed)


def test_gitops_leaves_the_cluster_alone(site: Site) -> None:
    calls = len(site.calls("kubectl"))
    port = (site.state / "service").read_text().split()[1]
    site.runner.variables |= {"DEPLOY": "gitops", "STAGING_URL": f"http://127.0.0.1:{port}"}
    try:
        site.run("staging")
        assert site.released("staging", "staging") == site.released("staging", "release")
    finally:
        for name in ("DEPLOY", "STAGING_URL"):
            del site.runner.variables[name]
        site.start_over()
    assert len(site.calls("kubectl")) == calls


def test_a_newer_template_is_told(site: Site) -> None:
    told = site.runner.run("template")
    text = told.stdout + told.stderr
    if site.provider == "github":
        text = (site.state / "issue").read_text()
    assert "1 release behind v1.1.0" in text


@pytest.mark.parametrize(("cloud", "provider"), [("gcp", "azure_pipelines"), ("azure", "github")])
def test_every_cloud_goes_from_an_empty_account_to_production(
    copier: Copier, template_repo: Path, tmp_path: Path, cloud: str, provider: str
) -> None:
    """With one provider each: the tests above run all of them on AWS. Training is in the cluster here."""
    for site in make_site(copier, template_repo, tmp_path, provider, cloud):
        site.runner.variables["TRAIN_ON"] = "cluster"
        site.runner.environment["STORE_URI"] = site.runner.variables["STORE_URI"]
        for stage in pipeline_runs.order(site.project):
            site.run(stage)
        ((folder, image, model),) = [line.split() for line in site.applied() if "/train" not in line]
        assert folder == "deploy/overlays/staging"
        site.git("push", "--quiet", ".", "release:main", where=site.remote)
        site.start_over()
        site.run("production")
        assert site.applied()[-1].split() == ["deploy/overlays/prod", image, model]
        site.runner.variables["IDENTITY_PROD"] = site.runner.variables["IDENTITY_STAGING"]
        assert "staging may not work in" in site.run("production", -1)
