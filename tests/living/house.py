"""A small template with a past, served by the code of this working tree, and projects made from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cli.conftest import git
from tests.conftest import ROOT, commit

URL = "https://github.com/mlscaffold/mlscaffold"
QUESTIONS = """\
_subdirectory: template
_envops:
  keep_trailing_newline: true
  undefined: jinja2.StrictUndefined

project_name: {type: str, help: "What is it called?", default: Churn}
ci:
  type: str
  help: Where does it run?
  choices: {"GitHub: actions": github, "GitLab: pipelines": gitlab, "None: nothing": none}
  default: github
cloud:
  type: str
  help: Which cloud?
  choices: {"AWS: Amazon": aws, "GCP: Google": gcp}
  default: aws
size:
  type: str
  help: How large?
  choices: {"Small: one": small, "Large: two": large}
  default: small
  when: "{{ cloud == 'gcp' }}"

package: {type: str, when: false, default: "{{ project_name | lower }}"}
ci_github: {type: str, when: false, default: "{{ '.' if ci == 'github' else '' }}"}
ci_gitlab: {type: str, when: false, default: "{{ '.' if ci == 'gitlab' else '' }}"}
cloud_aws: {type: str, when: false, default: "{{ '.' if cloud == 'aws' else '' }}"}
cloud_gcp: {type: str, when: false, default: "{{ '.' if cloud == 'gcp' else '' }}"}
"""


def lines(word: str, count: int = 30, **changes: str) -> str:
    """Return text whose lines can be told apart; `at_3="x"` puts another text in place of line 3."""
    return "".join(changes.get(f"at_{number}", f"{word} {number}") + "\n" for number in range(1, count + 1))


FILES = {
    "copier.yml": QUESTIONS,
    "partials/empty.jinja": "",
    "template/{{ _copier_conf.answers_file }}.jinja": (
        "{{ dict(_copier_answers, **(mlscaffold_origin | default({}))) | to_nice_yaml -}}\n"
    ),
    "template/.gitattributes": "* text=auto eol=lf\n",
    "template/.gitignore": ".env\n*.log\n",
    "template/pyproject.toml.jinja": '[project]\nname = "{{ package }}"\nscripts = { {{ package }} = "x:main" }\n',
    "template/README.md.jinja": "# {{ project_name }}\n\n" + lines("readme"),
    "template/src/{{ package }}/model.py": lines("# model"),
    "template/src/{{ package }}/data.py": lines("# data"),
    "template/src/{{ package }}/old.py": lines("# old"),
    "template/run.sh": "#!/bin/sh\n" + lines("# run"),
    "template/{{ ci_github }}/ci.yml": lines("# github"),
    "template/{{ ci_gitlab }}/.gitlab-ci.yml": lines("# gitlab"),
    "template/{{ cloud_aws }}/deploy/cloud.txt": lines("aws"),
    "template/{{ cloud_aws }}/deploy/bucket.txt": lines("bucket"),
    "template/{{ cloud_gcp }}/deploy/cloud.txt.jinja": "size {{ size }}\n" + lines("gcp"),
}


@dataclass(frozen=True)
class House:
    """A clone of the small template."""

    root: Path

    def release(self, tag: str | None, changes: Mapping[str, str | None] | None = None) -> None:
        """Change files (None removes one), commit and tag."""
        for name, text in (changes or {}).items():
            path = self.root / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
                if name.endswith(".sh"):
                    path.chmod(0o755)
        commit(self.root, tag)

    def move(self, old: str, new: str) -> None:
        """Move a file, to be released later."""
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)

    def redirect(self, cache: Path) -> dict[str, str]:
        """Return what leads anybody's git, and so plain Copier, from the public address to here."""
        return {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"url.{self.root}.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{URL}.git",
            "GIT_CONFIG_KEY_1": "protocol.file.allow",
            "GIT_CONFIG_VALUE_1": "always",
            "COPIER_CACHE_DIR": str(cache),
        }


def build(root: Path) -> House:
    """Write the template with the command's own code beside it, released as v1.0.0."""
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "_template"))
    shutil.copy2(ROOT / "pyproject.toml", root)
    (root / ".gitignore").write_text("/src/\n__pycache__/\n", "utf-8")
    house = House(root)
    house.release("v1.0.0", FILES)
    git(root, "rm", "-r", "-q", "--cached", "src")
    git(root, "commit", "-q", "--amend", "--no-edit")
    git(root, "tag", "-f", "v1.0.0")
    return house


def plain_update(
    house: House, project: Path, cache: Path, ref: str, **answers: str
) -> subprocess.CompletedProcess[str]:
    """Run `copier update` as somebody does who has never heard of us."""
    data = [f"--data={name}={value}" for name, value in answers.items()]
    return subprocess.run(
        [sys.executable, "-m", "copier", "update", "--quiet", "--defaults", f"--vcs-ref={ref}", *data],
        cwd=project,
        env={**os.environ, **house.redirect(cache)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def answers_of(project: Path) -> dict[str, str]:
    """Return what a project's answers file says."""
    content = yaml.safe_load((project / ".copier-answers.yml").read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def save(project: Path, message: str = "Mine") -> None:
    """Commit all that is in a project."""
    git(project, "add", "--all")
    git(project, "commit", "-q", "--allow-empty", "-m", message)


def repository(root: Path, files: Mapping[str, str]) -> Path:
    """Write files and commit them."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    git(root, "init", "-q")
    save(root)
    return root
