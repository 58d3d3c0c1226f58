"""What must be true of each generated file, and of each generated project, whatever was answered."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import yaml

from tests.template.assembly import File
from tests.template.combinations import load_yaml

BRACES_OF_THEIR_OWN: tuple[str, ...] = ("deploy/monitoring/*",)  # Prometheus' and Grafana's templates
"""Patterns of generated paths in which ``{{`` belongs to the file's own language."""

LOCK_FILES = {"uv.lock", "poetry.lock", "pdm.lock", "package-lock.json"}

# `${{ }}` is an expression of GitHub's and Azure's pipelines. Python may hold doubled braces, in f-strings, so there
# only what a Jinja expression looks like counts.
_LEFTOVER = re.compile(r"(?<!\$)\{\{|\{%")
_LEFTOVER_IN_PYTHON = re.compile(r"\{\{-?\s+[\w.]+\s+(\||-?\}\})|\{%-?\s+\w+")


def parse_problem(path: str, content: bytes) -> str | None:
    """Return why *content* is not what *path* says it is, or None; unknown kinds of file are taken as they are."""
    try:
        text = content.decode("utf-8")
        match PurePosixPath(path).suffix:
            case ".toml":
                tomllib.loads(text)
            case ".yaml" | ".yml":
                load_yaml(text)
            case ".json":
                json.loads(text)
            case ".py":
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    ast.parse(text, path)
    except (ValueError, SyntaxError, SyntaxWarning, yaml.YAMLError) as error:
        return f"does not parse: {error}"
    return None


def content_problems(file: File) -> Iterator[str]:
    """Yield what is wrong with one file by itself."""
    name = PurePosixPath(file.path).name
    if name in LOCK_FILES:
        yield "a lock file is made by its tool, not rendered"
    try:
        text = file.content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        yield "is binary: an update could not merge it"
        return
    if problem := parse_problem(file.path, file.content):
        yield problem
    leftover = _LEFTOVER_IN_PYTHON if name.endswith(".py") else _LEFTOVER
    if (match := leftover.search(text)) and not any(fnmatch(file.path, pattern) for pattern in BRACES_OF_THEIR_OWN):
        yield f"line {_line(text, match)} holds Jinja that was not rendered"
    if match := re.search(r"[ \t]+$", text, re.MULTILINE):
        yield f"line {_line(text, match)} ends with blanks"
    if match := re.search(r"\n{4,}", text):
        yield f"line {_line(text, match)} begins a run of blank lines"
    if "\r" in text:
        yield "has carriage returns"
    if text and (text.startswith("\n") or not text.endswith("\n") or text.endswith("\n\n")):
        yield "must begin with text and end with exactly one newline"


def project_problems(project: Path) -> Iterator[str]:
    """Yield what is wrong with a rendered project as a whole: it is its own repository, with its own rules.

    Makes *project* a git repository.
    """
    paths = sorted(p.relative_to(project).as_posix() for p in project.rglob("*") if p.is_file())
    _run("git", "init", "--quiet", cwd=project)
    ignored = _run("git", "check-ignore", "--no-index", "--stdin", "-z", cwd=project, stdin="\0".join(paths))
    yield from (f"{path} is generated but git ignores it" for path in ignored.stdout.split("\0") if path)
    for command in (("check", "--output-format=concise"), ("format", "--check")):
        ruff = _run(sys.executable, "-m", "ruff", *command, "--no-cache", ".", cwd=project)
        if ruff.returncode:
            yield f"ruff {command[0]}: {ruff.stdout}{ruff.stderr}"


def _run(*command: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, encoding="utf-8", check=False)


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
