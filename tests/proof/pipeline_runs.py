"""What runs a stage of a pipeline on this machine, as its provider would: its shell, in order, with its environment."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.template import pipelines
from tests.template.assembly import read_project
from tests.tools import need

VARIABLES = {
    "IMAGE": "registry.example.com/churn",
    "TRAIN_IMAGE": "registry.example.com/churn-train",
    "REGION": "eu-central-1",
    "CLUSTER": "churn",
    **{f"IDENTITY_{name}": f"identity-of/{name}" for name in pipelines.IDENTITIES},
    **{f"CONNECTION_{name}": f"id-of-{name}" for name in pipelines.IDENTITIES},
}
"""What the user has set, whatever the cloud."""

OF_CLOUD = {
    "aws": {},
    "gcp": {"PROJECT": "acme-ml-123", "IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/p"},
    "azure": dict.fromkeys(("TENANT_ID", "SUBSCRIPTION_ID", "RESOURCE_GROUP", "STORAGE_ACCOUNT"), "churn"),
}
"""What the user has set beside it."""

ACCOUNTS = {"aws": "role-to-assume", "gcp": "service_account", "azure": "client-id"}
"""How the action with which GitHub's jobs log in to a cloud calls whom they become."""

SIGNER = (
    "github.server_url == 'https://github.com' && vars.SIGN != 'no' && "
    "format('https://github.com/{0}/.github/workflows/pipeline.yml@refs/heads/main', github.repository) || ''"
)
"""Who signs on github.com, where nobody has switched it off."""

OUTPUT = re.compile(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", re.MULTILINE)


class Runner:
    """Runs the stages of the project in a folder, one at a time, and keeps what they hand on."""

    def __init__(self, project: Path, environment: Mapping[str, str], variables: Mapping[str, str]) -> None:
        self.project = project
        self.environment = dict(environment)
        self.variables = {**VARIABLES, **variables}
        self.outputs: dict[str, str] = {}

    def run(self, stage: str) -> subprocess.CompletedProcess[str]:
        """Run a stage up to the first step that fails, and return that step, or the last."""
        raise NotImplementedError

    def shell(self, block: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a block of shell as a runner does, with everything that fails stopping it."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.project,
            env={**self.environment, **environment},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


class GitHub(Runner):
    """GitHub Actions: the `run` steps of a job, expressions replaced by what they stand for."""

    def run(self, stage: str) -> subprocess.CompletedProcess[str]:
        """Run a job."""
        workflow = "template" if stage == "template" else "pipeline"
        config = yaml.safe_load((self.project / f".github/workflows/{workflow}.yml").read_text("utf-8"))
        job = config["jobs"][stage]
        common = self.resolve({**config.get("env", {}), **job.get("env", {})})
        if "id-token" in job.get("permissions", {}):
            common["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "token"
        done = subprocess.CompletedProcess([], 0, "", "")
        for step in job["steps"]:
            if "cloud-login" in step.get("uses", ""):
                common |= self.log_in(step["with"]["stage"])
            if "run" not in step or not self.wanted(step.get("if", "")):
                continue
            output = self.project.parent / "output"
            output.write_text("")
            environment = {**common, **self.resolve(step.get("env", {})), "GITHUB_OUTPUT": str(output)}
            done = self.shell(step["run"], {**environment, "GITHUB_SHA": self.head()})
            for name, value in (line.split("=", 1) for line in output.read_text().splitlines()):
                self.outputs[name.upper()] = value
            if done.returncode:
                return done
        return done

    def log_in(self, stage: str) -> dict[str, str]:
        """Do what the action of the cloud does that the project's own action calls, and return what it exports."""
        action = yaml.safe_load((self.project / ".github/actions/cloud-login/action.yml").read_text("utf-8"))
        given = [step["with"] for step in action["runs"]["steps"] if "with" in step]
        ((name, expression),) = [(k, v) for each in given for k, v in each.items() if k in ACCOUNTS.values()]
        assert expression == "${{ fromJSON(inputs.variables)[format('IDENTITY_{0}', inputs.stage)] }}"
        identity = self.variables[f"IDENTITY_{stage}"]
        state = Path(self.environment["STUB_STATE"])
        if name == ACCOUNTS["aws"]:
            return {"AWS_SESSION_TOKEN": identity}
        (state / {"service_account": "google", "client-id": "azure"}[name]).write_text(identity)
        return {}

    def wanted(self, condition: str) -> bool:
        """Tell whether a step is run: it may be for pushes only, or ask for an output of a step before it."""
        if match := re.fullmatch(r"steps\.\w+\.outputs\.(\w+) == '(\w+)'", condition):
            return self.outputs.get(match[1].upper()) == match[2]
        return condition in ("", "github.event_name == 'push'")

    def head(self) -> str:
        """Return the commit that the job was started for."""
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(command, cwd=self.project, check=True, capture_output=True, text=True).stdout.strip()

    def resolve(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return values with every expression replaced."""
        return {name: re.sub(r"\$\{\{ (.+?) \}\}", self._value, str(value)) for name, value in values.items()}

    def _value(self, match: re.Match[str]) -> str:
        expression = match[1]
        if expression.startswith("vars."):
            return self.variables.get(expression.removeprefix("vars."), "")
        if found := re.fullmatch(r"(?:needs|steps)\.\w+\.outputs\.(\w+)", expression):
            return self.outputs.get(found[1].upper(), "")
        known = {
            SIGNER: "https://github.com/team/churn/.github/workflows/pipeline.yml@refs/heads/main",
            "github.repository": "team/churn",
            "github.token": "token",
            "github.event.before": "HEAD^",
            "github.event.schedule == '23 4 * * 0,2-6' && 'drift' || 'asked'": self.variables.get("REASON", "asked"),
        }
        return known[expression]


class GitLab(Runner):
    """GitLab CI/CD: `gitlab-ci-local` in its shell mode, which needs a pipeline without container images."""

    def run(self, stage: str) -> subprocess.CompletedProcess[str]:
        """Run the job of a stage."""
        path = self.project / ".gitlab-ci.yml"
        config = yaml.safe_load(path.read_text("utf-8"))
        (job,) = [
            name
            for name, each in config.items()
            if isinstance(each, dict) and "script" in each and (name if name == "template" else each["stage"]) == stage
        ]
        del config["default"]["image"]
        for rule in config["workflow"]["rules"]:  # whose variables gitlab-ci-local does not set; this is gitlab.com
            config["variables"] |= rule.pop("variables", {})
        for each in config.values():
            if isinstance(each, dict):
                each.pop("services", None)
        local = self.project / ".gitlab-ci.local.yml"
        local.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
        source = {"train": "schedule", "template": "schedule", "check": "merge_request_event"}.get(stage, "push")
        given = {
            **self.variables,
            "CI_JOB_TOKEN": "token",
            "CI_SERVER_HOST": "gitlab.com",
            "CI_PROJECT_PATH": "team/churn",
            "CI_PIPELINE_SOURCE": source,
            "CLOUD_TOKEN": "token",
            **dict.fromkeys(config[job].get("id_tokens", ()), "token"),
            **({"SERVING": self.outputs["SERVING"]} if "SERVING" in self.outputs else {}),
        }
        command = [need("gitlab-ci-local"), "--file", local.name, job]
        for name, value in given.items():
            command += ["--variable", f"{name}={value}"]
        done = subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        images = self.project / "artifacts/images"
        if stage == "image" and images.exists():
            self.outputs |= dict(line.split("=", 1) for line in images.read_text().splitlines())
        return done


class Azure(Runner):
    """Azure Pipelines: the `bash` steps of a stage, macros and outputs replaced by what they stand for."""

    def run(self, stage: str) -> subprocess.CompletedProcess[str]:
        """Run the job of a stage."""
        config = yaml.safe_load((self.project / "azure-pipelines.yml").read_text("utf-8"))
        (found,) = [each for each in config["stages"] if each["stage"] == stage]
        (job,) = found["jobs"]
        steps = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
        own = {name: self._output(value) for name, value in job.get("variables", {}).items()}
        given = {
            "SYSTEM_OIDCREQUESTURI": "https://dev.azure.com/oidc",
            "BUILD_BUILDID": "1",
            "SYSTEM_DEFINITIONID": "1",
            "BUILD_SOURCEVERSION": self._head(),
            "AGENT_TEMPDIRECTORY": str(self.project.parent),
            "BUILD_CRONSCHEDULE_DISPLAYNAME": self.variables.get("REASON", "weekly"),
        }
        done = subprocess.CompletedProcess([], 0, "", "")
        said, complained = "", ""
        for step in steps:
            if "bash" not in step:
                continue
            mapped = {k: v.replace("$(System.AccessToken)", "token") for k, v in step.get("env", {}).items()}
            if "GIT_CONFIG_COUNT" in mapped:  # the remote is a folder here, and the tests have set their own
                mapped = {name: value for name, value in mapped.items() if not name.startswith("GIT_CONFIG_")}
            done = self.shell(step["bash"], {**self.variables, **given, **own, **mapped})
            self.outputs |= dict(OUTPUT.findall(done.stdout))
            said, complained = said + done.stdout, complained + done.stderr
            if done.returncode and step.get("continueOnError") != "true":
                break
        return subprocess.CompletedProcess([], done.returncode, said, complained)

    def _output(self, value: str) -> str:
        found = re.search(r"\.(\w+)'\]\]$", value)
        assert found, value
        return self.outputs.get(found[1], "")

    def _head(self) -> str:
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(command, cwd=self.project, check=True, capture_output=True, text=True).stdout.strip()


RUNNERS: dict[str, type[Runner]] = {"github": GitHub, "gitlab": GitLab, "azure_pipelines": Azure}


def order(project: Path) -> list[str]:
    """Return the stages that make a release, in the order in which the project's pipeline has them."""
    names = list(pipelines.stages(read_project_without_environment(project)))
    return [name for name in names if name not in ("check", "production", "template")]


def read_project_without_environment(project: Path) -> Any:
    """Return the files of a project that git knows."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout.split("\0")
    return {name: file for name, file in read_project(project).items() if name in listed} if listed else {}


def environment(stubs: Path, state: Path, project: Path, remote: Path, template: Path) -> dict[str, str]:
    """Return the environment of a runner: the stand-ins come first, and remotes are folders."""
    command = "churn"
    remote_url = "https://gitlab-ci-token:token@gitlab.com/team/churn.git"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV", "CI"))}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(("UV_CACHE", "UV_PYTHON_INSTALL"))}
    kept |= {name: value for name, value in os.environ.items() if name in ("UV_FIND_LINKS", "UV_INDEX_URL")}
    return kept | {
        "PATH": f"{stubs}:{os.environ['PATH']}",
        "STUB_STATE": str(state),
        "STUB_COMMAND": str(project / ".venv/bin" / command),
        "STUB_KUBECTL": need("kubectl"),
        "STUB_TEMPLATE": str(template),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{remote}.insteadOf",
        "GIT_CONFIG_VALUE_0": remote_url,
        "OMP_NUM_THREADS": "1",
    }
