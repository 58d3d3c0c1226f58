"""Answers that a repository gives by itself: what it is called, what it is built with, where it runs."""

import ast
import configparser
import contextlib
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import PurePosixPath
from typing import Any

import yaml

from mlscaffold.errors import AnswerError
from mlscaffold.system.progress import Warn
from mlscaffold.template.questions import Questionnaire, load_yaml

Read = Callable[[str], bytes]
"""The content of a file, by its path."""

PROJECT_FILE = "pyproject.toml"
_SETUP_FILES = (PROJECT_FILE, "setup.py", "Pipfile")
_INI_FILES = ("setup.cfg", "tox.ini")
_INI_SECTION = re.compile(rb"^\[(metadata|options|pytest|tool:pytest)\]", re.MULTILINE)
_CONDA_FILES = ("environment.yml", "environment.yaml")
_REQUIREMENTS = re.compile(r"requirements[^/]*\.txt|requirements/[^/]*\.txt")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PROVIDER = re.compile(rb'(?:source\s*=\s*"[^"]*hashicorp/|provider\s+")(\w+)"')
_NO_PACKAGES = frozenset({"benchmarks", "docs", "examples", "infra", "notebooks", "scripts", "src", "test", "tests"})

# The first that is there decides: many projects have the later ones beside it.
FRAMEWORKS = {
    "pytorch": r"torch|pytorch|lightning|pytorch-lightning",
    "keras": r"keras|tf-keras|tensorflow(-cpu|-gpu|-macos)?",
    "xgboost": r"xgboost(-cpu)?",
    "lightgbm": r"lightgbm",
    "catboost": r"catboost",
    "sklearn": r"scikit-learn|sklearn",
}
CLOUDS = {
    "aws": r"boto3|botocore|s3fs|sagemaker",
    "gcp": r"gcsfs|google-cloud-.+",
    "azure": r"adlfs|azure-.+|azureml-.+",
}
_PROVIDERS = {b"aws": "aws", b"google": "gcp", b"azurerm": "azure"}
CI = {
    "github": r"\.github/workflows/[^/]+\.ya?ml",
    "gitlab": r"\.gitlab-ci\.yml",
    "azure_pipelines": r"azure-pipelines\.ya?ml",
}


@dataclass(frozen=True)
class Inferred:
    """An answer, and what it was read from."""

    value: str
    source: str


def infer_answers(
    paths: Collection[str], read: Read, questionnaire: Questionnaire, warn: Warn, *, strict: bool = False
) -> dict[str, Inferred]:
    """What the files of a repository answer, by the names of the questions.

    What is ambiguous is left to the user, with a sentence; so is what the template has no choice for.

    Args:
        paths: the files, with forward slashes.
        read: their content.
        questionnaire: what is asked.
        warn: told why an answer was not taken.
        strict: whether to insist that the framework is one of the template's: a wrong one would be recorded.

    Raises:
        AnswerError: it is not.
    """
    source = find_setup(paths, read) or PROJECT_FILE
    content: dict[str, Any] = {}
    try:
        content = _READERS[source](read(source)) if source in paths else {}
    except (ValueError, SyntaxError, configparser.Error) as error:
        warn(f"{source} cannot be read ({error}), so nothing was taken from it.")
    needed = dict(_dependencies(paths, read, content, source))
    readers: dict[str, Callable[[], Inferred | None]] = {
        "framework": lambda: next(_matching(FRAMEWORKS, needed), None),
        "cloud": lambda: _one("cloud", [*_providers(paths, read)] or [*_matching(CLOUDS, needed)], warn),
        "ci": lambda: _one("ci", [Inferred(ci, path) for ci, form in CI.items() for path in _first(form, paths)], warn),
    }
    asked = questionnaire.questions.keys()
    found = {**_metadata(content, source), **{name: answer() for name, answer in readers.items() if name in asked}}
    return {
        name: answer
        for name, answer in found.items()
        if answer and _is_taken(name, answer, questionnaire, warn, strict=strict and name == "framework")
    }


def find_setup(paths: Collection[str], read: Read) -> str | None:
    """The file that says how a repository is installed, or how it is tested; None if there is none."""
    found = [name for name in _SETUP_FILES if name in paths]
    found += [name for name in _INI_FILES if name in paths and _INI_SECTION.search(read(name))]
    return next(iter(found), None)


def find_packages(paths: Iterable[str]) -> dict[str, str]:
    """The Python packages among files: the folder of each, by its name; one below src/ goes before one beside it."""
    found: dict[str, str] = {}
    for path in sorted(paths):
        match PurePosixPath(path).parts:
            case ("src", name, file) if file.endswith(".py"):
                found[name] = f"src/{name}"
            case (name, "__init__.py") if name not in _NO_PACKAGES:
                found.setdefault(name, name)
    return found


def _toml(content: bytes) -> dict[str, Any]:
    return tomllib.loads(content.decode("utf-8"))


def _setup_call(content: bytes) -> dict[str, Any]:
    """What a setup.py writes out, in the form of a pyproject.toml; what it computes is not known without running it."""
    given: dict[str, Any] = {}
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setup"):
            for keyword in node.keywords:
                with contextlib.suppress(ValueError):
                    given[str(keyword.arg)] = ast.literal_eval(keyword.value)
    return _as_project(given, given.get("install_requires"))


def _setup_sections(content: bytes) -> dict[str, Any]:
    """What a setup.cfg says, in the form of a pyproject.toml."""
    sections = configparser.ConfigParser(interpolation=None, strict=False)
    sections.read_string(content.decode("utf-8"))
    needed = sections.get("options", "install_requires", fallback="").splitlines()
    return _as_project(dict(sections["metadata"]) if "metadata" in sections else {}, needed)


def _pipfile(content: bytes) -> dict[str, Any]:
    return {"project": {"dependencies": [*_table(_toml(content), "packages")]}}


def _as_project(given: Mapping[str, Any], needed: object) -> dict[str, Any]:
    author = {"name": given.get("author"), "email": given.get("author_email")}
    return {"project": {**given, "authors": [author], "dependencies": needed}}


_READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    PROJECT_FILE: _toml,
    "setup.py": _setup_call,
    "Pipfile": _pipfile,
    "setup.cfg": _setup_sections,
    "tox.ini": lambda content: {},
}


def _metadata(content: Mapping[str, Any], source: str) -> dict[str, Inferred]:
    """Name, description and first author, by PEP 621 or as Poetry had them before."""
    table = _table(content, "project") or _table(content, "tool", "poetry")
    author = next(iter(_list(table, "authors")), None)
    if isinstance(author, str):
        author = dict(zip(("name", "email"), parseaddr(author), strict=True))
    author = author if isinstance(author, dict) else {}
    values = {
        "project_name": table.get("name"),
        "description": table.get("description"),
        "author_name": author.get("name"),
        "author_email": author.get("email"),
    }
    return {key: Inferred(value, source) for key, value in values.items() if value and isinstance(value, str)}


def _dependencies(
    paths: Collection[str], read: Read, content: Mapping[str, Any], source: str
) -> Iterator[tuple[str, str]]:
    """Every package that is asked for anywhere, normalized, with the file that asks for it."""
    for requirement in _listed(content):
        yield from _requirement(requirement, source)
    for path in sorted(paths):
        if _REQUIREMENTS.fullmatch(path):
            for line in read(path).decode("utf-8", "replace").splitlines():
                yield from _requirement(line, path)
        elif path in _CONDA_FILES:
            for entry in _conda(read(path)):
                yield from _requirement(entry, path)


def _listed(content: Mapping[str, Any]) -> Iterator[object]:
    project, poetry = _table(content, "project"), _table(content, "tool", "poetry")
    yield from _list(project, "dependencies")
    for groups in (_table(project, "optional-dependencies"), _table(content, "dependency-groups")):
        for name in groups:
            yield from _list(groups, name)
    yield from _table(poetry, "dependencies")
    for name in _table(poetry, "group"):
        yield from _table(poetry, "group", name, "dependencies")


def _conda(content: bytes) -> Iterator[object]:
    try:
        found = load_yaml(content.decode("utf-8"))
    except (ValueError, yaml.YAMLError):
        return
    for entry in _list(found, "dependencies"):
        yield from _list(entry, "pip") if isinstance(entry, dict) else (entry,)


def _table(content: object, *names: str) -> dict[str, Any]:
    """The table at a place; an empty one if there is something else."""
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _list(content: object, name: str) -> list[Any]:
    found = content.get(name) if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def _requirement(requirement: object, path: str) -> Iterator[tuple[str, str]]:
    name = _NAME.match(requirement) if isinstance(requirement, str) else None
    if name:
        yield re.sub(r"[-_.]+", "-", name[1]).lower(), path


def _matching(forms: Mapping[str, str], needed: Mapping[str, str]) -> Iterator[Inferred]:
    for value, form in forms.items():
        for name in _first(form, needed):
            yield Inferred(value, f"{name} in {needed[name]}")


def _providers(paths: Iterable[str], read: Read) -> Iterator[Inferred]:
    found: dict[str, Inferred] = {}
    for path in sorted(paths):
        if path.endswith(".tf"):
            for name in _PROVIDER.findall(read(path)):
                if name in _PROVIDERS:
                    found.setdefault(_PROVIDERS[name], Inferred(_PROVIDERS[name], path))
    yield from found.values()


def _first(form: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if re.fullmatch(form, name))[:1]


def _one(question: str, found: list[Inferred], warn: Warn) -> Inferred | None:
    if len(found) > 1:
        both = ", ".join(f"{answer.value} ({answer.source})" for answer in found)
        warn(f"{question} can be read in more than one way: {both}. Say which with --set {question}=VALUE.")
        return None
    return found[0] if found else None


def _is_taken(name: str, answer: Inferred, questionnaire: Questionnaire, warn: Warn, *, strict: bool) -> bool:
    question = questionnaire.questions.get(name)
    if question is None or question.computed:
        return False
    allowed = [choice.value for choice in question.choices]
    if allowed and answer.value not in allowed:
        unknown = f"{answer.source} is not supported yet: {name} can be {', '.join(allowed)}"
        if strict:
            raise AnswerError(f"{unknown}. Choose with --set {name}=VALUE.", name)
        warn(f"{unknown}.")
        return False
    return True
