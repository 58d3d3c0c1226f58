"""What the page knows: every combination of answers, and the piece of every file that each one writes.

A file's text is a pure function of the answers that it reads, so it is rendered once for each distinct set of them. The
data grows with the sum of the options, not with their product; only the list of combinations is as long as those.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from docs.explorer import highlight
from docs.explorer.marks import FORMS, NAME, PACKAGE, mark, mark_with_classes
from mlscaffold.template.source import Origin
from tests.template.assembly import pieces_of
from tests.template.combinations import ANSWERS_FILE, Answer, Combination, Question, Source, Template

ASKED_FREELY = "project_name"
"""The one free text that the page asks for. In the others quotes may be escaped, so that replacing would not do."""

COMPUTED_FROM_IT = {"project_slug", "package"}
"""The answers that `page.js` computes from the name, as `copier.yml` does."""


class UnsuitableError(Exception):
    """The template has something that the page cannot show truly; the message says what."""


@dataclass
class Table:
    """Distinct things by number, in the order in which they came."""

    rows: list[Any] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)

    def number_of(self, key: Any, row: Any) -> int:
        """Return the number of *key*; *row* is kept if it is new."""
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append(row)
        return self.numbers[key]


def collect(root: Path, origin: Origin) -> dict[str, Any]:
    """Return all that the page needs, ready for JSON.

    Args:
        root: the folder of ``copier.yml``.
        origin: what the answers file of a downloaded project is to record.

    Raises:
        UnsuitableError: a question that the page would have to ask, or to compute, in a way it does not know.
        UnknownFormError: a file holds the project's name in a form that the page cannot replace.
    """
    template = Template(root)
    template.questions = tuple(replace(q, default=NAME) if q.name == ASKED_FREELY else q for q in template.questions)
    _check(template)
    asked = [question for question in template.questions if question.choices and not question.computed]
    values = {question.name: [choice.value for choice in question.choices] for question in asked}
    defaults = template.answer({}).answers
    blobs, files = Table(), Table()
    pieces = _pieces(template, values, blobs, files)
    return {
        "origin": {"url": origin.url, "commit": origin.commit},
        "name": _name_question(template),
        "questions": [_question(question, values[question.name], defaults[question.name]) for question in asked],
        "combinations": [_row(combination, values) for combination in template.combinations],
        "pieces": pieces,
        "files": files.rows,
        "blobs": blobs.rows,
        "answers": _answers_file(template, origin, values),
    }


def _check(template: Template) -> None:
    free = {q.name for q in template.questions if not q.choices and not q.computed}
    if ASKED_FREELY not in free:
        raise UnsuitableError(f"copier.yml does not ask for {ASKED_FREELY}")
    for combination in template.combinations:
        if unasked := free - template.answer(combination.asked).asked.keys():
            raise UnsuitableError(f"{', '.join(sorted(unasked))} is not asked with {combination}")
    for question in template.questions:
        read = {name for text in question.expressions for name in template.names_read(text)} - {question.name}
        if question.computed and read & free and question.name not in COMPUTED_FROM_IT:
            raise UnsuitableError(f"page.js does not know how {question.name} is computed")
        if question.name in ("file", "compare", "sample"):
            raise UnsuitableError(f"{question.name} is a word of the explorer's own in links")


def _pieces(template: Template, values: dict[str, list[Answer]], blobs: Table, files: Table) -> list[list[Any]]:
    """Return ``[source, questions behind the path, questions behind path and text, {their answers: file}]`` of each."""
    found: dict[Source, dict[str, int]] = defaultdict(dict)
    behind = {s: sorted(template.questions_behind(s.reads), key=list(values).index) for s in template.sources}
    rendered: dict[Any, int] = {}
    for combination in template.combinations:
        for piece in pieces_of(template, combination):
            source = piece[0]
            key = ".".join(str(_number(combination.answers[name], values[name])) for name in behind[source])
            if piece not in rendered:
                rendered[piece] = _file(template, source, combination, blobs, files)
            if found[source].setdefault(key, rendered[piece]) != rendered[piece]:
                raise UnsuitableError(f"{source.path} depends on more than {', '.join(behind[source])}")
    numbers = {name: number for number, name in enumerate(values)}
    return [
        [
            mark(str(source.path)),
            sorted(numbers[name] for name in template.questions_behind(source.path_reads)),
            [numbers[name] for name in behind[source]],
            found[source],
        ]
        for source in sorted(found, key=lambda source: source.path)
    ]


def _file(template: Template, source: Source, combination: Combination, blobs: Table, files: Table) -> int:
    path = str(template.path_of(source, combination))
    original = template.folder / source.path
    if source.is_template:
        content = template.render(template.text_of(source.path), combination.answers).encode()
    else:
        content = original.read_bytes()
    executable = bool(original.stat().st_mode & 0o100)
    blob = blobs.number_of((path.rpartition(".")[2], content), _blob(path, content))
    marked = mark(path)
    return files.number_of((marked, blob, executable), [marked, blob, *([1] if executable else [])])


def _blob(path: str, content: bytes) -> list[str]:
    """Return ``[text, runs of colours]``, or ``[base64]`` of what is no text."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [base64.b64encode(content).decode()]
    marked, classes = mark_with_classes(text, highlight.classes_of(path, text))
    return [marked, highlight.runs_of(classes)]


def _question(question: Question, values: list[Answer], default: Answer) -> dict[str, Any]:
    raw = question.spec.get("choices")
    labels = [str(label) for label in raw] if isinstance(raw, dict) else [str(value) for value in values]
    return {
        "name": question.name,
        "help": question.spec.get("help", question.name),
        "default": default,
        "choices": [
            {"value": value, "title": label.partition(": ")[0], "brings": label.partition(": ")[2]}
            for value, label in zip(values, labels, strict=True)
        ],
    }


def _row(combination: Combination, values: dict[str, list[Answer]]) -> list[int]:
    """Return the number of each answer; where nobody is asked, -1 less the number of the answer that holds."""
    numbers = {name: _number(combination.answers[name], offered) for name, offered in values.items()}
    return [number if name in combination.asked else -1 - number for name, number in numbers.items()]


def _number(value: Answer, offered: list[Answer]) -> int:
    if value not in offered:
        raise UnsuitableError(f"a question that is not asked has the answer {value!r}, which is none of its choices")
    return offered.index(value)


def _name_question(template: Template) -> dict[str, Any]:
    (question,) = (question for question in template.questions if question.name == ASKED_FREELY)
    default = Template(template.root).answer({}).answers[ASKED_FREELY]
    return {
        "name": question.name,
        "help": question.spec.get("help", question.name),
        "default": default,
        "placeholder": question.spec.get("placeholder", default),
        "reserved": _reserved(template, question),
    }


def _reserved(template: Template, question: Question) -> dict[str, str]:
    """Return what the validator says of each package name that the template reserves, the name itself as its mark."""
    module = template.environment.get_template("partials/reserved.jinja").make_module({})
    words = {word for name in dir(module) if not name.startswith("_") for word in getattr(module, name)}
    said: dict[str, list[str]] = defaultdict(list)
    for word in sorted(words):
        sentence = template.render(question.validator, {question.name: word}).strip()
        if sentence:
            said[sentence.replace(f'"{word}"', f'"{FORMS[PACKAGE]}"')].append(word)
    return {sentence: " ".join(found) for sentence, found in said.items()}


def _answers_file(template: Template, origin: Origin, values: dict[str, list[Answer]]) -> dict[str, Any]:
    """Return the answers file in parts: its path, its head, and a line of YAML for each answer that it may hold."""
    (source,) = (path for path in template.files if path.name == ANSWERS_FILE)
    only: dict[str, Any] = {"_copier_answers": {"answer": 0}}
    head = template.render(template.text_of(source), only).removesuffix("answer: 0\n")
    defaults = template.answer({}).answers
    lines: dict[str, Any] = {
        "_commit": _yaml(template, {"_commit": origin.commit}),
        "_src_path": _yaml(template, {"_src_path": origin.url}),
    }
    for question in template.questions:
        if question.computed:
            continue
        name = question.name
        if name in values:
            lines[name] = [_yaml(template, {name: value}) for value in values[name]]
        else:
            lines[name] = mark(_yaml(template, {name: defaults[name]}))
    path = template.config.get("_answers_file", ".copier-answers.yml")
    return {"path": path, "source": str(source), "head": head, "lines": dict(sorted(lines.items()))}


def _yaml(template: Template, answer: dict[str, Answer]) -> str:
    context: dict[str, Any] = {"answer": answer}
    return template.render("{{ answer | to_nice_yaml }}", context)
