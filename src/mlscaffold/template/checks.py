"""Whether what was rendered can be read by the tools that it is for."""

import ast
import json
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import yaml

from mlscaffold.errors import TemplateError, reason
from mlscaffold.template.questions import Loader


def _python(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # the project's linter speaks of these
        ast.parse(text)


def _yaml(text: str) -> None:
    for _ in yaml.compose_all(text, Loader):  # composed, not loaded: tags are for the tool that reads the file
        pass


_PARSERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".py": _python,
    ".toml": tomllib.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
}


def check_syntax(project: Path) -> None:
    """Raise TemplateError if a TOML, YAML, JSON or Python file does not parse."""
    for path in sorted(project.rglob("*")):
        parse = _PARSERS.get(path.suffix)
        if parse is None or not path.is_file():
            continue
        try:
            parse(path.read_text("utf-8"))
        except (ValueError, SyntaxError, yaml.YAMLError) as error:
            name = path.relative_to(project).as_posix()
            raise TemplateError(
                f"The template made a broken file, {name} ({reason(error)}); nothing was written."
                " Please report it with your answers."
            ) from error
