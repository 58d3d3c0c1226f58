"""The identity of code: what a module and the project's modules that it imports compute.

Code is identified by its syntax tree, so that a comment, a docstring or a formatter changes nothing; by a form of our
own, because what `ast.dump` prints differs between versions of Python. The template's `core` is no part of features: it
is tested with the template, and an update of it must not part a service from its model.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2]
TEMPLATE = "core"


def features_sha256() -> str:
    """Return the SHA-256 of the code that makes the features."""
    return fingerprint(PACKAGE, "features")


def fingerprint(package: Path, module: str, *, template: bool = False) -> str:
    """Return the SHA-256 of a module and of the modules of its package that it imports, and they in turn.

    Args:
        package: The package's folder.
        module: The module's name, as seen from there.
        template: Whether the template's `core` counts.
    """
    forms: dict[str, Any] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _find(package, name)
        if path is None or name in forms or (name.partition(".")[0] == TEMPLATE and not template):
            continue
        tree, forms[name] = _read(path.read_bytes())
        waiting += _imports(tree, package.name, name if path.stem == "__init__" else name.rpartition(".")[0])
    return hashlib.sha256(json.dumps(dict(sorted(forms.items()))).encode()).hexdigest()


@cache
def _read(code: bytes) -> tuple[ast.Module, Any]:
    """Return the syntax tree of a module, and its form."""
    tree = ast.parse(code)
    return tree, _form(tree)


def _find(package: Path, name: str) -> Path | None:
    """Return the file of a module, or None if there is no such module."""
    folder = package.joinpath(*name.split(".")) if name else package
    paths = [folder / "__init__.py"] if folder == package else [folder.with_suffix(".py"), folder / "__init__.py"]
    return next((path for path in paths if path.is_file()), None)


def _imports(tree: ast.Module, package: str, folder: str) -> Iterator[str]:
    """Yield what may be modules of the package among the imports of one of them that lies in a folder of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = [package, *folder.split(".")] if folder else [package]
            start = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (start, node.module) if part)
            found = [source, *(f"{source}.{name.name}" for name in node.names)]
        else:
            continue
        for name in found:
            steps = name.split(".")
            if steps[0] == package:
                yield from (".".join(steps[1 : i + 1]) for i in range(1, len(steps)))


def _form(node: Any) -> Any:
    """Return a node of a syntax tree as JSON, without docstrings and what is empty."""
    if isinstance(node, list):
        return [_form(inner) for inner in node if not _is_text(inner)]
    if isinstance(node, ast.AST):
        fields = {name: value for name, value in ast.iter_fields(node) if value not in (None, []) and name != "kind"}
        return [type(node).__name__, {name: _form(value) for name, value in fields.items()}]
    return [type(node).__name__, ascii(node)]


def _is_text(node: Any) -> bool:
    """Tell whether a statement is a text and nothing else: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
