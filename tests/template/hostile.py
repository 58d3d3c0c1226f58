"""Answers that try to break a project, and what must hold for each: it is refused in words, or it arrives unchanged.

Copier takes a fifth of a second for a project; so for thousands of answers only the files that depend on them are
rendered, with Jinja. :func:`Subject.render` is shown to agree with Copier on a sample of the same answers.
"""

from __future__ import annotations

import keyword
import re
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_string
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.metadata.spec import get_core_metadata_constructors
from hatchling.plugin.manager import PluginManager
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from packaging.utils import canonicalize_name, is_normalized_name

from tests.conftest import Copier
from tests.template.assembly import read_project
from tests.template.checks import parse_problem
from tests.template.combinations import ANSWERS_FILE, Answer, Combination, RefusedError, Source, Template, load_yaml
from tests.template.hostile_answers import ANSWERS

# A file or folder of these names, whatever its ending, cannot be made on Windows.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class Subject:
    """The template under attack, and its default project on disk, for what does not depend on the answers."""

    template: Template
    project: Path

    @cached_property
    def free_texts(self) -> frozenset[str]:
        """The questions without choices, and the computed answers that depend on them."""
        names = {
            question.name for question in self.template.questions if not question.choices and not question.computed
        }
        for question in self.template.questions:
            if question.computed and self.template.names_read(str(question.default)) & names:
                names.add(question.name)
        return frozenset(names)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """The files whose content depends on a free text."""
        return tuple(
            source
            for source in self.template.sources
            if source.is_template and self.template.names_read(self.template.text_of(source.path)) & self.free_texts
        )

    def render(self, combination: Combination) -> dict[str, bytes]:
        """Return the files that depend on free texts, by path; :class:`RefusedError` is for :meth:`Template.answer`."""
        files = {}
        for source in self.sources:
            path = self.template.path_of(source, combination)
            if path is not None:
                text = self.template.render(self.template.text_of(source.path), combination.answers)
                files[str(path)] = text.encode()
        remembered = {"_commit": "v1.0.0", "_src_path": str(self.template.root), **combination.asked}
        text = self.template.text_of(PurePosixPath(ANSWERS_FILE))
        template = self.template.environment.from_string(text)
        files[".copier-answers.yml"] = template.render(_copier_answers=remembered, **combination.answers).encode()
        return files

    def paths(self, combination: Combination) -> Iterator[str]:
        """Yield the path of every file of the project."""
        for source in self.template.sources:
            if path := self.template.path_of(source, combination):
                yield str(path)

    def problems(self, combination: Combination, files: Mapping[str, bytes]) -> Iterator[str]:
        """Yield how *files*, rendered with *combination*, do not carry its texts unchanged."""
        answers = combination.answers
        broken = [f"{path} {problem}" for path, content in files.items() if (problem := parse_problem(path, content))]
        if broken:
            yield from broken
            return
        (recorded,) = load_yaml(files[".copier-answers.yml"].decode())
        for name, value in combination.asked.items():
            if recorded.get(name) != value:
                yield f".copier-answers.yml holds {recorded.get(name)!r} for {value!r}"
        yield from self._metadata_problems(answers, tomllib.loads(files["pyproject.toml"].decode()))
        shown = _shown(files["README.md"].decode())
        for name in ("project_name", "description"):
            if not any(str(answers[name]) in text for text in shown):
                yield f"README.md does not show {answers[name]!r} as it is"

    def name_problems(self, combination: Combination) -> Iterator[str]:
        """Yield what the accepted project name of *combination* would break."""
        slug, package = str(combination.answers["project_slug"]), str(combination.answers["package"])
        if not re.fullmatch(r"[a-z][a-z0-9_]*", package) or keyword.iskeyword(package):
            yield f"{package!r} is not a package's name"
        if package in {name.lower() for name in sys.stdlib_module_names}:
            yield f"{package!r} hides a module of the standard library"
        if package in _DEVICES:
            yield f"{package!r} cannot be made on Windows"
        if not is_normalized_name(slug) or canonicalize_name(package) != slug:
            yield f"{slug!r} is not the normal form of {package!r}"
        for path in self.paths(combination):
            if path.startswith("/") or {"..", ".", ""} & set(path.split("/")) or "\\" in path:
                yield f"{path!r} is not a plain path in the project"

    def _metadata_problems(self, answers: Mapping[str, Answer], config: dict[str, object]) -> Iterator[str]:
        # hatchling reads what the table points to (the README) from the default project.
        metadata: ProjectMetadata[PluginManager] = ProjectMetadata(str(self.project), None, config)
        try:
            metadata.validate_fields()
            written = get_core_metadata_constructors()["2.4"](metadata)
        except (ValueError, TypeError, OSError) as error:
            yield f"hatchling refuses pyproject.toml: {error}"
            return
        core = metadata.core
        author = {"name": answers["author_name"], "email": answers["author_email"]}
        expected = {
            "description": (core.description, answers["description"]),
            "authors": (core.authors, [{key: value for key, value in author.items() if value}]),
            "name": (core.name, answers["project_slug"]),
            "scripts": (list(core.scripts), [answers["project_slug"]]),
        }
        yield from (
            f"pyproject.toml: {key}: {found!r} for {wanted!r}"
            for key, (found, wanted) in expected.items()
            if found != wanted
        )
        summary = message_from_string(written)["Summary"]
        if (summary or "") != answers["description"]:
            yield f"the package's summary would be {summary!r}"


def attack(subject: Subject, examples: int) -> Counter[str]:
    """Try *examples* hostile answers and return how many were accepted and how many refused.

    Raises ``AssertionError`` with the smallest answer that is neither refused in words nor carried unchanged.
    """
    tally: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ANSWERS)
    def attempt(answers: dict[str, Answer]) -> None:
        kind = "name" if "project_name" in answers else "text"
        try:
            combination = subject.template.answer(answers)
        except RefusedError as error:
            refusal = str(error)
            assert re.fullmatch(r"[^\x00-\x1f]{10,200}", refusal), f"no clear refusal: {refusal!r}"
            tally[f"{kind} refused"] += 1
            return
        files = subject.render(combination)
        problems = [*subject.problems(combination, files), *subject.name_problems(combination)]
        assert not problems, problems
        tally[f"{kind} accepted"] += 1

    attempt()
    return tally


def compare_with_copier(subject: Subject, copier: Copier, directory: Path, examples: int) -> Counter[str]:
    """Give *examples* hostile answers to Copier as well; it must refuse or write just what :func:`attack` looks at.

    Each project is made in a directory of its own, in which nothing else may appear.
    """
    tally: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ANSWERS)
    def attempt(answers: dict[str, Answer]) -> None:
        with tempfile.TemporaryDirectory(dir=directory) as parent:
            project = Path(parent, "project")
            try:
                combination = subject.template.answer(answers)
            except RefusedError as refusal:
                with pytest.raises(ValueError, match=re.escape(str(refusal))):
                    copier.copy(project, answers)
                assert list(Path(parent).iterdir()) == []
                tally["refused"] += 1
                return
            copier.copy(project, answers)
            assert [path.name for path in Path(parent).iterdir()] == ["project"]
            written = {path: file.content for path, file in read_project(project).items()}
            expected = subject.render(combination)
            assert written.keys() == {*subject.paths(combination), ".copier-answers.yml"}
            assert {path: written[path] for path in expected} == expected
            tally["accepted"] += 1

    attempt()
    return tally


def _shown(markdown: str) -> list[str]:
    """Return each piece of running text that a reader of *markdown* sees; markup splits pieces, code does not count."""
    pieces = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        piece = ""
        for child in token.children or []:
            if child.type == "text":
                piece += child.content
            else:
                pieces.append(piece)
                piece = ""
        pieces.append(piece)
    return pieces
