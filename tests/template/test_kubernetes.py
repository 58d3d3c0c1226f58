"""The manifests of every distinct project, each checked by the tool that will read it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Copier, commit
from tests.template import manifest_checks as checks
from tests.template import manifests
from tests.template.assembly import Assembly, File
from tests.template.cluster import Cluster, running
from tests.template.combinations import Combination, load_yaml
from tests.template.manifests import IMAGE, MODEL, OVERLAYS, TRAIN, TRAIN_IMAGE, Build
from tests.tools import lack, need

PATTERNS: tuple[str, ...] = (
    "deploy/*",
    "Dockerfile",
    "src/*/__init__.py",
    "src/*/cli.py",
    "src/*/settings.py",
    "src/*/core/errors.py",
)
PATTERNS += tuple(f"src/*/core/{module}.py" for module in ("release/release", "monitoring/report", "serving/telemetry"))
ALERTS = Path(__file__).parent / "alerts.yaml"
OLDEST, NEWEST = "kustomize-oldest", "kustomize-newest"


@dataclass(frozen=True)
class Tree:
    """A distinct set of manifests, with what belongs to it, and what kustomize makes of it."""

    cloud: str
    files: dict[str, File]
    unreleased: dict[str, Build]
    released: dict[str, Build]

    @property
    def builds(self) -> list[Build]:
        """Return every build."""
        return [*self.unreleased.values(), *self.released.values()]


def kustomize() -> list[str]:
    """Return the command that builds a folder with any kustomize there is; without one the test is skipped."""
    for tool, command in ((NEWEST, "build"), ("kustomize", "build"), ("kubectl", "kustomize"), (OLDEST, "build")):
        if shutil.which(tool):
            return [tool, command]
    lack("neither kustomize nor kubectl is installed (.ci/tools installs kustomize)")


def of_clusters(assembly: Assembly) -> list[tuple[Combination, dict[str, File]]]:
    """Return each distinct set of files of the projects that are for a cluster."""
    return [found for found in assembly.subtrees(*PATTERNS) if found[0].answers["deploy"] == "kubernetes"]


@pytest.fixture(scope="module")
def projects(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path, Path]]:
    """Return each distinct set of files on disk, as rendered and as released and filled in, with the cloud's name."""
    found = []
    for number, (combination, files) in enumerate(of_clusters(assembly)):
        folder = tmp_path_factory.mktemp(f"manifests-{number}")
        before = manifests.write(files, folder / "unreleased")
        after = manifests.write(files, folder / "released")
        manifests.fill_in(after)
        manifests.release_all(after)
        manifests.add_monitoring(after)
        found.append((str(combination.answers["cloud"]), before, after))
    return found


@pytest.fixture(scope="module")
def trees(
    assembly: Assembly, projects: list[tuple[str, Path, Path]], tmp_path_factory: pytest.TempPathFactory
) -> list[Tree]:
    """Return what kustomize makes of every overlay and of training, with and without what is optional."""
    command = kustomize()
    found = []
    for (_, files), (cloud, before, after) in zip(of_clusters(assembly), projects, strict=True):
        more = tmp_path_factory.mktemp("optional") / "project"
        shutil.copytree(after, more)
        manifests.add_options(more)
        names = (*OVERLAYS, TRAIN)
        unreleased = {n: manifests.build(command, before / n, f"{cloud}/{n} (unreleased)") for n in names}
        released = {n: manifests.build(command, after / n, f"{cloud}/{n}") for n in names}
        released["optional"] = manifests.build(command, more / TRAIN, f"{cloud}/{TRAIN} (optional)")
        found.append(Tree(cloud, files, unreleased, released))
    assert {tree.cloud for tree in found} == {"none", "aws", "gcp", "azure"}
    return found


def test_every_schema_knows_every_object(trees: list[Tree]) -> None:
    builds = [build for tree in trees for build in tree.builds]
    distinct = {json.dumps(obj, sort_keys=True): (build.name, obj) for build in builds for obj in build.objects}
    problems = [
        f"{name}: {problem}"
        for name, obj in distinct.values()
        for version in checks.KUBERNETES
        for problem in checks.schema_problems([obj], version)
    ]
    assert problems == []


def test_only_restricted_pods_are_made(trees: list[Tree]) -> None:
    assert [f"{b.name}: {p}" for tree in trees for b in tree.builds for p in checks.security_problems(b)] == []


def test_names_labels_and_selectors_agree(trees: list[Tree]) -> None:
    assert [f"{b.name}: {p}" for tree in trees for b in tree.builds for p in checks.agreement_problems(b)] == []


def test_pods_reach_what_they_need_and_nothing_else(trees: list[Tree]) -> None:
    assert [f"{b.name}: {p}" for t in trees for b in t.builds for p in checks.egress_problems(b, t.cloud)] == []


def shared(files: dict[str, File]) -> list[manifests.Object]:
    """Return what an administrator applies once for both environments."""
    file = files.get("deploy/components/cloud/gateway.yaml")
    return list(load_yaml(file.content.decode())) if file else []


def test_services_are_entered_from_their_own_network_only(trees: list[Tree]) -> None:
    problems = []
    for tree in trees:
        objects = shared(tree.files)
        assert bool(objects) == (tree.cloud == "azure")
        problems += list(checks.schema_problems(objects, checks.KUBERNETES[-1]))
        problems += [f"{b.name}: {p}" for b in tree.builds for p in checks.entry_problems(b, objects, tree.cloud)]
    assert problems == []


def test_production_bears_the_load_that_the_readme_counts_with(trees: list[Tree]) -> None:
    for tree in trees:
        readme = tree.files["deploy/README.md"].content.decode()
        (load,) = re.findall(r"\| ([\d ]+) requests a second \|", readme)
        assert f"{checks.REQUESTS_PER_CPU} a second" in readme
        for overlay in OVERLAYS:
            needed = int(load.replace(" ", "")) if overlay.endswith("prod") else 0
            assert list(checks.scaling_problems(tree.released[overlay], needed)) == []


MANAGED = {
    "gcp": {"monitoring.googleapis.com/v1": {"PodMonitoring", "Rules"}},
    "azure": {"azmonitoring.coreos.com/v1": {"ServiceMonitor"}},
}
"""What a cloud's own Prometheus reads, by the version of its kinds."""


def managed(tree_files: dict[str, File], folder: Path) -> Build:
    """Return production as it is watched by the Prometheus of its cloud."""
    root = manifests.write(tree_files, folder)
    manifests.fill_in(root)
    manifests.release_all(root)
    manifests.add_monitoring(root, "components/managed-monitoring")
    return manifests.build(kustomize(), root / "deploy/overlays/prod", "prod")


@pytest.mark.parametrize("cloud", MANAGED)
def test_a_cloud_watches_with_its_own_prometheus(trees: list[Tree], tmp_path: Path, cloud: str) -> None:
    tree = next(tree for tree in trees if tree.cloud == cloud)
    build = managed(tree.files, tmp_path)
    assert list(checks.schema_problems(build.objects, checks.KUBERNETES[-1])) == []
    groups: dict[str, set[str]] = {}
    for obj in build.objects:
        if "monitoring" in obj["apiVersion"]:
            groups.setdefault(obj["apiVersion"], set()).add(obj["kind"])
    assert groups == MANAGED[cloud]
    if cloud == "gcp":
        assert build.get("Rules", "serving")["spec"] == _rules(tree)["spec"]
        labels = build.get("Service", "serving")["metadata"]["labels"]
        (endpoint,) = build.get("PodMonitoring", labels["app.kubernetes.io/name"])["spec"]["endpoints"]
        assert endpoint["port"] in {p["name"] for _, c in manifests.containers(build) for p in c.get("ports", [])}


def test_what_is_released_is_what_runs(trees: list[Tree]) -> None:
    problems = []
    for tree in trees:
        for name, build in tree.released.items():
            image = IMAGE if name in OVERLAYS else TRAIN_IMAGE
            problems += [f"{build.name}: {p}" for p in checks.release_problems(build, {image}, MODEL)]
    assert problems == []


def test_an_environment_without_a_release_waits(trees: list[Tree]) -> None:
    builds = [build for tree in trees for build in tree.unreleased.values()]
    assert [f"{build.name}: {problem}" for build in builds for problem in checks.waiting_problems(build)] == []


def test_every_setting_reaches_the_manifests(trees: list[Tree]) -> None:
    for tree in trees:
        for folder in (*OVERLAYS, TRAIN):
            (settings,) = load_yaml(tree.files[f"{folder}/settings.yaml"].content.decode())
            unused = {key for key in settings["data"] if manifests.SETTINGS[key] not in tree.released[folder].text}
            # Staging looks for no drift, but could.
            assert unused <= ({"DRIFT_CLIENT_ID"} if "staging" in folder else set()), f"{tree.cloud}/{folder}"


def test_variables_are_those_that_are_read(trees: list[Tree]) -> None:
    problems = [f"{t.cloud}: {p}" for t in trees for p in checks.variable_problems(list(t.released.values()), t.files)]
    assert problems == []


def test_commands_are_those_that_there_are(trees: list[Tree]) -> None:
    problems = [f"{t.cloud}: {p}" for t in trees for p in checks.command_problems(t.builds, t.files)]
    assert problems == []


def test_rules_and_dashboard_ask_for_what_is_measured(trees: list[Tree]) -> None:
    for tree in trees:
        names = ("alerts.yaml", "dashboard.json")
        texts = {n: tree.files[f"deploy/monitoring/{n}"].content.decode() for n in names}
        assert list(checks.metric_problems(texts, tree.files)) == []
        (job,) = (v["query"] for v in json.loads(texts["dashboard.json"])["templating"]["list"] if v["name"] == "job")
        for build in (tree.released[overlay] for overlay in OVERLAYS):
            label = build.get("ServiceMonitor", "serving")["spec"]["jobLabel"]
            assert build.get("Service", "serving")["metadata"]["labels"][label] == job


def test_alerts_watch_the_namespaces_that_there_are(trees: list[Tree]) -> None:
    for tree in trees:
        namespaces = {build.of("Namespace")[0]["metadata"]["name"] for build in tree.released.values()}
        project = min(namespaces, key=len).removesuffix("-prod").removesuffix("-train")
        assert namespaces == {f"{project}-{environment}" for environment in ("staging", "prod", "train")}
        for rule in (rule for g in _rules(tree)["spec"]["groups"] for rule in g["rules"]):
            watched = f'namespace=~"{project}-(staging|prod)"', f'namespace="{project}-train"'
            asked = rule["expr"].count("namespace=")
            assert asked
            assert asked == sum(rule["expr"].count(each) for each in watched), rule["alert"]


def test_examples_for_gitops_point_at_what_there_is(trees: list[Tree]) -> None:
    for tree in trees:
        namespaces = {Path(n).name: b.of("Namespace")[0]["metadata"]["name"] for n, b in tree.released.items()}
        examples = re.findall(r"```yaml\n(.*?)```", tree.files["deploy/README.md"].content.decode(), re.DOTALL)
        assert len(examples) == 2
        for objects in map(load_yaml, examples):
            assert list(checks.schema_problems(objects, checks.KUBERNETES[-1])) == []
            paths = [obj["spec"].get("source", obj["spec"]).get("path") for obj in objects]
            overlays = [Path(path) for path in paths if path]
            assert overlays
            assert all(f"{path.as_posix()}/kustomization.yaml" in tree.files for path in overlays)
            branches = re.findall(r"'(?:branch|targetRevision)': '(\w+)'", str(objects))
            assert branches == ["staging"], "CI pushes staging's release there"
            for obj, path in ((obj, Path(path)) for obj, path in zip(objects, paths, strict=True) if path):
                assert obj["spec"].get("destination", {}).get("namespace") in (None, namespaces[path.name])


def test_the_oldest_and_the_newest_kustomize_agree(trees: list[Tree], projects: list[tuple[str, Path, Path]]) -> None:
    need(NEWEST)  # with which the trees were built, if it is there
    oldest = [need(OLDEST), "build"]
    for tree, (_, _, released) in zip(trees, projects, strict=True):
        for name in (*OVERLAYS, TRAIN):  # a release adds patches to what is there without one
            assert manifests.build(oldest, released / name, name).objects == tree.released[name].objects


def test_an_update_to_another_cloud_keeps_what_was_released_and_filled_in(template_repo: Path, tmp_path: Path) -> None:
    copier = Copier(Path(shutil.copytree(template_repo, tmp_path / "template")))
    project = copier.copy(tmp_path / "project")
    manifests.fill_in(project)
    manifests.release_all(project)
    commit(project)
    releases = {path: path.read_bytes() for path in project.glob("deploy/**/release/kustomization.yaml")}
    assert len(releases) == 3
    for path in copier.template.glob("template/*/deploy/**/release/kustomization.yaml.jinja"):
        path.write_text(f"# Another first line.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    commit(copier.template, "v2.0.0")
    copier.update(project, {"cloud": "azure"})
    assert {path: path.read_bytes() for path in releases} == releases
    for folder in (*OVERLAYS, TRAIN):
        (settings,) = load_yaml((project / folder / "settings.yaml").read_text(encoding="utf-8"))
        assert "STORAGE_ACCOUNT" in settings["data"]
        for key in settings["data"].keys() & {"HOST", "PREDICTION_LOG_URI", "STORE_URI", "MLFLOW_TRACKING_URI"}:
            assert settings["data"][key] == manifests.SETTINGS[key]
        build = manifests.build(kustomize(), project / folder, folder)
        assert list(checks.release_problems(build, {IMAGE if folder in OVERLAYS else TRAIN_IMAGE}, MODEL)) == []


@pytest.mark.parametrize(
    ("codes", "questions", "expected"),
    [([0], 0, 0), ([3], 0, 3), ([1, 3], 0, 3), ([], 0, 1), ([0], 1, 0)],
    ids=["done", "refused by the gate", "refused at the second try", "never ran", "has to be waited for"],
)
def test_a_training_run_exits_as_the_job_did(
    trees: list[Tree],
    projects: list[tuple[str, Path, Path]],
    tmp_path: Path,
    codes: list[int],
    questions: int,
    expected: int,
) -> None:
    need("kubectl")
    cronjob = trees[0].released[TRAIN].get("CronJob", "training")
    cluster = Cluster(cronjob, codes, questions)
    with running(cluster, tmp_path) as variables:
        script = projects[0][2] / "deploy/train/run.sh"
        done = subprocess.run(
            [script], env={**os.environ, **variables}, check=False, capture_output=True, encoding="utf-8"
        )
    assert done.returncode == expected, done.stderr
    assert ("the log of the training" in done.stdout) == bool(codes)
    assert len(cluster.jobs) == 1


def test_kubectl_makes_a_job_of_the_cronjob(trees: list[Tree], tmp_path: Path) -> None:
    kubectl = need("kubectl")
    for tree in trees:
        for name, of in ((TRAIN, "training"), ("optional", "training"), ("optional", "batch")):
            cronjob = tree.released[name].get("CronJob", of)
            namespace = cronjob["metadata"]["namespace"]
            with running(Cluster(cronjob, [0]), tmp_path) as variables:
                command = [kubectl, "--namespace", namespace, "create", "job", "run", f"--from=cronjob/{of}"]
                command += ["--dry-run=client", "--output=json"]
                made = subprocess.run(command, env={**os.environ, **variables}, check=True, capture_output=True)
            job = json.loads(made.stdout)
            assert list(checks.schema_problems([job], checks.KUBERNETES[-1])) == []
            assert job["spec"]["template"]["spec"] == cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_checkov_finds_nothing(trees: list[Tree], tmp_path: Path) -> None:
    checkov = need("checkov")
    for tree in trees:
        for name, build in tree.released.items():
            (namespace,) = (obj["metadata"]["name"] for obj in build.of("Namespace"))
            own = f"{tree.cloud}-{Path(name).name}"  # or one tree's policy would do for another's pods
            text = build.text.replace(namespace, own)
            (tmp_path / f"{own}.yaml").write_text(text, encoding="utf-8")
    assert checks.checkov_problems(checkov, tmp_path) == []


def test_alerts_fire_when_they_should(trees: list[Tree], tmp_path: Path) -> None:
    promtool = need("promtool")
    (tests,) = load_yaml(ALERTS.read_text(encoding="utf-8"))
    cases = [case for test in tests["tests"] for case in test["alert_rule_test"]]
    tested = {case["alertname"] for case in cases if case.get("exp_alerts")}
    for rules in {str(_rules(tree)): _rules(tree) for tree in trees}.values():
        assert checks.promtool(promtool, rules, tmp_path) == ""
        assert checks.promtool(promtool, rules, tmp_path, tests) == ""
        assert tested == {rule["alert"] for group in rules["spec"]["groups"] for rule in group["rules"]}


def _rules(tree: Tree) -> manifests.Object:
    return tree.released["deploy/overlays/prod"].get("PrometheusRule", "serving")
