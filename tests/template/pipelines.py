"""The pipelines of the three providers in one form, so that they can be compared, linted and executed alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlscaffold.template.source import read_url
from tests.template.assembly import File
from tests.template.combinations import load_yaml

PATTERNS = (".github/*", ".gitlab*", ".azuredevops/*", "azure-pipelines.yml", "scripts/*", "deploy/train/run.sh")
"""The files that a pipeline consists of."""

STAGES = ("check", "image", "train", "staging", "propose", "production", "template")
"""What a provider does, in this order; the last one stands beside the others."""

COMMANDS = {
    "check": "sh scripts/check",
    "image": "sh scripts/image",
    "train": "sh scripts/train",
    "staging": "sh scripts/stage",
    "propose": "sh scripts/propose",
    "production": "sh scripts/deploy prod",
    "template": f"uvx git+{read_url()} status",
}
"""The one command of the project that each stage is about."""

_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_VARS = re.compile(r"\bvars\.(\w+)")
_OF_JSON = re.compile(r"fromJSON\(inputs\.variables\)(?:\.(\w+)|\[format\('(\w+)\{0\}', inputs\.stage\)\])")
_SCRIPT = re.compile(r"\bsh (scripts/\w+)")
_SECRETS = re.compile(r"\bsecrets\b")
_SHELL = re.compile(r"\$\{?([A-Z][A-Z0-9_]+)")
_MACRO = re.compile(r"\$\(([A-Za-z][\w.]*)\)")
_PRINTENV = re.compile(r'printenv "(\w+_)\$STAGE"')
_ASSIGNED = re.compile(r"(?:^|[\s;({'\"-]|\\n)(?:export +)?([A-Z][A-Z0-9_]+)=|^build ([A-Z]+) ", re.MULTILINE)

IDENTITIES = ("IMAGE", "TRAIN", "STAGING", "PROD")
"""What STAGE may be: the identities that `infra/` makes."""


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline.

    Attributes:
        name: one of `STAGES`.
        after: the stages that have to be done before it.
        blocks: its shell, step by step.
        environment: where it deploys to; empty if it does not.
        minutes: how long it may take; 0 if nothing bounds it.
        identity: whom it becomes in the cloud; empty if nobody.
    """

    name: str
    after: tuple[str, ...]
    blocks: tuple[str, ...]
    environment: str = ""
    minutes: int = 0
    identity: str = ""


def stages(files: Mapping[str, File]) -> dict[str, Stage]:
    """Return the stages of a project's pipeline by name, in their order; none if it has no pipeline."""
    if ".gitlab-ci.yml" in files:
        return {stage.name: stage for stage in _gitlab(files)}
    if "azure-pipelines.yml" in files:
        return {stage.name: stage for stage in _azure(files)}
    return {stage.name: stage for stage in _github(files)}


def parse(files: Mapping[str, File], path: str) -> Any:
    """Return what a YAML file holds."""
    (document,) = load_yaml(files[path].content.decode())
    return document


def shell_files(files: Mapping[str, File]) -> list[str]:
    """Return the paths of a project's shell scripts."""
    return sorted(p for p in files if p.endswith(".sh") or p.startswith("scripts/"))


def variables_read(files: Mapping[str, File]) -> set[str]:
    """Return the variables that a user has to set for a pipeline: what it reads, and neither sets nor gets for free."""
    texts = {path: file.content.decode() for path, file in files.items() if not path.endswith(".md")}
    if ".github/workflows/pipeline.yml" in texts:
        workflows = [text for path, text in texts.items() if path.startswith(".github/")]
        read = {name for text in workflows for name in _VARS.findall(text)}
        for text in workflows:
            for name, prefix in _OF_JSON.findall(text):
                read |= {name} if name else {prefix + identity for identity in IDENTITIES}
        return read
    called = {word for stage in stages(files).values() for block in stage.blocks for word in _SCRIPT.findall(block)}
    called |= {word for path in called if path in texts for word in _SCRIPT.findall(texts[path])}
    read, assigned = set(), set(_GIVEN)
    for path, text in texts.items():
        if (path.startswith("scripts/") and path not in called) or path.endswith(("CODEOWNERS", "run.sh")):
            continue
        body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        read |= set(_SHELL.findall(body)) | {name for name in _MACRO.findall(body) if name.isupper()}
        read |= {prefix + identity for prefix in _PRINTENV.findall(body) for identity in IDENTITIES}
        assigned |= {name for names in _ASSIGNED.findall(body) for name in names}
        if path.endswith((".yml", ".yaml")):
            assigned |= set(_set_in_yaml(parse(files, path)))
    return {n for n in read - assigned if not n.startswith(("CI_", "SYSTEM_", "BUILD_", "AGENT_"))}


_GIVEN = ("PWD", "HOME", "PATH")
"""Variables that every shell has."""


def secrets_read(files: Mapping[str, File]) -> list[str]:
    """Return the workflows that read a secret by name."""
    found = []
    for path, file in files.items():
        expressions = _EXPRESSION.findall(file.content.decode())
        found += [path] if any(_SECRETS.search(expression) for expression in expressions) else []
    return found


def _set_in_yaml(value: Any) -> Iterator[str]:
    """Yield the names in every `variables:`, `env:` and `id_tokens:` of a pipeline."""
    if isinstance(value, list):
        for inner in value:
            yield from _set_in_yaml(inner)
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("variables", "env", "id_tokens") and isinstance(inner, dict):
                yield from inner
            yield from _set_in_yaml(inner)


def _github(files: Mapping[str, File]) -> Iterator[Stage]:
    for path in (".github/workflows/pipeline.yml", ".github/workflows/template.yml"):
        if path not in files:
            continue
        for name, job in parse(files, path)["jobs"].items():
            needs = job.get("needs", [])
            steps = job["steps"]
            inputs = [step["with"] for step in steps if "cloud-login" in step.get("uses", "")]
            yield Stage(
                name,
                tuple([needs] if isinstance(needs, str) else needs),
                tuple(step["run"] for step in steps if "run" in step),
                job.get("environment", ""),
                job.get("timeout-minutes", 0),
                inputs[0]["stage"] if inputs else "",
            )


def _gitlab(files: Mapping[str, File]) -> Iterator[Stage]:
    config = parse(files, ".gitlab-ci.yml")
    order = config["stages"]
    path = ".gitlab/cloud-login.yml"
    login = parse(files, path)[".cloud-login"] if path in files else {}
    jobs = {name: job for name, job in config.items() if isinstance(job, dict) and "script" in job}
    for name, job in sorted(jobs.items(), key=lambda each: (each[0] == "template", order.index(each[1]["stage"]))):
        base = login if job.get("extends") == ".cloud-login" else {}
        before = job.get("before_script", base.get("before_script", []))
        earlier = [
            other for other in order[: order.index(job["stage"])] if any(j["stage"] == other for j in jobs.values())
        ]
        yield Stage(
            "template" if name == "template" else job["stage"],
            tuple(job.get("needs", earlier)),
            (*before, *job["script"]),
            job.get("environment", {}).get("name", ""),
            _minutes(job.get("timeout", config["default"].get("timeout", ""))),
            job.get("variables", {}).get("STAGE", "") if base else "",
        )


def _azure(files: Mapping[str, File]) -> Iterator[Stage]:
    before: tuple[str, ...] = ()
    for stage in parse(files, "azure-pipelines.yml")["stages"]:
        (job,) = stage["jobs"]
        steps = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
        after = stage.get("dependsOn", before)
        identities = [step["env"]["STAGE"] for step in steps if "STAGE" in step.get("env", {})]
        yield Stage(
            stage["stage"],
            (after,) if isinstance(after, str) else tuple(after),
            tuple(step["bash"] for step in steps if "bash" in step),
            job.get("environment", ""),
            int(job.get("timeoutInMinutes", 0)),
            identities[0] if identities else "",
        )
        before = (stage["stage"],)


def _minutes(timeout: str) -> int:
    number, _, unit = timeout.partition(" ")
    return int(number or 0) * (60 if unit.startswith("hour") else 1)
