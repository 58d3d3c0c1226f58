"""Which stages of a pipeline run when something happens: the rules by which each provider decides, in small.

Of GitHub's and Azure's, the one that is easily forgotten: what says nothing of its own runs only if everything that it
depends on, however indirectly, has succeeded; having been skipped is not enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.template import pipelines
from tests.template.assembly import File


@dataclass(frozen=True)
class Event:
    """What happens: its kind, the branch, whether prod's release changes by it, and the schedule that it comes from."""

    kind: str
    branch: str = "main"
    release: bool = False
    schedule: str = ""


EVENTS = {
    "a pull request": Event("pull request", "feature"),
    "a push": Event("push"),
    "a release": Event("push", release=True),
    "the weekly schedule": Event("schedule", schedule="weekly"),
    "the schedule for drift": Event("schedule", schedule="drift"),
    "a run by hand": Event("manual"),
    "a run by hand elsewhere": Event("manual", "feature"),
}

Results = dict[str, str]
"""What became of a stage: success, failure or skipped."""


def run(files: Mapping[str, File], event: Event, failing: str = "") -> list[str]:
    """Return the stages that an event starts, in their order, if *failing* fails."""
    provider = _gitlab if ".gitlab-ci.yml" in files else _azure if "azure-pipelines.yml" in files else _github
    results: Results = {}
    for stage in pipelines.stages(files).values():
        runs = provider(files, event, results, stage)
        results[stage.name] = ("failure" if stage.name == failing else "success") if runs else "skipped"
    return [name for name, result in results.items() if result != "skipped"]


def ancestors(files: Mapping[str, File], name: str) -> set[str]:
    """Return all that a stage depends on, however indirectly."""
    after = pipelines.stages(files)[name].after
    return set(after).union(*(ancestors(files, other) for other in after))


# ── GitHub Actions ──────────────────────────────────────────────────────────────────────────────────────────────────
_GITHUB_KINDS = {"pull request": "pull_request", "push": "push", "schedule": "schedule", "manual": "workflow_dispatch"}
_STATUS = re.compile(r"\b(success|failure|cancelled|always)\(\)")


def _github(files: Mapping[str, File], event: Event, results: Results, stage: pipelines.Stage) -> bool:
    path = f".github/workflows/{'template' if stage.name == 'template' else 'pipeline'}.yml"
    config = pipelines.parse(files, path)
    triggers = config[True] if True in config else config["on"]  # YAML 1.1 takes `on` for a truth value
    kind = _GITHUB_KINDS[event.kind]
    if kind not in triggers or (kind == "push" and event.branch not in triggers["push"]["branches"]):
        return False
    if stage.name == "template":
        return event.schedule == "weekly"
    before = {results[name] for name in ancestors(files, stage.name)}
    condition = str(config["jobs"][stage.name].get("if", "success()")).removeprefix("${{").removesuffix("}}").strip()
    if not _STATUS.search(condition):
        condition = f"success() && ({condition})"
    proven = "a model" if results.get("staging") == "success" else ""
    known: dict[str, object] = {
        "github.event_name": kind,
        "vars.IMAGE": "an image",  # what the user has set
        "github.ref": f"refs/heads/{event.branch}",
        "success()": before <= {"success"},
        "failure()": "failure" in before,
        "cancelled()": False,
        **{f"needs.{name}.result": result for name, result in results.items()},
        "needs.check.outputs.release": "changed" if event.release else "",
        "needs.staging.outputs.model": proven,
    }
    names = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    python = re.sub(names, lambda match: repr(known[match[0]]), condition)
    python = re.sub(r"!(?!=)", " not ", python.replace("&&", " and ").replace("||", " or "))
    return bool(eval(python, {"__builtins__": {}}))


# ── GitLab CI/CD ────────────────────────────────────────────────────────────────────────────────────────────────────
_GITLAB_KINDS = {"pull request": "merge_request_event", "push": "push", "schedule": "schedule", "manual": "web"}


def _gitlab(files: Mapping[str, File], event: Event, results: Results, stage: pipelines.Stage) -> bool:
    config = pipelines.parse(files, ".gitlab-ci.yml")
    known = {
        "CI_PIPELINE_SOURCE": _GITLAB_KINDS[event.kind],
        "CI_COMMIT_BRANCH": "" if event.kind == "pull request" else event.branch,
        "CI_DEFAULT_BRANCH": "main",
        "CI_SERVER_HOST": "gitlab.com",
        "SIGN": "",
    }

    def met(rule: Mapping[str, Any]) -> bool:
        python = re.sub(r"\$(\w+)", lambda match: repr(known[match[1]]), rule["if"])
        python = python.replace("&&", " and ").replace("||", " or ")
        return bool(eval(python, {"__builtins__": {}})) and (event.release or "changes" not in rule)

    (job,) = [
        job
        for name, job in config.items()
        if isinstance(job, dict) and "script" in job and (name if name == "template" else job["stage"]) == stage.name
    ]
    started = any(map(met, config["workflow"]["rules"])) and any(map(met, job.get("rules", [{"if": "True"}])))
    return started and all(results.get(name) != "failure" for name in ancestors(files, stage.name))


# ── Azure Pipelines ─────────────────────────────────────────────────────────────────────────────────────────────────
_AZURE_KINDS = {"pull request": "PullRequest", "push": "IndividualCI", "schedule": "Schedule", "manual": "Manual"}
_AZURE_RESULTS = {"success": "Succeeded", "failure": "Failed", "skipped": "Skipped"}
_AZURE_FUNCTIONS: dict[str, Callable[..., bool]] = {
    "and_": lambda *each: all(each),
    "eq": lambda one, other: one == other,
    "ne": lambda one, other: one != other,
    "in_": lambda one, *others: one in others,
}


def _azure(files: Mapping[str, File], event: Event, results: Results, stage: pipelines.Stage) -> bool:
    config = pipelines.parse(files, "azure-pipelines.yml")
    (found,) = [each for each in config["stages"] if each["stage"] == stage.name]
    before = {results[name] for name in ancestors(files, stage.name)}
    (main,) = [each["value"] for each in config["variables"] if each.get("name") == "main"]
    known: dict[str, object] = {
        "variables['Build.SourceBranch']": f"refs/heads/{event.branch}",
        "variables['Build.Reason']": _AZURE_KINDS[event.kind],
        "variables['Build.CronSchedule.DisplayName']": event.schedule,
        "dependencies.check.outputs['check.release.prod']": "changed" if event.release else "",
        **{f"dependencies.{name}.result": _AZURE_RESULTS[result] for name, result in results.items()},
        "succeeded()": before <= {"success"},
        "true": True,
    }

    def evaluate(expression: str) -> bool:
        names = "|".join(map(re.escape, known))
        python = re.sub(names, lambda match: repr(known[match[0]]), expression)
        python = re.sub(r"\b(and|in)\(", r"\1_(", python)
        return bool(eval(python, {"__builtins__": {}, **_AZURE_FUNCTIONS}))

    known["variables.main"] = evaluate(main.removeprefix("$[").removesuffix("]"))
    return evaluate(str(found.get("condition", "succeeded()")))
