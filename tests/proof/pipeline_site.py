"""A project with a remote, and a provider that runs its stages, from an empty account to production."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Copier
from tests.proof import pipeline_runs, pipeline_stubs
from tests.proof.pipeline_runs import RUNNERS, Runner
from tests.tools import need

ADDRESS = "https://github.com/mlscaffold/mlscaffold"
"""Where the template is, by the answers file of whoever has got it from there."""


@dataclass
class Site:
    """A project with a remote, and everything around it."""

    project: Path
    remote: Path
    state: Path
    runner: Runner
    provider: str

    @property
    def signs(self) -> bool:
        """Whether the provider has an identity to sign with."""
        return self.provider != "azure_pipelines"

    def git(self, *arguments: str, where: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=where or self.project, check=True, capture_output=True, encoding="utf-8"
        )
        return done.stdout.strip()

    def run(self, stage: str, code: int = 0) -> str:
        """Run a stage that is expected to exit with *code*, or with anything but 0 if that is -1."""
        done = self._run(stage)
        text = done.stdout + done.stderr
        assert done.returncode == code or (code == -1 and done.returncode), f"{stage} exits {done.returncode}:\n{text}"
        return text

    def _run(self, stage: str) -> subprocess.CompletedProcess[str]:
        """Run a stage where nobody has logged in yet."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline_stubs, "STATE", self.state)
            pipeline_stubs.forget()
        return self.runner.run(stage)

    def fails_in(self, stage: str, start: str = "image") -> str:
        """Run the stages of a release in their order, the first that fails must be *stage*, and return its output."""
        order = pipeline_runs.order(self.project)
        for each in order[order.index(start) :]:
            done = self._run(each)
            if done.returncode:
                assert each == stage, done.stdout + done.stderr
                return done.stdout + done.stderr
        raise AssertionError(f"{stage} was expected to fail")

    def calls(self, command: str) -> list[str]:
        lines = (self.state / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(f"{command} ")]

    def applied(self) -> list[str]:
        return (self.state / "applied").read_text().splitlines() if (self.state / "applied").exists() else []

    def released(self, environment: str, branch: str) -> str:
        return self.git("show", f"{branch}:deploy/overlays/{environment}/release/kustomization.yaml", where=self.remote)

    def start_over(self) -> None:
        """Check main out as a runner finds it, which may have called the remote otherwise."""
        self.git("remote", "set-url", "origin", str(self.remote))
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "-B", "main", "origin/main")


def make_site(
    copier: Copier, template_repo: Path, root: Path, provider: str, cloud: str, more: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Yield a project on a provider and a cloud, with more answers, that was pushed to an empty remote.

    Its template has gone on since.
    """
    if provider == "gitlab":
        need("gitlab-ci-local")
    answers = {"project_name": "churn", "ci": provider, "cloud": cloud, **(more or {})}
    project, remote, state = copier.copy(root / "project", answers), root / "remote.git", root / "state"
    state.mkdir()
    template = _newer(template_repo, root / "template")
    recorded = project / ".copier-answers.yml"
    recorded.write_text(recorded.read_text("utf-8").replace(str(template_repo), ADDRESS), "utf-8")
    pipeline_stubs.install(root / "stubs")
    environment = pipeline_runs.environment(root / "stubs", state, project, remote, template)
    if provider != "github":  # one of them runs all tests, with all that is around the code
        environment["PYTEST_ADDOPTS"] = "tests/test_features.py --no-cov"
    variables = {"STORE_URI": str(root / "store"), **pipeline_runs.OF_CLOUD[cloud]}
    runner = RUNNERS[provider](project, environment, variables)
    site = Site(project, remote, state, runner, provider)
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    site.git("config", "receive.advertisePushOptions", "true", where=remote)
    subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=environment)
    with (project / ".gitignore").open("a") as ignored:
        ignored.write("/.gitlab-ci-local/\n/.gitlab-ci.local.yml\n")
    site.git("init", "--quiet")
    site.git("add", "--all")
    site.git("commit", "--quiet", "--message", "First")
    site.git("remote", "add", "origin", str(remote))
    site.git("push", "--quiet", "origin", "main")
    site.git("checkout", "--quiet", "-B", "main", "origin/main")
    yield site
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_stubs, "STATE", state)
        pipeline_stubs.stop()


def _newer(template_repo: Path, clone: Path) -> Path:
    """Return a clone of the template with one release more, which changes what is generated."""
    subprocess.run(["git", "clone", "--quiet", str(template_repo), str(clone)], check=True)
    with (clone / "template/AGENTS.md.jinja").open("a") as file:
        file.write("\nMore.\n")
    for command in (["commit", "--quiet", "--all", "--message", "More"], ["tag", "v1.1.0"]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    return clone
