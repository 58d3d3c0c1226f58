"""The checks of manifests are themselves checked: each defect that they exist for is planted, and must be found."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml

from tests.template import manifest_checks as checks
from tests.template import manifests
from tests.template.assembly import Assembly, File
from tests.template.combinations import load_yaml
from tests.template.manifests import IMAGE, MODEL, TRAIN_IMAGE, Build, BuildError, Object
from tests.template.test_kubernetes import ALERTS, PATTERNS, kustomize, managed, shared
from tests.tools import need

PROD = "deploy/overlays/prod"
RELEASE = f"{PROD}/release/kustomization.yaml"
Plant = Callable[[Object], object]


@pytest.fixture(scope="module")
def files(assembly: Assembly) -> dict[str, File]:
    """Return the files of a project on GKE, which has the most kinds of objects."""
    return next(f for c, f in assembly.subtrees(*PATTERNS) if c.answers["cloud"] == "gcp")


@pytest.fixture(scope="module")
def project(files: dict[str, File], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that project on disk, released."""
    root = manifests.write(files, tmp_path_factory.mktemp("defects") / "project")
    manifests.fill_in(root)
    manifests.release_all(root)
    manifests.add_monitoring(root)
    return root


@pytest.fixture(scope="module")
def prod(project: Path) -> Build:
    """Return its production."""
    return manifests.build(kustomize(), project / PROD, "prod")


def planted(build: Build, kind: str, name: str, plant: Plant) -> Build:
    """Return *build* with a defect in one object."""
    objects = copy.deepcopy(build.objects)
    (target,) = (obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name)
    plant(target)
    return Build(build.name, objects)


def pod(obj: Object) -> Object:
    """Return the pod's specification."""
    spec: Object = obj["spec"].get("jobTemplate", obj)["spec"]["template"]["spec"]
    return spec


def container(obj: Object) -> Object:
    """Return the only container."""
    (found,) = pod(obj)["containers"]
    assert isinstance(found, dict)
    return found


def every_check(build: Build) -> list[str]:
    """Return what the checks of single builds say."""
    found: list[Iterable[str]] = [
        checks.schema_problems(build.objects, checks.KUBERNETES[-1]),
        checks.security_problems(build),
        checks.agreement_problems(build),
        checks.egress_problems(build, "gcp"),
        checks.entry_problems(build, [], "gcp"),
        checks.scaling_problems(build, 10_000),
        checks.release_problems(build, {IMAGE}, MODEL),
    ]
    return [problem for problems in found for problem in problems]


def test_nothing_is_found_where_nothing_is_planted(prod: Build) -> None:
    assert every_check(prod) == []


DEPLOYMENT = ("Deployment", "serving")
DRIFT = ("CronJob", "drift")
BUDGET = ("PodDisruptionBudget", "serving")
MONITOR = ("ServiceMonitor", "serving")
ROUTE = ("HTTPRoute", "serving")
GATEWAY = ("Gateway", "serving")
SERVICE = ("Service", "serving")
SCALER = ("HorizontalPodAutoscaler", "serving")
CHECK = ("HealthCheckPolicy", "serving")
GROUND, DOOR = ("NetworkPolicy", "default"), ("NetworkPolicy", "serving")
MAP = ("ConfigMap", "dashboard")


@pytest.mark.parametrize(
    ("target", "plant", "sentence"),
    [
        # schemas
        (DEPLOYMENT, lambda o: container(o)["ports"][0].update(containerport=1), "'containerport' was unexpected"),
        (DEPLOYMENT, lambda o: o["spec"].update(revisionHistoryLimit="5"), "'5' is not of type"),
        (BUDGET, lambda o: o["spec"].update(minAvailable=[]), "PodDisruptionBudget serving: "),
        (MONITOR, lambda o: o["spec"]["endpoints"][0].update(pth="/"), "'pth' was unexpected"),
        (ROUTE, lambda o: o["spec"].update(hostnames=[""]), "HTTPRoute serving: $.spec.hostnames[0]"),
        (MONITOR, lambda o: o.update(apiVersion="example.com/v1"), "there is no schema of example.com/v1"),
        # Pod Security
        (("Namespace", "my-model-prod"), lambda o: o["metadata"].update(labels={}), "admits more than restricted pods"),
        (MAP, lambda o: o.update(kind="Secret"), "there is a Secret"),
        (("ServiceAccount", "serving"), lambda o: o.pop("automountServiceAccountToken"), "hands out tokens"),
        (DEPLOYMENT, lambda o: pod(o).update(hostNetwork=True), "hostNetwork is on"),
        (DEPLOYMENT, lambda o: pod(o)["securityContext"].pop("runAsNonRoot"), "may run as root"),
        (DRIFT, lambda o: pod(o)["securityContext"].update(runAsUser=0), "CronJob drift: it may run as root"),
        (DEPLOYMENT, lambda o: pod(o)["securityContext"].pop("seccompProfile"), "no seccomp profile"),
        (DEPLOYMENT, lambda o: pod(o).pop("automountServiceAccountToken"), "gets a token for Kubernetes"),
        (DEPLOYMENT, lambda o: pod(o)["volumes"].append({"name": "tmp", "hostPath": {}}), "a volume of type hostPath"),
        (DEPLOYMENT, lambda o: pod(o)["volumes"][0]["emptyDir"].clear(), "its volume artifacts has no limit"),
        (DEPLOYMENT, lambda o: container(o)["securityContext"].pop("allowPrivilegeEscalation"), "may gain privileges"),
        (DEPLOYMENT, lambda o: container(o)["securityContext"].pop("readOnlyRootFilesystem"), "can be written to"),
        (DEPLOYMENT, lambda o: container(o)["securityContext"].pop("capabilities"), "it has capabilities"),
        (DEPLOYMENT, lambda o: container(o)["securityContext"].update(runAsUser=0), "overrides what the pod says"),
        (DEPLOYMENT, lambda o: container(o)["ports"][0].update(hostPort=80), "has a port of the node's"),
        (DEPLOYMENT, lambda o: container(o)["resources"]["limits"].pop("memory"), "no limits of CPU and memory"),
        (
            DRIFT,
            lambda o: container(o)["resources"]["limits"].update({"nvidia.com/gpu": 1}),
            "nvidia.com/gpu is not text",
        ),
        (
            DRIFT,
            lambda o: o["metadata"]["annotations"].update({"checkov.io/skip1": "CKV_K8S_8"}),
            "CronJob drift suppresses CKV_K8S_8 without a reason",
        ),
        # names, labels, selectors
        (
            DRIFT,
            lambda o: o["spec"]["jobTemplate"]["spec"].update(completionMode="Indexed", completions=3),
            "CronJob drift has 3 shards and tells its pods of []",
        ),
        (SERVICE, lambda o: o["metadata"].update(namespace="default"), "is not in my-model-prod"),
        (DEPLOYMENT, lambda o: pod(o).update(serviceAccountName="server"), "server, which does not exist"),
        (DEPLOYMENT, lambda o: container(o)["volumeMounts"].pop(), "has the volumes"),
        (
            DEPLOYMENT,
            lambda o: pod(o)["topologySpreadConstraints"][1]["labelSelector"].update(matchLabels={"a": "b"}),
            "does not spread its own pods",
        ),
        (
            DEPLOYMENT,
            lambda o: container(o)["livenessProbe"]["httpGet"].update(port="web"),
            "a port that does not exist",
        ),
        (DEPLOYMENT, lambda o: o["spec"]["template"]["metadata"].update(labels={}), "does not select its own pods"),
        (DRIFT, lambda o: container(o).update(name="drifting"), "there is no container drift"),
        (SERVICE, lambda o: o["spec"].update(selector={"app": "serving"}), "one workload's port"),
        (SERVICE, lambda o: o["spec"]["ports"][0].update(targetPort="web"), "does not lead to one workload's port"),
        (
            BUDGET,
            lambda o: o["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "other"}),
            "PodDisruptionBudget serving selects no pod",
        ),
        (
            DOOR,
            lambda o: o["spec"]["podSelector"]["matchLabels"].update({"app.kubernetes.io/name": "other"}),
            "NetworkPolicy serving selects no pod",
        ),
        (SCALER, lambda o: o["spec"]["scaleTargetRef"].update(name="web"), "scales web"),
        (SCALER, lambda o: o["spec"].update(minReplicas=99), "a minimum above its maximum"),
        (MONITOR, lambda o: o["spec"]["endpoints"][0].update(port="web"), "finds no port to scrape"),
        (MONITOR, lambda o: o["spec"].update(jobLabel="app"), "the job's name from a label that is not there"),
        (ROUTE, lambda o: o["spec"]["rules"][0]["backendRefs"][0].update(port=81), "leads to no service's port"),
        (ROUTE, lambda o: o["spec"]["parentRefs"][0].update(name="gate"), "belongs to no gateway"),
        (
            CHECK,
            lambda o: o["spec"]["default"]["config"]["httpHealthCheck"].update(port=80),
            "checks no service's port",
        ),
        (
            CHECK,
            lambda o: o["spec"]["default"]["config"]["httpHealthCheck"].update(requestPath="/"),
            "asks another path than the readiness probe",
        ),
        (GATEWAY, lambda o: o["spec"].update(gatewayClassName="gke-l7-gxlb"), "is open to the Internet"),
        (ROUTE, lambda o: o.update(kind="GRPCRoute"), "nothing leads to the service"),
        # who reaches whom
        (GROUND, lambda o: o["spec"].update(policyTypes=["Egress"]), "pods may be reached"),
        (GROUND, lambda o: o["spec"]["egress"][1]["ports"].append({"protocol": "TCP", "port": 80}), "anywhere"),
        (GROUND, lambda o: o["spec"]["egress"].pop(), "pods may call"),
        (DOOR, lambda o: o["spec"].update(egress=[{}]), "the policy serving lets pods call others"),
        # load
        (DEPLOYMENT, lambda o: container(o)["resources"]["requests"].update(cpu="500m"), "more than the autoscaler"),
        (DEPLOYMENT, lambda o: o["spec"]["strategy"]["rollingUpdate"].update(maxSurge=1), "longer with more pods"),
        (BUDGET, lambda o: o["spec"].update(maxUnavailable=1), "a drain takes longer with more pods"),
        (SCALER, lambda o: o["spec"].update(maxReplicas=10), "at most 5700 requests a second are borne, not 10000"),
        # releases
        (DEPLOYMENT, lambda o: container(o).update(image="registry.example.com/team/model:1"), "the images are"),
        (DEPLOYMENT, lambda o: container(o)["env"][0].update(value="s3://bucket/other"), "the model is"),
        (MAP, lambda o: o["metadata"].update(name="settings"), "settings reaches the cluster"),
    ],
)
def test_a_defect_of_an_object_is_found(prod: Build, target: tuple[str, str], plant: Plant, sentence: str) -> None:
    assert sentence in "\n".join(every_check(planted(prod, *target, plant)))


@pytest.mark.parametrize(
    ("cloud", "kind", "plant", "sentence"),
    [
        (
            "aws",
            "Ingress",
            lambda o: o["metadata"]["annotations"].update({"alb.ingress.kubernetes.io/scheme": "internet-facing"}),
            "Ingress serving is open to the Internet",
        ),
        ("azure", "Gateway", lambda o: o["spec"].pop("infrastructure"), "Gateway serving is open to the Internet"),
        (
            "azure",
            "Gateway",
            lambda o: o["spec"].update(gatewayClassName="azure-alb-external"),
            "Gateway serving is open to the Internet",
        ),
        (
            "azure",
            "Gateway",
            lambda o: o["spec"]["listeners"][0].pop("allowedRoutes"),
            "Gateway serving does not admit the routes of my-model-prod",
        ),
        ("azure", "Namespace", lambda o: None, ""),
    ],
)
def test_an_entry_that_is_open_is_found(
    assembly: Assembly, tmp_path: Path, cloud: str, kind: str, plant: Plant, sentence: str
) -> None:
    files = next(f for c, f in assembly.subtrees(*PATTERNS) if c.answers["cloud"] == cloud)
    root = manifests.write(files, tmp_path)
    manifests.fill_in(root)
    build = manifests.build(kustomize(), root / PROD, "prod")
    objects = shared(files)
    for obj in [*build.objects, *objects]:
        if obj["kind"] == kind:
            plant(obj)
    assert "\n".join(checks.entry_problems(build, objects, cloud)) == sentence


def test_every_schema_of_a_custom_resource_refuses_what_it_does_not_know(
    prod: Build, assembly: Assembly, files: dict[str, File], tmp_path: Path
) -> None:
    azure = next(f for c, f in assembly.subtrees(*PATTERNS) if c.answers["cloud"] == "azure")
    examples = re.findall(r"```yaml\n(.*?)```", files["deploy/README.md"].content.decode(), re.DOTALL)
    watched = [*managed(files, tmp_path / "gcp").objects, *managed(azure, tmp_path / "azure").objects]
    objects = [*prod.objects, *watched, *(obj for text in examples for obj in load_yaml(text))]
    custom = [obj for obj in objects if (checks.CRDS / obj["apiVersion"].partition("/")[0]).is_dir()]
    known = {(path.parent.name, path.stem.rpartition("_")[0]) for path in checks.CRDS.glob("*/*")}
    assert {(obj["apiVersion"].partition("/")[0], obj["kind"].lower()) for obj in custom} == known
    for obj in custom:
        strange = {**obj, "spec": {**obj["spec"], "unknown": 1}}
        assert "'unknown' was unexpected" in "\n".join(checks.schema_problems([strange], checks.KUBERNETES[-1]))


@pytest.mark.parametrize(
    ("target", "plant", "sentence"),
    [
        (DEPLOYMENT, lambda o: container(o).update(image="my-model"), "would run my-model, which somebody else"),
        (DRIFT, lambda o: o["spec"].update(suspend=False), "CronJob drift would run without a model"),
        (DEPLOYMENT, lambda o: container(o)["startupProbe"]["httpGet"].update(path="/readyz"), "would be restarted"),
    ],
)
def test_an_environment_that_does_not_wait_is_found(
    files: dict[str, File], tmp_path: Path, target: tuple[str, str], plant: Plant, sentence: str
) -> None:
    build = manifests.build(kustomize(), manifests.write(files, tmp_path) / PROD, "prod")
    assert list(checks.waiting_problems(build)) == []
    assert sentence in "\n".join(checks.waiting_problems(planted(build, *target, plant)))


def edit(project: Path, path: str, old: str, new: str) -> None:
    """Replace text that must be there in a file of a project."""
    text = (project / path).read_text(encoding="utf-8")
    assert old in text
    (project / path).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "old", "new", "sentence"),
    [
        ("deploy/base/kustomization.yaml", "- serving.yaml", "- servings.yaml", "servings.yaml"),
        (
            f"{PROD}/kustomization.yaml",
            "name: serving\n      spec:\n        min",
            "name: server\n      spec:\n        min",
            "no matches for Id",
        ),
        ("deploy/components/drift/cronjob.yaml", "name: drift", "generateName: drift-", "missing metadata.name"),
        (f"{PROD}/settings.yaml", "HOST:", "HOSTNAME:", "HOST"),
        (RELEASE, "kind: Component", "kind: Components", "Components"),
    ],
)
def test_what_kustomize_refuses_is_found(
    files: dict[str, File], tmp_path: Path, path: str, old: str, new: str, sentence: str
) -> None:
    project = manifests.write(files, tmp_path)
    edit(project, path, old, new)
    with pytest.raises(BuildError, match=sentence):
        manifests.build(kustomize(), project / PROD, "prod")


def test_a_digest_that_disappears_is_found(files: dict[str, File], tmp_path: Path) -> None:
    """Another component renames the image first: kustomize then drops the digest without a word."""
    project = manifests.write(files, tmp_path)
    manifests.release_all(project)
    cloud = "deploy/components/cloud/serving/kustomization.yaml"
    rename = "images:\n  - {name: serving, newName: registry.example.com/team/model}\nresources:"
    edit(project, cloud, "resources:", rename)
    build = manifests.build(kustomize(), project / PROD, "prod")
    assert "the images are" in "\n".join(checks.release_problems(build, {IMAGE}, MODEL))


def test_a_variable_that_nobody_reads_or_sets_is_found(prod: Build, files: dict[str, File]) -> None:
    train = Build("train", [])
    assert "STORE_URI" in "\n".join(checks.variable_problems([prod, train], files))
    unread = planted(prod, *DEPLOYMENT, lambda o: container(o)["env"].append({"name": "MODEL_URL", "value": ""}))
    assert "MODEL_URL is set but nobody reads it" in list(checks.variable_problems([unread], files))
    readme = files["deploy/README.md"]
    for old, new, sentence in (
        (b"| `MODEL_URI`, ", b"| `MODEL_URL`, ", "deploy/README.md tells of MODEL_URL, which nobody reads"),
        (b"| `MODEL_URI`, ", b"| `MODEL_URL`, ", "MODEL_URI is read, but deploy/README.md does not tell who sets it"),
        (b"`MODEL_CACHE`, ", b"", "MODEL_CACHE is read, but deploy/README.md does not tell who sets it"),
    ):
        assert old in readme.content
        changed = {**files, readme.path: File(readme.path, readme.content.replace(old, new), executable=False)}
        assert sentence in list(checks.variable_problems([prod], changed))


@pytest.mark.parametrize(
    ("target", "plant", "sentence"),
    [
        (
            DRIFT,
            lambda o: container(o)["args"].__setitem__(0, "watch"),
            "CronJob drift calls watch, which is no command",
        ),
        (DRIFT, lambda o: container(o)["args"].__setitem__(1, "--modell"), "the option modell, which it has not"),
        (DEPLOYMENT, lambda o: container(o).update(command=["sh"]), "does not use the image's entry point"),
        (DEPLOYMENT, lambda o: pod(o)["securityContext"].update(runAsUser=20000), "for whom the image was not made"),
        (DEPLOYMENT, lambda o: container(o)["ports"][0].update(containerPort=80), "the image does not expose 80"),
    ],
)
def test_a_command_that_the_image_has_not_is_found(
    prod: Build, files: dict[str, File], target: tuple[str, str], plant: Plant, sentence: str
) -> None:
    assert list(checks.command_problems([prod], files)) == []
    assert sentence in "\n".join(checks.command_problems([planted(prod, *target, plant)], files))


def test_a_metric_that_nobody_exports_is_found(files: dict[str, File]) -> None:
    found = checks.metric_problems({"rules": "rate(http_request_total[5m]) + rate(http_requests_total[5m])"}, files)
    assert list(found) == ["rules asks for http_request_total, which nobody exports"]


def test_checkov_finds_what_it_looks_for(prod: Build, tmp_path: Path) -> None:
    checkov = need("checkov")
    build = planted(prod, *DEPLOYMENT, lambda o: container(o).update(image="registry.example.com/team/model:1"))
    (tmp_path / "prod.yaml").write_text(build.text, encoding="utf-8")
    (found,) = checks.checkov_problems(checkov, tmp_path)
    assert "CKV_K8S_43" in found


def test_checkov_that_sees_nothing_is_found(tmp_path: Path) -> None:
    (found,) = checks.checkov_problems(need("checkov"), tmp_path)
    assert "checkov has checked nothing" in found


@pytest.mark.parametrize(("old", "new"), [("== 0", "=== 0"), ("> 0.01", "> 0.5"), ("for: 5m", "for: 50m")])
def test_promtool_finds_a_wrong_rule(prod: Build, tmp_path: Path, old: str, new: str) -> None:
    promtool = need("promtool")
    text = yaml.safe_dump(prod.get("PrometheusRule", "serving"))
    assert old in text
    (tests,) = load_yaml(ALERTS.read_text(encoding="utf-8"))
    (rules,) = load_yaml(text.replace(old, new))
    assert checks.promtool(promtool, rules, tmp_path, tests) != ""


def test_training_without_its_own_image_is_found(project: Path) -> None:
    build = manifests.build(kustomize(), project / manifests.TRAIN, "train")
    assert list(checks.release_problems(build, {TRAIN_IMAGE}, "")) == []
    assert list(checks.release_problems(build, {IMAGE}, "")) != []
