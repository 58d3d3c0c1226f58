"""Every combination of answers that a template offers, the paths that each one writes, and what each file depends on.

All of it is computed from ``copier.yml`` and the names below ``template/``, without rendering a project, so its cost
grows with the number of files and combinations and stays below a second for hundreds of them. A file's content is a
pure function of the answers that it reads; :mod:`tests.template.assembly` renders each file once per distinct set of
them.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, Undefined, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

Answer = str | bool | int | float
Values = tuple[Answer, ...]

SUFFIX = ".jinja"
ANSWERS_FILE = "{{ _copier_conf.answers_file }}" + SUFFIX
"""The one source that may read what Copier knows; it holds every answer, so it is left out of the analysis."""

_EXPRESSION = re.compile(r"\{\{ (\w+) \}\}")
_UNPORTABLE = re.compile(r'["|<>:*?\\]')
_FALSE = {"", "0", "n", "no", "f", "false", "off", "~", "null", "none"}


class DefectError(Exception):
    """The template is built in a way that cannot be proven; the message says what and where."""


class RefusedError(Exception):
    """An answer is refused; the message is the sentence that the user reads."""


class _UniqueKeyLoader(yaml.CSafeLoader):
    """YAML as everyone reads it, except that a key given twice is an error instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        merge = "tag:yaml.org,2002:merge"  # `<<`, for whose values a key of one's own may stand in
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != merge]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> list[Any]:
    """Return the documents of *text*. Raises ``yaml.YAMLError``, also for a key given twice."""
    return list(yaml.load_all(text, Loader=_UniqueKeyLoader))


@dataclass(frozen=True)
class Choice:
    """One choice of a question; ``validator`` renders to the reason for which it cannot be chosen, or to nothing."""

    value: Answer
    validator: str = ""


@dataclass(frozen=True)
class Question:
    """A question of ``copier.yml``; a computed answer is a question that is never asked (``when: false``)."""

    name: str
    kind: str
    choices: tuple[Choice, ...]
    default: Any
    when: str | bool
    validator: str
    spec: Mapping[str, Any]

    @classmethod
    def parse(cls, name: str, spec: Mapping[str, Any]) -> Question:
        """Read one question. Raises :class:`DefectError` for what cannot be enumerated from the file alone."""
        kind = str(spec.get("type", ""))
        if kind not in _CASTS:
            raise DefectError(f"copier.yml: {name} needs `type`, one of {', '.join(_CASTS)}")
        if spec.get("multiselect"):
            raise DefectError(f"copier.yml: {name} is a multiselect; ask one question for each of its choices")
        if "default" not in spec:
            raise DefectError(f"copier.yml: {name} has no default")
        return cls(
            name=name,
            kind=kind,
            choices=_choices(name, kind, spec.get("choices")),
            default=spec["default"],
            when=spec.get("when", True),
            validator=spec.get("validator", ""),
            spec=spec,
        )

    @property
    def computed(self) -> bool:
        """Whether nobody is ever asked."""
        return self.when is False

    @property
    def expressions(self) -> Iterator[str]:
        """Every text of the question that Copier renders."""
        texts = (self.default, self.when, self.validator, self.spec.get("help"), self.spec.get("placeholder"))
        yield from (text for text in texts if isinstance(text, str))
        yield from (choice.validator for choice in self.choices)


@dataclass(frozen=True, eq=False)
class Combination:
    """One valid set of answers.

    ``asked`` maps the questions that were answered, not left to their defaults: what a user would pass as data.
    ``answers`` maps every question, free texts (their defaults) and computed answers included.
    """

    asked: Mapping[str, Answer]
    answers: Mapping[str, Answer]

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.asked.items()) or "the only combination"


@dataclass(frozen=True)
class Source:
    """A file below ``template/``; ``reads`` names the answers that its path and its content are made from."""

    path: PurePosixPath
    path_reads: tuple[str, ...]
    reads: tuple[str, ...]

    @property
    def is_template(self) -> bool:
        """Whether Copier renders the content, instead of copying it."""
        return self.path.name.endswith(SUFFIX)

    def key(self, combination: Combination) -> Values:
        """Return the values that decide this file's path and content."""
        return tuple(combination.answers[name] for name in self.reads)


class Template:
    """A template on disk, whose ``copier.yml`` is in ``root``. Raises :class:`DefectError` as it is read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (config,) = load_yaml((root / "copier.yml").read_text(encoding="utf-8"))
        self.config: dict[str, Any] = config
        self.folder: Path = root / config.get("_subdirectory", ".")
        self.questions = tuple(Question.parse(n, spec) for n, spec in config.items() if not n.startswith("_"))
        self.environment = _environment(root, dict(config.get("_envops", {})))
        self._names_read: dict[str, frozenset[str]] = {}
        self._paths: dict[tuple[Source, Values], PurePosixPath | None] = {}
        self._compiled: dict[str, JinjaTemplate] = {}

    @cached_property
    def layers(self) -> dict[str, tuple[str, Answer]]:
        """Computed answers that are layers, ``<question>_<choice>``, with the question and the choice of each.

        The question may itself be a computed answer, whose choices are the values that it can have.
        """
        computed = {question.name for question in self.questions if question.computed}
        named = {
            f"{question.name}_{str(value).lower()}": (question.name, value)
            for question in self.questions
            for value in self._values_of(question)
        }
        for question in self.questions:
            if question.computed:  # such an answer may own layers, too: what several choices share
                values = {combination.answers[question.name] for combination in self.combinations}
                named |= {f"{question.name}_{str(value).lower()}": (question.name, value) for value in values}
        return {name: of for name, of in named.items() if name in computed}

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every file below ``template/`` that is not excluded and is not the answers file."""
        known = {question.name for question in self.questions}
        found = []
        for path in self.files:
            if path.name == ANSWERS_FILE:
                continue
            in_path = self.names_read(str(path))
            in_content = self.names_read(self.text_of(path)) if path.name.endswith(SUFFIX) else frozenset()
            found.append(Source(path, tuple(sorted(in_path & known)), tuple(sorted((in_path | in_content) & known))))
        return tuple(found)

    @cached_property
    def files(self) -> tuple[PurePosixPath, ...]:
        """Every file below ``template/`` that Copier would look at, in a fixed order."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file() or path.is_symlink())
        relative = (PurePosixPath(path.relative_to(self.folder).as_posix()) for path in paths)
        excluded = self.config.get("_exclude", [])
        return tuple(path for path in relative if not any(fnmatch(p, e) for p in path.parts for e in excluded))

    @cached_property
    def combinations(self) -> tuple[Combination, ...]:
        """Every valid combination of the choice questions, in the order of ``copier.yml``.

        A question that is not asked keeps its default, as in Copier. Raises :class:`DefectError` when a default is
        refused by the question's own validator, or an expression cannot be rendered.
        """
        return tuple(self._extend(0, {}, {}))

    def answer(self, given: Mapping[str, Answer]) -> Combination:
        """Return the combination of a user who answers *given* and takes the default of every other question.

        Raises :class:`RefusedError` with the sentence of the validator that refuses one of the answers.
        """
        asked: dict[str, Answer] = {}
        answers: dict[str, Answer] = {}
        for question in self.questions:
            is_asked = not question.computed and _truth(self._expand(question, question.when, answers))
            chosen = given[question.name] if question.name in given else self._default(question, answers)
            answers[question.name] = chosen
            if is_asked:
                asked[question.name] = chosen
                if refusal := self._refusal(question, "", answers, answers):
                    raise RefusedError(refusal)
        return Combination(asked, answers)

    def accepts(self, given: Mapping[str, Answer]) -> bool:
        """Return whether :meth:`answer` refuses nothing in *given*."""
        try:
            self.answer(given)
        except RefusedError:
            return False
        return True

    def text_of(self, path: PurePosixPath) -> str:
        """Return what the file at *path* below ``template/`` holds. Raises ``UnicodeDecodeError``."""
        return (self.folder / path).read_text(encoding="utf-8")

    def render(self, text: str, answers: Mapping[str, Answer]) -> str:
        """Render *text* as Copier does; each text is compiled once. Raises ``jinja2.TemplateError``."""
        if "{" not in text:
            return text
        if text not in self._compiled:
            self._compiled[text] = self.environment.from_string(text)
        return self._compiled[text].render(answers)

    def path_of(self, source: Source, combination: Combination) -> PurePosixPath | None:
        """Return where *source* lands in the project, or None if it is left out."""
        key = (source, tuple(combination.answers[name] for name in source.path_reads))
        if key not in self._paths:
            name = str(source.path).removesuffix(SUFFIX) if source.is_template else str(source.path)
            parts = [self.render(part, combination.answers) for part in PurePosixPath(name).parts]
            self._paths[key] = PurePosixPath(*parts) if all(parts) else None
        return self._paths[key]

    def names_read(self, text: str) -> frozenset[str]:
        """Return the names that *text* takes from its context, itself or through the partials that it uses.

        A partial must take what is not an answer as a macro's parameter, or it is counted here. Where a choice names
        the partial, what is read is all that those of the choices read.
        Raises :class:`DefectError` if the name is computed otherwise, for then nobody can know what is read.
        """
        if text not in self._names_read:
            self._names_read[text] = frozenset()  # a partial may include itself
            tree = self.environment.parse(text)
            names = set(find_undeclared_variables(tree))
            kinds: Any = (nodes.Extends, nodes.FromImport, nodes.Import, nodes.Include)
            for reference in tree.find_all(kinds):
                partials = self._partials(reference.template)
                if not partials:
                    raise DefectError(f"an include whose name is computed: {text.strip()[:80]!r}")
                for partial in partials:
                    names |= self.names_read((self.root / partial).read_text(encoding="utf-8"))
            self._names_read[text] = frozenset(names)
        return self._names_read[text]

    def questions_behind(self, names: Iterable[str]) -> frozenset[str]:
        """Return the questions with choices on which *names* depend, through computed answers as well."""
        questions = {question.name: question for question in self.questions}
        behind: set[str] = set()
        seen: set[str] = set()
        queue = [name for name in names if name in questions]
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            question = questions[name]
            if question.choices and not question.computed:
                behind.add(name)
            decisive = [question.when, question.default, *(choice.validator for choice in question.choices)]
            read = (self.names_read(text) for text in decisive if isinstance(text, str))
            queue += [other for others in read for other in others if other in questions]
        return frozenset(behind)

    def describe(self, source: Source, combination: Combination) -> str:
        """Return the answers of *combination* that matter to *source*, for a message."""
        behind = self.questions_behind(source.reads)
        return ", ".join(f"{n}={combination.answers[n]}" for n in sorted(behind)) or "always"

    def _partials(self, name: nodes.Expr) -> list[str]:
        """Return the partials that an include may name: one, or one for each choice as in ``'ci/' ~ ci ~ '.jinja'``."""
        match name:
            case nodes.Const(value=str(partial)):
                return [partial]
            case nodes.Concat(nodes=[nodes.Const(value=start), nodes.Name(name=answer), nodes.Const(value=end)]):
                asked = (question for question in self.questions if question.name == answer)
                names = [f"{start}{choice.value}{end}" for question in asked for choice in question.choices]
                return [partial for partial in names if (self.root / partial).is_file()]
        return []

    def _values_of(self, question: Question) -> list[Answer]:
        """Return the values that a choice or a computed answer can have, in the order in which they occur."""
        if question.computed:
            return list(dict.fromkeys(combination.answers[question.name] for combination in self.combinations))
        return [choice.value for choice in question.choices]

    def _extend(self, index: int, asked: dict[str, Answer], answers: dict[str, Answer]) -> Iterator[Combination]:
        if index == len(self.questions):
            yield Combination(asked, answers)
            return
        question = self.questions[index]
        if question.computed or not _truth(self._expand(question, question.when, answers)):
            value = self._default(question, answers)
            yield from self._extend(index + 1, asked, {**answers, question.name: value})
        elif question.choices:
            for choice in question.choices:
                chosen = {**answers, question.name: choice.value}
                if not self._refusal(question, choice.validator, answers, chosen):
                    yield from self._extend(index + 1, {**asked, question.name: choice.value}, chosen)
        else:
            answered = {**answers, question.name: self._default(question, answers)}
            if refusal := self._refusal(question, "", answers, answered):
                raise DefectError(f"copier.yml: the default of {question.name} is refused: {refusal}")
            yield from self._extend(index + 1, asked, answered)

    def _refusal(
        self, question: Question, of_choice: str, before: Mapping[str, Answer], after: Mapping[str, Answer]
    ) -> str:
        refusals = self._expand(question, of_choice, before), self._expand(question, question.validator, after)
        return "".join(str(refusal).strip() for refusal in refusals)

    def _default(self, question: Question, answers: Mapping[str, Answer]) -> Answer:
        value: Answer = _CASTS[question.kind](self._expand(question, question.default, answers))
        return value

    def _expand(self, question: Question, value: Any, answers: Mapping[str, Answer]) -> Any:
        try:
            return self.render(value, answers) if isinstance(value, str) else value
        except TemplateError as error:
            raise DefectError(f"copier.yml: {question.name}: {error.message}") from error


def layout_problems(template: Template) -> list[str]:
    """Return what is wrong with the names below ``template/`` and with its layers, one sentence for each defect."""
    return [
        *_name_problems(template),
        *_layer_problems(template),
        *_reading_problems(template),
        *_path_problems(template),
    ]


def _name_problems(template: Template) -> Iterator[str]:
    files = set(template.files)
    for path in template.files:
        if path.with_name(path.name + SUFFIX) in files:
            yield f"{path} stands beside {path.name}{SUFFIX}: one of them is never used"
        if (template.folder / path).is_symlink():
            yield f"{path} is a symbolic link, which Copier writes as a file"
        if "src" in path.parts and path.name.endswith(".py" + SUFFIX):
            yield f"{path} is Python with Jinja in it: let two options be two files in two layers"
        if any(part.startswith("@") for part in path.parts):
            yield f"{path} has a part that begins with @, which marks layers when paths are traced to them"
        if _UNPORTABLE.search(str(path)) or "{%" in str(path):
            yield f"{path} has a name that Windows cannot hold or a condition in it"
    for hiding in sorted(template.root.glob("*" + SUFFIX)):
        yield f"{hiding.name} at the repository's root would hide a generated file of that name"


def _layer_problems(template: Template) -> Iterator[str]:
    used: set[str] = set()
    for path in template.files:
        expressions = [match[1] if (match := _EXPRESSION.fullmatch(part)) else None for part in path.parts[:-1]]
        layers = [name in template.layers for name in expressions]
        used |= {name for name in expressions if name in template.layers}
        if layers != sorted(layers, reverse=True):
            yield f"{path}: layer folders come first in a path"
        for name, is_layer in zip(expressions, layers, strict=True):
            if name and not is_layer and any(c.answers.get(name) in ("", ".") for c in template.combinations):
                yield f"{path}: {name} is used as a layer, but no question and choice give it that name"
    for name in template.layers.keys() - used:
        yield f"copier.yml: {name} is a layer without a folder"
    for name, (question, choice) in template.layers.items():
        for combination in template.combinations:
            wanted = "." if combination.answers[question] == choice else ""
            if combination.answers[name] != wanted:
                yield f"copier.yml: {name} must be {wanted!r} with {combination}, not {combination.answers[name]!r}"
                break


def _reading_problems(template: Template) -> Iterator[str]:
    known = {question.name for question in template.questions}
    layers = template.layers.keys()
    texts = {f"template/{s.path}": template.text_of(s.path) for s in template.sources if s.is_template}
    texts |= {f"the name {s.path}": str(s.path) for s in template.sources}
    texts |= {f"copier.yml: {q.name}": "\n".join(q.expressions) for q in template.questions}
    for where, text in texts.items():
        read = template.names_read(text)
        for name in sorted(read - known):
            yield f"{where} reads {name}, which no question defines"
        if not where.startswith("the name"):
            for name in sorted(read & layers):
                yield f"{where} reads the layer {name}; only folder names may"


def _path_problems(template: Template) -> Iterator[str]:
    unused = set(template.sources)
    collisions: dict[tuple[Source, ...], str] = {}
    hidden: set[PurePosixPath] = set()
    for combination in template.combinations:
        by_path: dict[str, list[Source]] = defaultdict(list)
        for source in template.sources:
            path = template.path_of(source, combination)
            if path is not None:
                unused.discard(source)
                # Windows and macOS hold one of two names that differ in case only.
                by_path[str(path).lower()].append(source)
                hidden.add(path)
        for path_name, sources in by_path.items():
            if len(sources) > 1:
                names = " and ".join(str(source.path) for source in sources)
                collisions.setdefault(tuple(sources), f"{names} both write {path_name} with {combination}")
    yield from collisions.values()
    yield from (f"{source.path} is written by no combination" for source in sorted(unused, key=lambda s: s.path))
    for path in sorted(hidden):
        # Copier looks for a rendered path's template at the repository's root, and skips the file if there is one.
        if (template.root / f"{path}{SUFFIX}").exists():
            yield f"{path} is never written: {path}{SUFFIX} of the repository hides it"


def _environment(root: Path, envops: dict[str, Any]) -> SandboxedEnvironment:
    """Build what Copier renders with, from public parts; the whole renders prove that both agree."""
    undefined = {"jinja2.StrictUndefined": StrictUndefined}.get(envops.pop("undefined", ""), Undefined)
    envops.setdefault("keep_trailing_newline", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two of the filters have names that Jinja uses already
        return SandboxedEnvironment(
            loader=FileSystemLoader(root),
            extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
            undefined=undefined,
            **envops,
        )


def _choices(name: str, kind: str, raw: Any) -> tuple[Choice, ...]:
    if raw is None:
        return (Choice(value=True), Choice(value=False)) if kind == "bool" else ()
    if isinstance(raw, str):
        raise DefectError(f"copier.yml: the choices of {name} are computed; write them out, and use validators")
    values = raw.values() if isinstance(raw, dict) else (c[1] if isinstance(c, list) else c for c in raw)
    return tuple(Choice(v["value"], v.get("validator", "")) if isinstance(v, dict) else Choice(v) for v in values)


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _FALSE
    return bool(value)


_CASTS: dict[str, Any] = {"str": str, "bool": _truth, "int": int, "float": float}
