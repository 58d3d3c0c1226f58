"""What must be true of the objects that a cluster would get; each check yields one sentence for each defect."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate import utils as schemas_of_kubernetes

from tests.template.assembly import File
from tests.template.manifests import Build, Object, containers, pods, variables

KUBERNETES = ("1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
"""The versions that we support: the first that has all we use by default, to the newest with schemas."""

CRDS = Path(__file__).parent / "crds"

for name in ("all_versions", "schema_contents"):  # read anew for each object: nearly all of what a check costs
    setattr(schemas_of_kubernetes, name, cache(getattr(schemas_of_kubernetes, name)))

DOCUMENTED_ELSEWHERE = {"AZURE_STORAGE_ACCOUNT_NAME", "BATCH_SOURCE", "BATCH_TARGET", "JOB_NAME"}
"""Variables that a manifest sets for a library, obstore, or names in the arguments of a command."""

IDENTITY = {
    "none": set(),
    "aws": {("169.254.170.23/32", 80), ("fd00:ec2::23/128", 80)},
    "gcp": {(f"169.254.169.{host}/32", port) for host, port in ((254, 80), (254, 8080), (252, 987), (252, 988))},
    "azure": set(),
}
"""Where each cloud tells a pod who it is, other than by HTTPS: addresses and ports."""

INDEX, COUNT = "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"
"""The variables by which a pod of an Indexed Job knows its number, which Kubernetes sets, and how many there are."""

POD_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def schema_problems(objects: list[Object], version: str) -> Iterator[str]:
    """Check strictly against the schemas of Kubernetes and of custom resources; to have none is a defect."""
    for obj in objects:
        name = f"{obj['kind']} {obj['metadata']['name']}"
        try:
            if (schema := _custom(obj["apiVersion"], obj["kind"])) is not None:
                yield from (f"{name}: {error.json_path}: {error.message}" for error in schema.iter_errors(obj))
            else:
                kubernetes_validate.validate(obj, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            yield f"{name}: there is no schema of {obj['apiVersion']}"
        except kubernetes_validate.ValidationError as error:
            yield f"{name}: {error.message} (Kubernetes {version})"


@cache
def _custom(api_version: str, kind: str) -> jsonschema.Draft202012Validator | None:
    group, _, version = api_version.rpartition("/")
    path = CRDS / group / f"{kind.lower()}_{version}.json"
    if not group or not path.is_file():
        return None
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def security_problems(build: Build) -> Iterator[str]:
    """Check restricted Pod Security, and what we promise beyond it."""
    for namespace in build.of("Namespace"):
        if namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{namespace['metadata']['name']} admits more than restricted pods"
    if build.of("Secret"):
        yield "there is a Secret"
    for account in build.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"the service account {account['metadata']['name']} hands out tokens"
    for obj in build.objects:
        for name, value in obj["metadata"].get("annotations", {}).items():
            if name.startswith("checkov.io/skip") and not value.partition("=")[2]:
                yield f"{obj['kind']} {obj['metadata']['name']} suppresses {value} without a reason"
    for name, pod in pods(build):
        yield from (f"{name}: {problem}" for problem in _pod_problems(pod["spec"]))
    for name, container in containers(build):
        yield from (f"{name}: {problem}" for problem in _container_problems(container))


def _pod_problems(spec: Object) -> Iterator[str]:
    context = spec.get("securityContext", {})
    yield from (f"{field} is on" for field in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if spec.get(field))
    if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) < 10000:
        yield "it may run as root or as a user of the node"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "it has no seccomp profile"
    if context.get("sysctls"):
        yield "it sets sysctls"
    if spec.get("automountServiceAccountToken") is not False:
        yield "it gets a token for Kubernetes"
    for volume in spec.get("volumes", []):
        yield from (f"it has a volume of type {kind}" for kind in volume.keys() - {"name"} - POD_VOLUMES)
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"its volume {volume['name']} has no limit"


def _container_problems(container: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "it may gain privileges"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "its root file system can be written to"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "it has capabilities"
    if "runAsUser" in context or "runAsNonRoot" in context or "procMount" in context or "seLinuxOptions" in context:
        yield "it overrides what the pod says of its user"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "it has a port of the node's"
    resources = container.get("resources", {})
    for bound in ("requests", "limits"):
        if not {"cpu", "memory"} <= resources.get(bound, {}).keys():
            yield f"it has no {bound} of CPU and memory"
    for values in resources.values():
        yield from (f"the quantity {key} is not text" for key, value in values.items() if not isinstance(value, str))


def agreement_problems(build: Build) -> Iterator[str]:
    """Check that whatever an object names exists, and that selectors select what they are meant to."""
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in build.objects}
    (namespace,) = (obj["metadata"]["name"] for obj in build.of("Namespace"))
    for obj in build.objects:
        if obj["kind"] != "Namespace" and obj["metadata"].get("namespace") != namespace:
            yield f"{obj['kind']} {obj['metadata']['name']} is not in {namespace}"
    templates = dict(pods(build))
    services = {obj["metadata"]["name"]: obj for obj in build.of("Service")}
    for name, pod in templates.items():
        spec = pod["spec"]
        if ("ServiceAccount", spec["serviceAccountName"]) not in names:
            yield f"{name} runs as {spec['serviceAccountName']}, which does not exist"
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        mounted = {mount["name"] for c in spec["containers"] for mount in c.get("volumeMounts", [])}
        if volumes != mounted:
            yield f"{name} has the volumes {sorted(volumes)} and mounts {sorted(mounted)}"
        for spread in spec.get("topologySpreadConstraints", []):
            if not _selects(spread["labelSelector"]["matchLabels"], pod):
                yield f"{name} does not spread its own pods"
        for container in spec["containers"]:
            ports = {port["name"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container and container[probe]["httpGet"]["port"] not in ports:
                    yield f"{name}: {probe} asks a port that does not exist"
    for obj in build.objects:
        of = f"{obj['kind']} {obj['metadata']['name']}"
        spec = obj.get("spec", {})
        match obj["kind"]:
            case "Deployment":
                if not _selects(spec["selector"]["matchLabels"], spec["template"]):
                    yield f"{of} does not select its own pods"
            case "CronJob":
                job = spec["jobTemplate"]["spec"]
                rules = job.get("podFailurePolicy", {}).get("rules", [])
                known = {c["name"] for c in job["template"]["spec"]["containers"]}
                yield from (
                    f"{of}: there is no container {rule['onExitCodes']['containerName']}"
                    for rule in rules
                    if "onExitCodes" in rule and rule["onExitCodes"]["containerName"] not in known
                )
                if job.get("completionMode") == "Indexed":
                    env = job["template"]["spec"]["containers"][0]["env"]
                    told = [entry.get("value") for entry in env if entry["name"] == COUNT]
                    if told != [str(job["completions"])]:
                        yield f"{of} has {job['completions']} shards and tells its pods of {told}"
            case "Service":
                chosen = [pod for name, pod in templates.items() if _selects(spec["selector"], pod)]
                ports = {p["name"] for pod in chosen for c in pod["spec"]["containers"] for p in c.get("ports", [])}
                if len(chosen) != 1 or not {port["targetPort"] for port in spec["ports"]} <= ports:
                    yield f"{of} does not lead to one workload's port"
            case "PodDisruptionBudget" | "NetworkPolicy":
                labels = spec.get("selector", spec.get("podSelector", {})).get("matchLabels")
                if labels and not any(_selects(labels, pod) for pod in templates.values()):
                    yield f"{of} selects no pod"
            case "HorizontalPodAutoscaler":
                target = spec["scaleTargetRef"]
                if (target["kind"], target["name"]) not in names:
                    yield f"{of} scales {target['name']}, which does not exist"
                if spec["minReplicas"] > spec["maxReplicas"]:
                    yield f"{of} has a minimum above its maximum"
            case "ServiceMonitor":
                chosen = [s for s in services.values() if _selects(spec["selector"]["matchLabels"], s)]
                ports = {port["name"] for service in chosen for port in service["spec"]["ports"]}
                if not chosen or not {endpoint["port"] for endpoint in spec["endpoints"]} <= ports:
                    yield f"{of} finds no port to scrape"
                if any(spec["jobLabel"] not in service["metadata"]["labels"] for service in chosen):
                    yield f"{of} takes the job's name from a label that is not there"
            case "Ingress":
                backends = [path["backend"]["service"] for rule in spec["rules"] for path in rule["http"]["paths"]]
                if any(not _port(services, b["name"], b["port"]) for b in backends):
                    yield f"{of} leads to no service's port"
            case "HTTPRoute":
                backends = [backend for rule in spec["rules"] for backend in rule["backendRefs"]]
                if any(not _port(services, b["name"], {"number": b["port"]}) for b in backends):
                    yield f"{of} leads to no service's port"
            case "HealthCheckPolicy":
                check = spec["default"]["config"]["httpHealthCheck"]
                probes = [c["readinessProbe"]["httpGet"]["path"] for _, c in containers(build) if "readinessProbe" in c]
                numbers = [p["containerPort"] for _, c in containers(build) for p in c.get("ports", [])]
                if ("Service", spec["targetRef"]["name"]) not in names or check["port"] not in numbers:
                    yield f"{of} checks no service's port"
                if check["requestPath"] not in probes:
                    yield f"{of} asks another path than the readiness probe"


def _selects(labels: Mapping[str, str], obj: Object) -> bool:
    return bool(labels) and labels.items() <= obj["metadata"].get("labels", {}).items()


def _port(services: Mapping[str, Object], name: str, port: Mapping[str, object]) -> bool:
    found = services.get(name, {}).get("spec", {}).get("ports", [])
    return any(port.get("name") == p["name"] or port.get("number") == p["port"] for p in found)


def release_problems(build: Build, images: set[str], model: str) -> Iterator[str]:
    """Check that what was released, and nothing else, is what would run."""
    found = {container["image"] for _, container in containers(build)}
    if found != images:
        yield f"the images are {sorted(found)}, not {sorted(images)}"
    uris = {e["value"] for _, c in containers(build) for e in c.get("env", []) if e["name"] == "MODEL_URI"}
    if uris - {model}:
        yield f"the model is {sorted(uris)}, not {model!r}"
    for config in build.of("ConfigMap"):
        if config["metadata"]["name"] != "dashboard":
            yield f"the map {config['metadata']['name']} reaches the cluster, where pods would not notice its changes"


def waiting_problems(build: Build) -> Iterator[str]:
    """Check that an environment in which nothing has been released waits, and harms nobody."""
    for name, container in containers(build):
        if not container["image"].startswith("localhost/"):
            yield f"{name} would run {container['image']}, which somebody else may have published"
    for job in build.of("CronJob"):
        if job["spec"].get("suspend") is not True:
            yield f"CronJob {job['metadata']['name']} would run without a model"
    for name, container in containers(build):
        asked = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
        wanted = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
        if asked and asked != wanted:
            yield f"{name} asks {asked}: a pod that waits for a model would be restarted"


def egress_problems(build: Build, cloud: str) -> Iterator[str]:
    """Check that pods reach DNS, HTTPS, the cloud's identity service, and nothing else; and who reaches them."""
    policy = build.get("NetworkPolicy", "default")["spec"]
    if policy["podSelector"] or set(policy["policyTypes"]) != {"Ingress", "Egress"} or "ingress" in policy:
        yield "pods may be reached that no policy speaks of"
    anywhere = {(p["protocol"], p["port"]) for rule in policy["egress"] if "to" not in rule for p in rule["ports"]}
    wanted = {("UDP", 53), ("TCP", 53), ("TCP", 443)} | ({("TCP", 9000)} if cloud == "none" else set())
    if anywhere != wanted:
        yield f"pods may call {sorted(anywhere)} anywhere"
    rules = [rule for rule in policy["egress"] if "to" in rule]
    identity = {(peer["ipBlock"]["cidr"], p["port"]) for rule in rules for peer in rule["to"] for p in rule["ports"]}
    if identity != IDENTITY[cloud]:
        yield f"pods may call {sorted(identity)}, not {sorted(IDENTITY[cloud])}"
    for other in build.of("NetworkPolicy"):
        if "egress" in other["spec"] and other["metadata"]["name"] != "default":
            yield f"the policy {other['metadata']['name']} lets pods call others"


def entry_problems(build: Build, shared: list[Object], cloud: str) -> Iterator[str]:
    """Check that a build is entered from the network of *cloud* only, through what it or an administrator has made.

    *shared* is what an administrator applies once for all environments. Without a cloud the cluster's default class of
    Ingress decides.
    """
    (namespace,) = (obj["metadata"]["name"] for obj in build.of("Namespace"))
    gateways = {
        (o["metadata"]["namespace"], o["metadata"]["name"]): o for o in [*build.objects, *shared] if _is_gateway(o)
    }
    for entry in [*build.of("Ingress"), *gateways.values()]:
        if cloud != "none" and not _is_internal(entry):
            yield f"{entry['kind']} {entry['metadata']['name']} is open to the Internet"
    for route in build.of("HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            gateway = gateways.get((parent.get("namespace", namespace), parent["name"]))
            if gateway is None:
                yield f"HTTPRoute {route['metadata']['name']} belongs to no gateway"
            elif not all(_admits(listener, gateway, namespace) for listener in gateway["spec"]["listeners"]):
                yield f"Gateway {parent['name']} does not admit the routes of {namespace}"
    if build.of("Deployment") and not build.of("Ingress", "HTTPRoute"):
        yield "nothing leads to the service"


def _is_gateway(obj: Object) -> bool:
    return str(obj["kind"]) == "Gateway"


def _is_internal(entry: Object) -> bool:
    if not _is_gateway(entry):
        return bool(entry["metadata"].get("annotations", {}).get("alb.ingress.kubernetes.io/scheme") == "internal")
    annotations = entry["spec"].get("infrastructure", {}).get("annotations", {})
    internal = annotations.get("service.beta.kubernetes.io/azure-load-balancer-internal") == "true"
    class_name = entry["spec"]["gatewayClassName"]
    return bool(class_name == "gke-l7-rilb" or (class_name == "approuting-istio" and internal))


def _admits(listener: Object, gateway: Object, namespace: str) -> bool:
    allowed = listener.get("allowedRoutes", {}).get("namespaces", {"from": "Same"})
    if allowed["from"] != "Selector":
        return bool(allowed["from"] == "All" or gateway["metadata"]["namespace"] == namespace)
    (expression,) = allowed["selector"]["matchExpressions"]
    return bool(expression["key"] == "kubernetes.io/metadata.name" and namespace in expression["values"])


REQUESTS_PER_CPU = 950
"""How many requests of one row a CPU answers in a second, as deploy/README.md says that it was measured."""


def scaling_problems(build: Build, load: int = 0) -> Iterator[str]:
    """Check that the service scales by what its pods can do, and bears *load* requests a second."""
    for scaler in build.of("HorizontalPodAutoscaler"):
        deployment = build.get("Deployment", "serving")["spec"]
        (container,) = deployment["template"]["spec"]["containers"]
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        if requests != limits:
            yield "a pod may use more than the autoscaler counts with"
        for rolling in (deployment["strategy"]["rollingUpdate"], build.get("PodDisruptionBudget", "serving")["spec"]):
            if not str(rolling.get("maxSurge", rolling["maxUnavailable"])).endswith("%"):
                yield "a rollout or a drain takes longer with more pods"
        (metric,) = scaler["spec"]["metrics"]
        cpus = float(limits["cpu"][:-1]) / 1000 if limits["cpu"].endswith("m") else float(limits["cpu"])
        borne = scaler["spec"]["maxReplicas"] * cpus * metric["resource"]["target"]["averageUtilization"] / 100
        if borne * REQUESTS_PER_CPU < load:
            yield f"at most {borne * REQUESTS_PER_CPU:.0f} requests a second are borne, not {load}"


def settings_of(files: Mapping[str, File]) -> set[str]:
    """Return the variables that the project's settings.py reads."""
    (source,) = (file.content.decode() for path, file in files.items() if path.endswith("/settings.py"))
    (cls,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    fields = (node.target for node in cls.body if isinstance(node, ast.AnnAssign))
    return {field.id.upper() for field in fields if isinstance(field, ast.Name)}


def variable_problems(builds: list[Build], files: Mapping[str, File]) -> Iterator[str]:
    """Check that manifests, settings.py and the table in deploy/README.md know the same variables."""
    read = settings_of(files)
    written = {name for build in builds for name in variables(build)}
    written |= {INDEX} if COUNT in written else set()
    yield from (f"{name} is set but nobody reads it" for name in sorted(written - read - DOCUMENTED_ELSEWHERE))
    readme = files["deploy/README.md"].content.decode()
    section = readme.partition("## Settings")[2].partition("\n## ")[0]
    table = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.+) \|$", section, re.MULTILINE)
    rows = {name: by for names, by in table for name in re.findall(r"`([A-Z_]+)`", names)}
    untold = sorted(read - rows.keys())
    yield from (f"{name} is read, but deploy/README.md does not tell who sets it" for name in untold)
    yield from (f"deploy/README.md tells of {name}, which nobody reads" for name in sorted(rows.keys() - read))
    for name in sorted(read & rows.keys()):
        if (rows[name] == "default") == (name in written):
            yield f"deploy/README.md says of {name}: {rows[name]}"


def command_problems(builds: list[Build], files: Mapping[str, File]) -> Iterator[str]:
    """Check that containers call commands and options that cli.py has, as the image lets them run."""
    (source,) = (file.content.decode() for path, file in files.items() if path.endswith("/cli.py"))
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    for build in builds:
        for name, container in containers(build):
            command, *options = container.get("args", ["serve"])
            if command not in functions or not functions[command].decorator_list:
                yield f"{name} calls {command}, which is no command"
                continue
            arguments = {argument.arg for argument in functions[command].args.args}
            given = [option[2:].replace("-", "_") for option in options if option.startswith("--")]
            yield from (f"{name} gives {command} the option {o}, which it has not" for o in given if o not in arguments)
            if "command" in container:
                yield f"{name} does not use the image's entry point"
    dockerfile = files["Dockerfile"].content.decode() if "Dockerfile" in files else ""
    for build in builds:
        for name, pod in pods(build):
            context = pod["spec"]["securityContext"]
            if f"USER {context['runAsUser']}:{context['runAsGroup']}\n" not in dockerfile:
                yield f"{name} runs as a user for whom the image was not made"
            for container in pod["spec"]["containers"]:
                ports = [port["containerPort"] for port in container.get("ports", [])]
                hidden = [port for port in ports if f"EXPOSE {port}\n" not in dockerfile]
                yield from (f"{name}: the image does not expose {port}" for port in hidden)


def metric_problems(texts: Mapping[str, str], files: Mapping[str, File]) -> Iterator[str]:
    """Check that every metric of ours that *texts* ask for is one that the project exports."""
    modules = ("/serving/telemetry.py", "/monitoring/report.py")
    sources = [f.content.decode() for path, f in files.items() if path.endswith(modules)]
    exported: set[str] = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0]
            name = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
            suffixes = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_count", "_sum")}
            exported |= {f"{name}{suffix}" for suffix in suffixes.get(node.func.id, ())}
    for where, text in texts.items():
        for name in sorted(set(re.findall(r"\b([a-z][a-z_]+)(?=[{\[])", text))):
            if name not in exported and not name.startswith("kube_"):
                yield f"{where} asks for {name}, which nobody exports"


def promtool(tool: str, rules: Object, folder: Path, tests: Object | None = None) -> str:
    """Return what promtool says against a PrometheusRule, or against its unit tests; nothing if all is well."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rules["spec"]["groups"]}), encoding="utf-8")
    command = [tool, "check", "rules", "rules.yaml"]
    if tests is not None:
        (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], **tests}), encoding="utf-8")
        command = [tool, "test", "rules", "tests.yaml"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, encoding="utf-8")
    return "" if done.returncode == 0 else done.stdout + done.stderr


def checkov_problems(tool: str, folder: Path) -> list[str]:
    """Return what checkov finds in the manifests of a folder; an answer without any passed check is a defect."""
    command = [tool, "--framework", "kubernetes", "--directory", str(folder)]
    command += ["--skip-download", "--compact", "--quiet", "--output", "json"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    report = json.loads(done.stdout)
    failed = [
        f"{check['file_path']}: {check['check_id']} {check['check_name']}: {check['resource']}"
        for check in report.get("results", {}).get("failed_checks", [])
    ]
    passed = report.get("summary", report).get("passed", 0)
    return failed if passed else [*failed, f"checkov has checked nothing: {done.stdout}{done.stderr}"]
