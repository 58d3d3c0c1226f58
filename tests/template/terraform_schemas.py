# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "cdktf-cdktf-provider-azurerm==14.23.1",
#     "cdktf-cdktf-provider-google==16.12.1",
#     "python-hcl2==8.1.4",
# ]
# ///
"""Check Terraform for Google Cloud and Azure without their providers, from the schemas that CDKTF's packages carry.

Usage: uv run --script terraform_schemas.py FOLDER...

Each folder is a root module whose modules are folders below it. Found are unknown types, arguments, blocks and
attributes, missing required arguments, references to what is not declared, module calls that do not fit, and a provider
that may be of another version than the schema. Values, functions and types of expressions are not checked. Printed is a
JSON object of the problems in each folder.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hcl2  # type: ignore[import-not-found]  # uv installs it for this script alone

PROVIDERS = {"google": "google", "azurerm": "azurerm"}
META = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"}
_DOCUMENTED = re.compile(r"providers/[\w-]+/\w+/([\d.]+)/docs/(resources|data-sources)/\w+ (\w+)\}")
_ARGUMENT = re.compile(r"#\w+ \w+#(\w+)\}")
_ROOT = r"(?<![\w.-])(data\.)?(var|local|module|google_\w+|azurerm_\w+)"
_REFERENCE = re.compile(_ROOT + r"\.(\w+)(?:\[[^\]]*\])?(?:\.(\w+))?")


@dataclass(frozen=True)
class Argument:
    """An argument or a block; ``block`` is the schema of what a block holds."""

    required: bool
    block: str | None


@dataclass(frozen=True)
class Schema:
    """What a provider knows. Types are keyed by kind and name, their ``attributes`` are what may be read of them."""

    version: str
    types: dict[tuple[str, str], str]
    attributes: dict[tuple[str, str], frozenset[str]]
    classes: dict[str, Any]

    def arguments(self, name: str) -> dict[str, Argument]:
        """Return what can be set in a type or block."""
        found = {}
        for member in self.classes[name].get("properties", []):
            named = _ARGUMENT.search(json.dumps(member.get("docs") or {}))
            names = re.findall(r'"fqn": "([^"]+)"', json.dumps(member["type"]))
            blocks = [n for n in names if self.classes.get(n, {}).get("kind") == "interface"]
            argument = named[1] if named else _snake(member["name"])
            found[argument] = Argument(not member.get("optional"), blocks[0] if blocks else None)
        return found


@cache
def schema(provider: str) -> Schema:
    """Read the schema of *provider*, which takes seconds."""
    spec = importlib.util.find_spec(f"cdktf_cdktf_provider_{PROVIDERS[provider]}")
    assert spec is not None
    assert spec.origin is not None
    (archive,) = (Path(spec.origin).parent / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as tar:
        content = tar.extractfile("package/.jsii")
        assert content is not None
        classes: dict[str, Any] = json.load(content)["types"]
    types, attributes, version = {}, {}, ""
    for name, cls in classes.items():
        documented = _DOCUMENTED.search((cls.get("docs") or {}).get("summary", ""))
        if cls["kind"] == "class" and documented and f"{name}Config" in classes:
            kind = "data" if documented[2] == "data-sources" or ".data" in name.lower() else "resource"
            key = (kind, documented[3].removeprefix("data_"))
            types[key] = f"{name}Config"
            attributes[key] = frozenset(_snake(p["name"]) for p in cls.get("properties", []))
            version = documented[1]
    return Schema(version, types, attributes, classes)


@dataclass
class Module:
    """A folder of Terraform."""

    folder: Path
    documents: dict[Path, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted(self.folder.glob("*.tf")):
            self.documents[path] = _clean(hcl2.loads(path.read_text(encoding="utf-8")))

    def blocks(self, kind: str) -> Iterator[tuple[Path, str, Any]]:
        """Yield the blocks of a kind that have one label: variables, outputs, modules, providers."""
        for path, document in self.documents.items():
            for block in document.get(kind, []):
                yield from ((path, name, body) for name, body in block.items())

    def names(self, kind: str) -> set[str]:
        """Return the labels of the blocks of a kind."""
        return {name for _, name, _ in self.blocks(kind)}

    def resources(self) -> Iterator[tuple[Path, str, str, str, Any]]:
        """Yield path, kind ("resource" or "data"), type, name and body of each."""
        for kind in ("resource", "data"):
            for path, of_type, named in self.blocks(kind):
                yield from ((path, kind, of_type, name, body) for name, body in named.items())

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each defect."""
        yield from self._versions()
        for path, kind, of_type, name, body in self.resources():
            provider, where = of_type.partition("_")[0], f"{path.name}: {kind} {of_type}.{name}"
            if provider in PROVIDERS:
                known = schema(provider)
                if (kind, of_type) in known.types:
                    yield from _body_problems(known, known.types[kind, of_type], body, where)
                else:
                    yield f"{where}: {provider} {known.version} has no such type"
        yield from self._calls()
        yield from self._references()

    def _versions(self) -> Iterator[str]:
        for path, document in self.documents.items():
            for settings in document.get("terraform", []):
                for required in settings.get("required_providers", []):
                    for provider, demand in required.items():
                        if provider in PROVIDERS and "version" in demand:
                            major, minor, _ = schema(provider).version.split(".")
                            if demand["version"] != f"~> {major}.{minor}":
                                yield f"{path.name}: {provider} is {demand['version']}, its schema {major}.{minor}"

    def _calls(self) -> Iterator[str]:
        for path, name, call in self.blocks("module"):
            callee, where = self._called(call), f"{path.name}: module {name}"
            given = call.keys() - META - {"source"}
            declared = {variable: body for _, variable, body in callee.blocks("variable")}
            yield from (f"{where}: has no variable {argument}" for argument in sorted(given - declared.keys()))
            needed = {variable for variable, body in declared.items() if "default" not in body}
            yield from (f"{where}: needs {argument}" for argument in sorted(needed - given))

    def _called(self, call: dict[str, Any]) -> Module:
        return Module((self.folder / call["source"]).resolve())

    def _references(self) -> Iterator[str]:
        known = {"var": self.names("variable"), "module": self.names("module"), "local": set[str]()}
        for document in self.documents.values():
            known["local"] |= {name for block in document.get("locals", []) for name in block}
        outputs = {name: self._called(call).names("output") for _, name, call in self.blocks("module")}
        declared = {(kind, of_type, name) for _, kind, of_type, name, _ in self.resources()}
        used = set()
        for path in self.documents:
            for data, root, name, attribute in _REFERENCE.findall(expressions(path.read_text(encoding="utf-8"))):
                used.add((root, name))
                reference = f"{path.name}: {data}{root}.{name}"
                if root in known:
                    if name not in known[root]:
                        yield f"{reference} is not declared"
                    elif root == "module" and attribute and attribute not in outputs[name]:
                        yield f"{reference} has no output {attribute}"
                    continue
                kind = "data" if data else "resource"
                attributes = schema(root.partition("_")[0]).attributes.get((kind, root), frozenset())
                if (kind, root, name) not in declared:
                    yield f"{reference} is not declared"
                elif attribute and attribute not in attributes:
                    yield f"{reference} has no attribute {attribute}"
        for variable in sorted(known["var"]):
            if ("var", variable) not in used:
                yield f"the variable {variable} is not used"


def _body_problems(known: Schema, name: str, body: dict[str, Any], where: str) -> Iterator[str]:
    arguments = known.arguments(name)
    given = {key: value for key, value in body.items() if key not in META and key != "dynamic"}
    for dynamic in body.get("dynamic", []):
        given |= {key: block.get("content", []) for key, block in dynamic.items()}
    for key, value in given.items():
        if key not in arguments:
            yield f"{where}: there is no {key}"
        elif (block := arguments[key].block) and isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield from _body_problems(known, block, each, f"{where}, {key}")
    for key, argument in arguments.items():
        if argument.required and key not in given and key not in META:
            yield f"{where}: {key} is missing"


def expressions(text: str) -> str:
    """Return *text* with comments and the literal parts of strings blanked, so that only expressions are left."""
    text = re.sub(r"<<-?(\w+)\n(.*?)\n\s*\1\b", lambda m: "".join(_interpolations(m[2])), text, flags=re.DOTALL)
    kept: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "#":
            position = text.find("\n", position)
        elif text[position] == '"':
            end = _end_of_string(text, position)
            kept.extend(_interpolations(text[position + 1 : end]))
            position = end + 1
        else:
            kept.append(text[position])
            position += 1
    return "".join(kept)


def _interpolations(text: str) -> Iterator[str]:
    position = text.find("${")
    while position != -1:
        depth, end = 1, position + 2
        while depth:
            if text[end] == '"':
                end = _end_of_string(text, end)
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield f" {expressions(text[position + 2 : end - 1])} "
        position = text.find("${", end)


def _end_of_string(text: str, start: int) -> int:
    position = start + 1
    while text[position] != '"':
        if text.startswith("${", position):
            depth, position = 1, position + 2
            while depth:
                if text[position] == '"':
                    position = _end_of_string(text, position)
                depth += {"{": 1, "}": -1}.get(text[position], 0)
                position += 1
            continue
        position += 2 if text[position] == "\\" else 1
    return position


def _clean(value: Any) -> Any:
    """Return what the parser gives without its quotes and its notes."""
    if isinstance(value, dict):
        return {k.strip('"'): _clean(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _modules(root: Path) -> Iterator[Module]:
    yield from (Module(folder) for folder in sorted({path.parent for path in root.rglob("*.tf")}))


if __name__ == "__main__":
    found = {
        root: [f"{m.folder.relative_to(root)}/{problem}" for m in _modules(Path(root)) for problem in m.problems()]
        for root in sys.argv[1:]
    }
    json.dump(found, sys.stdout, indent=2)
