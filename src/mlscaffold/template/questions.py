"""The questions as data, read from copier.yml without Copier: what is asked, what is allowed, what it brings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from mlscaffold.errors import AnswerError, TemplateError, reason

# The C loader reads copier.yml ten times as fast; PyYAML is sometimes built without it.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What Copier itself writes into an answers file: where the project came from.
COPIERS_OWN = frozenset({"_commit", "_src_path"})


@dataclass(frozen=True)
class Choice:
    """One of the values that a question takes; its label in copier.yml is "title: what it brings"."""

    value: str
    title: str
    brings: str

    @property
    def label(self) -> str:
        """Both, as copier.yml has them."""
        return f"{self.title}: {self.brings}" if self.brings else self.title


@dataclass(frozen=True)
class Question:
    """One question of copier.yml.

    Attributes:
        name: its key in answers.
        type: Copier's name of its type, such as "str".
        help: the question as a sentence.
        default: its default where all others have theirs; of what is computed, the Jinja expression.
        choices: what it takes; empty if anything goes that its validator lets through.
        computed: it is derived from other answers and never asked.
    """

    name: str
    type: str
    help: str
    default: Any
    choices: tuple[Choice, ...]
    computed: bool

    def check(self, value: object) -> None:
        """Raise AnswerError if the value has the wrong type or is not one of the choices."""
        if self.type == "str" and not isinstance(value, str):
            raise AnswerError(f"{self.name} takes text, not {value!r}; put it in quotes.", self.name)
        allowed = [choice.value for choice in self.choices]
        if allowed and value not in allowed:
            complaint = f"{self.name} cannot be {value!r}; {_one_of(allowed)}.{_did_you_mean(value, allowed)}"
            raise AnswerError(complaint, self.name)

    def owns(self, layer: str) -> bool:
        """Whether a name is that of a layer of this question."""
        choices = [f"{self.name}_{choice.value}" for choice in self.choices]
        return layer in choices or (self.computed and layer.startswith(f"{self.name}_"))


@dataclass(frozen=True)
class Questionnaire:
    """All questions of a template, in the order in which they are asked, and its settings, by their names."""

    questions: Mapping[str, Question]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions that a person may answer."""
        return tuple(question for question in self.questions.values() if not question.computed)

    @property
    def all_layers(self) -> frozenset[str]:
        """Names of the layers of all choices: computed answers named <question>_<choice>.

        What a computed question can become is not known, so all that begins with its name counts.
        """
        return frozenset(
            name
            for name, question in self.questions.items()
            if question.computed and any(owner.owns(name) for owner in self.questions.values())
        )

    def check(self, answers: Mapping[str, object]) -> None:
        """Raise AnswerError for a key that is unknown or computed and for a value that is not allowed.

        Validators are Jinja: Copier runs them when it renders.
        """
        names = [question.name for question in self.asked]
        for name, value in answers.items():
            question = self.questions.get(name)
            if question is None:
                raise AnswerError(
                    f"{name!r} is not a question of the template; `mlscaffold options` lists them all."
                    f"{_did_you_mean(name, names)}"
                )
            if question.computed:
                raise AnswerError(f"{name!r} cannot be set: it is computed from other answers.")
            question.check(value)


def read_questions(template: Path) -> Questionnaire:
    """Read the questions of the template in a folder; raise TemplateError if its copier.yml cannot be read."""
    path = template / "copier.yml"
    try:
        content = yaml.load(path.read_text("utf-8"), Loader)  # noqa: S506 (a safe loader, the fast one)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise TemplateError(f"The template's questions cannot be read from {path}: {reason(error)}") from error
    if not isinstance(content, dict):
        raise TemplateError(f"There are no questions in {path}.")
    entries = {str(name): entry for name, entry in content.items()}
    questions: dict[str, Question] = {}
    for name, entry in entries.items():
        if not name.startswith("_"):
            question = _question(name, entry)
            questions[name] = question if question.computed else _with_default(question, questions)
    return Questionnaire(
        questions,
        {name: entry for name, entry in entries.items() if name.startswith("_")},
    )


def read_answers(path: Path, *, with_origin: bool = False) -> dict[str, Any]:
    """Read answers from a YAML file; a project's own .copier-answers.yml will do.

    Args:
        path: the file.
        with_origin: whether to read what Copier itself writes, too.

    Raises:
        AnswerError: the file cannot be read, or is not a list of `question: answer` lines.
    """
    try:
        content = load_yaml(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AnswerError(f"The answers cannot be read from {path}: {reason(error)}") from error
    if not isinstance(content, dict):
        raise AnswerError(f"{path} has no `question: answer` lines.")
    return {str(name): value for name, value in content.items() if with_origin or name not in COPIERS_OWN}


def load_yaml(text: str) -> Any:
    """The content of a YAML text without aliases, which could make it larger than any memory.

    Raises:
        ValueError: it has an alias.
        yaml.YAMLError: it is no YAML.
    """
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader)):
        raise ValueError("it has an alias, such as *name: write the value itself")
    return yaml.load(text, Loader)  # noqa: S506 (a safe loader, the fast one)


def _question(name: str, entry: Any) -> Question:
    details = entry if isinstance(entry, dict) else {"default": entry}  # `name: default` is Copier's short form
    return Question(
        name=name,
        type=str(details.get("type", "str")),
        help=str(details.get("help", "")),
        default=details.get("default"),
        choices=tuple(_choices(details.get("choices", ()))),
        computed=details.get("when", True) is False,
    )


def _with_default(question: Question, before: Mapping[str, Question]) -> Question:
    """The question with a default that depends on the questions before it as it is for theirs."""
    if not isinstance(question.default, str) or "{{" not in question.default:
        return question
    from jinja2.sandbox import SandboxedEnvironment  # only for the few that depend on others

    defaults = {name: each.default for name, each in before.items()}
    return replace(question, default=SandboxedEnvironment().from_string(question.default).render(defaults))


def _choices(choices: Any) -> Iterable[Choice]:
    if isinstance(choices, str):  # a Jinja expression, which Copier evaluates
        return
    for label, value in choices.items() if isinstance(choices, dict) else zip(choices, choices, strict=True):
        title, _, brings = str(label).partition(": ")
        value = value["value"] if isinstance(value, dict) else value  # beside a validator
        yield Choice(str(value), title.strip(), brings.strip())


def _one_of(allowed: list[str]) -> str:
    return f"it must be {allowed[0]}" if len(allowed) == 1 else f"it must be one of {', '.join(allowed)}"


def _did_you_mean(word: object, known: list[str]) -> str:
    import difflib  # only when something is wrong already

    close = difflib.get_close_matches(str(word), known, n=1)
    return f" Did you mean {close[0]}?" if close else ""
