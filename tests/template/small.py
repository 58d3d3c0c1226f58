"""Small throw-away templates, written from a mapping of paths to texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

ANSWERS = "template/{{ _copier_conf.answers_file }}.jinja"

QUESTIONS = """\
_subdirectory: template
_envops:
  undefined: jinja2.StrictUndefined

title: {type: str, default: Churn}
ci: {type: str, choices: [github, gitlab, none], default: github}
cloud: {type: str, choices: [aws, gcp], default: aws}
docs: {type: bool, default: false}
size: {type: str, choices: [small, large], default: small, when: "{{ cloud == 'gcp' }}"}

package: {type: str, when: false, default: "{{ title | lower }}"}
region: {type: str, when: false, default: "{{ {'aws': 'eu-central-1', 'gcp': 'europe-west3'}[cloud] }}"}
host: {type: str, when: false, default: "{{ 'local' if ci == 'none' else 'online' }}"}
host_online: {type: str, when: false, default: "{{ '.' if host == 'online' else '' }}"}
ci_github: {type: str, when: false, default: "{{ '.' if ci == 'github' else '' }}"}
ci_gitlab: {type: str, when: false, default: "{{ '.' if ci == 'gitlab' else '' }}"}
cloud_aws: {type: str, when: false, default: "{{ '.' if cloud == 'aws' else '' }}"}
cloud_gcp: {type: str, when: false, default: "{{ '.' if cloud == 'gcp' else '' }}"}
"""

FILES = {
    "copier.yml": QUESTIONS,
    ANSWERS: "{{ _copier_answers | to_nice_yaml -}}\n",
    "partials/place.jinja": "in {{ region }}",
    "template/README.md.jinja": "# {{ title }}\n\nRuns {% include 'partials/place.jinja' %}.\n",
    "template/src/{{ package }}/__init__.py": "",
    "template/src/{{ package }}/serving.py": 'HOST = f"{{{1 + 1}}}"\n',
    "template/{{ host_online }}/BADGES.md": "![CI](badge.svg)\n",
    "template/{{ ci_github }}/ci.yml": "on: push\nname: ${{ github.ref }}\n",
    "template/{{ ci_gitlab }}/.gitlab-ci.yml": "stages: [test]\n",
    "template/{{ ci_github }}/{{ cloud_aws }}/login.yml": "uses: aws\n",
    "template/{{ ci_github }}/{{ cloud_gcp }}/login.yml": "uses: gcp\n",
    "template/{{ cloud_aws }}/deploy/cloud.toml.jinja": 'region = "{{ region }}"\ndocs = {{ docs | lower }}\n',
    "template/{{ cloud_gcp }}/deploy/cloud.toml.jinja": 'region = "{{ region }}"\nsize = "{{ size }}"\n',
}
"""Nothing wrong: questions, one of them not always asked, layers, nested ones, one of a computed answer, a partial."""


def write(root: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """Write :data:`FILES` with *changes* (None leaves a file out) below *root*, and return it."""
    for name, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
    return root
