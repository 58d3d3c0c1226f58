"""The identity of code: what a module and the project's modules that it imports compute, from the files that they name.

Code is identified by its syntax tree, so that a comment, a docstring or a formatter changes nothing; by a form of our
own, because what `ast.dump` prints differs between versions of Python. The template's `core` is no part of features: it
is tested with the template, and an update of it must not part a service from its model.
"""

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parents[2]
TEMPLATE = "core"


def features_sha256() -> str:
    """Return the SHA-256 of the code that makes the features."""
    return fingerprint(PACKAGE, "features")


def fingerprint(package: Path, module: str, *, everything: bool = False) -> str:
    """Return the SHA-256 of a module and of the modules of its package that it imports, and they in turn.

    A file counts whose name, as seen from the module's folder or the package's, is a text in one of your modules.

    Args:
        package: The package's folder.
        module: The module's name, as seen from there.
        everything: Whether the template's `core` counts, too, and what may be elsewhere where a service runs: packages
            that lie outside the environment, and files that your modules name as seen from the working directory.
    """
    forms: dict[str, str] = {}
    waiting = [(package, module)]
    while waiting:
        root, name = waiting.pop()
        path, key = _find(root, name), name if root == package else f"{root.name}:{name}"
        is_template = root == package and name.partition(".")[0] == TEMPLATE
        if path is None and name and "." not in name:  # no module, so `__init__.py` has defined it
            waiting.append((root, ""))
        if path is None or key in forms or (is_template and not everything):
            continue
        code = _read(path.read_bytes())
        forms[key] = code.form
        if not is_template:
            folders = [path.parent, root, *([Path()] if everything else [])]
            named = _named_files(code.texts, folders)
            forms |= {f"{key}:{file}": json.dumps(digest) for file, digest in named}
        folder = name if path.stem == "__init__" else name.rpartition(".")[0]
        for found in _imports(code.imports, root.name, folder):
            top, _, rest = found.partition(".")
            if top == root.name:
                waiting += [(root, rest)] if rest else []
            elif everything and (other := _find_local(top)):
                waiting += [(other, ""), (other, rest)]
    whole = ", ".join(f"{json.dumps(key)}: {form}" for key, form in sorted(forms.items()))
    return hashlib.sha256(f"{{{whole}}}".encode()).hexdigest()


class _Module(NamedTuple):
    """What a module's code says: its form as JSON, its imports, and the texts in it, sorted."""

    form: str
    imports: list[ast.Import | ast.ImportFrom]
    texts: list[str]


@cache
def _read(code: bytes) -> _Module:
    """Read a module's code, once in a process: each step begins in another module and goes on to the same ones."""
    tree = ast.parse(code)
    nodes = list(ast.walk(tree))
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return _Module(json.dumps(_form(tree)), imports, sorted(texts))


def _find(package: Path, name: str) -> Path | None:
    """Return the file of a module, or None if there is no such module."""
    folder = package.joinpath(*name.split(".")) if name else package
    return next((path for path in (folder / "__init__.py", folder.with_suffix(".py")) if path.is_file()), None)


def _find_local(package: str) -> Path | None:
    """Return the folder of a package that is neither Python's nor installed, or its one file without the suffix."""
    if package in sys.stdlib_module_names or not (spec := find_spec(package)):
        return None
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    place = Path(places[0]) if places else Path()
    if not places or {"site-packages", "dist-packages"} & set(place.parts):
        return None
    return place.parent if place.name == "__init__.py" else place.with_suffix("")


def _named_files(texts: list[str], folders: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield the files of folders that are not Python and whose name is a text in a module, each with its SHA-256."""
    for text in texts:
        places = [folder / text for folder in folders if not text.endswith(".py")]
        for place in places:
            if os.path.isfile(place):  # noqa: PTH113 (a text that cannot be a path is no error)
                yield text, hashlib.sha256(place.read_bytes()).hexdigest()
                break


def _imports(nodes: list[ast.Import | ast.ImportFrom], package: str, folder: str) -> Iterator[str]:
    """Yield what may be modules among the imports of one that lies in a folder of a package, each with its parents."""
    for node in nodes:
        if isinstance(node, ast.Import):
            found = [name.name for name in node.names]
        else:
            parents = [package, *folder.split(".")] if folder else [package]
            start = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (start, node.module) if part)
            found = [source, *(f"{source}.{name.name}" for name in node.names)]
        for name in found:
            steps = name.split(".")
            yield from (".".join(steps[: i + 1]) for i in range(len(steps)))


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
