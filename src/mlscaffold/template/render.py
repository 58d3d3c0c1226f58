"""The one place that calls Copier: first for the answers alone, then for the files."""

import json
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlscaffold.errors import AnswerError, MlscaffoldError, TemplateError
from mlscaffold.system.workspace import open_workspace
from mlscaffold.template.jinja import compile_once
from mlscaffold.template.layers import find_layers, read_layers, stage_questions, stage_template
from mlscaffold.template.questions import Questionnaire
from mlscaffold.template.source import PARTS, Origin

ANSWERS_FILE = ".copier-answers.yml"

_INVALID_ANSWER = re.compile(r"(?:Validation error for question|Invalid choice for) '(\w+)': (.*)", re.DOTALL)
_LISTING = "mlscaffold-answers.json"
_SKIPPED = "mlscaffold-skipped.txt"
_BRACES = (("start", "{{"), ("end", "}}"))
# What git takes for a repository, on any file system: with other letters, as a short name, with what some leave out.
_GIT = re.compile(r"\.git[ .]*(:.*)?|git~\d+", re.IGNORECASE | re.DOTALL)
_INVISIBLE = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


@dataclass(frozen=True)
class Template:
    """What is rendered.

    Attributes:
        root: the folder of copier.yml.
        questionnaire: its questions.
        origin: what projects record about it.
        trusted: whether it is this installation's own, so that what it makes may be run.
    """

    root: Path
    questionnaire: Questionnaire
    origin: Origin
    trusted: bool = False

    @property
    def files(self) -> Path:
        """The folder of what is rendered."""
        folder = self.root / str(self.questionnaire.settings.get("_subdirectory") or "")
        return folder if folder.is_dir() else self.root  # its name may be an expression

    @property
    def suffix(self) -> str:
        """How the names of files that are rendered end; what Copier takes unless the template says otherwise."""
        return str(self.questionnaire.settings.get("_templates_suffix", ".jinja"))


@dataclass(frozen=True)
class Answers:
    """Answers that the template takes.

    Attributes:
        folder: the name of the project's folder, which templates may ask for.
        given: final answers, as they were given, asked for or found.
        defaults: better defaults than the template's own.
        recorded: an answers file whose answers hold where no other is given; None for a new project.
        answered: what the project will record.
        everything: all answers, computed ones included.
        skipped: patterns of the files that are not the template's any more once they are there.
    """

    folder: str
    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    recorded: bytes | None
    answered: Mapping[str, Any]
    everything: Mapping[str, Any]
    skipped: Sequence[str] = ()


def settle_answers(
    template: Template,
    folder: str,
    given: Mapping[str, Any],
    *,
    defaults: Mapping[str, Any] | None = None,
    recorded: bytes | None = None,
) -> Answers:
    """Find out all answers, without rendering any file of the project.

    Args:
        template: what asks.
        folder: the name of the project's folder.
        given: final answers.
        defaults: better defaults than the template's own.
        recorded: an answers file whose answers are the defaults, unless they are not valid any more.

    Raises:
        AnswerError: an answer or a default is not valid.
        TemplateError: the template is broken.
    """
    settings = template.questionnaire.settings
    files, operators = str(settings.get("_subdirectory") or ""), settings.get("_envops") or {}
    start, end = (operators.get(f"variable_{which}_string", default) for which, default in _BRACES)
    names = ", ".join(f'"{name}": {name}' for name in template.questionnaire.questions)
    with open_workspace() as workspace:
        asking, made = workspace / "template", workspace / "made" / folder
        stage_questions(template.root, asking, files)
        (asking / files).mkdir(parents=True, exist_ok=True)
        for name, text in (
            (_LISTING, f'{start} {{"recorded": dict(_copier_answers), "everything": {{{names}}}}} | to_json {end}'),
            (_SKIPPED, "\n".join(map(str, settings.get("_skip_if_exists") or ()))),
        ):
            (asking / files / f"{name}{template.suffix}").write_text(text, "utf-8")
        _call_copier(template, asking, made, given, defaults or {}, recorded)
        content = json.loads((made / _LISTING).read_text("utf-8"))
        skipped = (made / _SKIPPED).read_text("utf-8").splitlines()
    answered = {name: value for name, value in content["recorded"].items() if not name.startswith("_")}
    return Answers(folder, given, defaults or {}, recorded, answered, content["everything"], skipped)


def settle_with_defaults(
    template: Template,
    folder: str,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    refuse: Callable[[AnswerError], None],
) -> Answers:
    """Find out all answers, without those of our better defaults that the template does not take.

    Args:
        template: what asks.
        folder: the name of the project's folder.
        given: final answers.
        defaults: better defaults than the template's own.
        refuse: told about each of them that the template does not take; it may raise.

    Raises:
        AnswerError: one of the answers is not valid.
        TemplateError: the template is broken.
    """
    left = {name: value for name, value in defaults.items() if name not in given}
    while True:
        try:
            return settle_answers(template, folder, given, defaults=left)
        except AnswerError as error:
            if error.question not in left:
                raise
            refuse(error)
            del left[error.question]


def asks_the_same(one: Template, other: Template) -> bool:
    """Whether two versions of a template have the same questions, so that the same answers come out."""
    return all(_read_all(one.root / part) == _read_all(other.root / part) for part in PARTS[:-1])


def _read_all(place: Path) -> dict[str, bytes]:
    paths = [place, *place.rglob("*")]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def render(template: Template, into: Path, answers: Answers, exclude: Sequence[str] = ()) -> None:
    """Render a project, with those layers only that its answers switch on.

    Args:
        template: what to render.
        into: the folder to write, named as the answers say; absent or empty.
        answers: all of them, settled.
        exclude: patterns of files that are left out.

    Raises:
        TemplateError: the template is broken, or makes what git would take for a repository.
        OSError: the disk is full, or the like.
    """
    layers = find_layers(template.files, template.questionnaire.all_layers)
    inactive = {name for name in layers if answers.everything[name] == ""}
    active = {name for name in layers if answers.everything[name] == "."}
    with open_workspace() as workspace:
        staged = workspace / "template"
        stage_template(template.root, staged, inactive, active, suffix=template.suffix)
        _call_copier(template, staged, into, answers.given, answers.defaults, answers.recorded, exclude)
    _refuse_repositories(into)


def trace_layers(template: Template, answers: Answers, *, every: bool = False) -> dict[str, tuple[str, ...]]:
    """The layers of each path that a template makes: rendered once more, with layers that stay folders.

    Args:
        template: what to look at.
        answers: all of them, settled.
        every: whether to look at the layers that are not switched on, too.
    """
    layers = find_layers(template.files, template.questionnaire.all_layers)
    shown = {name for name in layers if every or answers.everything[name] != ""}
    given = {**answers.given, **{name: f"@{name}" for name in shown}}
    with open_workspace() as workspace:
        staged, into = workspace / "template", workspace / "traced" / answers.folder
        stage_template(template.root, staged, layers - shown, empty=True)
        _call_copier(template, staged, into, given, answers.defaults, answers.recorded)
        return dict(read_layers(into))


def _call_copier(
    template: Template,
    root: Path,
    into: Path,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    recorded: bytes | None,
    exclude: Sequence[str] = (),
) -> None:
    # Half of `new`'s time is the import of these.
    import copier
    import jinja2
    import plumbum
    from copier.errors import CopierError, UnsafeTemplateError

    if recorded is not None:
        into.mkdir(parents=True, exist_ok=True)
        (into / ANSWERS_FILE).write_bytes(recorded)
    origin = {"_src_path": template.origin.url, "_commit": template.origin.commit}
    try:
        # Without a git on the PATH Copier takes the folder as it is; with one it would check out a clone's newest tag,
        # and ask git about each file.
        with warnings.catch_warnings(), plumbum.local.env(PATH=str(root)), compile_once():
            warnings.simplefilter("ignore")  # advice for those who call Copier themselves
            copier.run_copy(
                str(root),
                into,
                data={**given, "mlscaffold_origin": origin},
                user_defaults=dict(defaults),
                defaults=True,
                exclude=exclude,
                overwrite=recorded is not None,
                quiet=True,
                settings=copier.Settings(),  # the user's own defaults for Copier are not for us
            )
    except UnsafeTemplateError as error:
        raise refuse_code(str(error).partition("\n")[0].rpartition(": ")[2].rstrip(".")) from error
    except (CopierError, jinja2.TemplateError) as error:
        raise TemplateError(f"The template cannot be rendered: {_sentence(error)}") from error
    except MemoryError as error:
        raise TemplateError("The template cannot be rendered: it takes more memory than there is.") from error
    except (ValueError, TypeError) as error:
        raise _explain(error) from error


def _refuse_repositories(folder: Path) -> None:
    """Raise TemplateError if git would take anything for a repository: the settings of one can run programs."""
    for path in folder.rglob("*"):
        if _GIT.fullmatch(_INVISIBLE.sub("", path.name)):
            raise TemplateError(
                f"The template makes {path.relative_to(folder).as_posix()}, which git would take for a repository:"
                " mlscaffold lets no template do that. Nothing was written."
            )


def _explain(error: Exception) -> MlscaffoldError:
    invalid = _INVALID_ANSWER.fullmatch(str(error))
    if invalid:
        return AnswerError(f"{invalid[1]}: {invalid[2].strip()}.", question=invalid[1])
    return AnswerError(f"The template does not take these answers: {_sentence(error).rstrip('.')}.")


def refuse_code(features: str) -> TemplateError:
    """The error of a template that wants to run code of its own."""
    return TemplateError(
        f"The template wants to run code of its own ({features}), which mlscaffold lets no template do. If you trust"
        " it, `copier copy --trust` and `copier update --trust` do that."
    )


def _sentence(error: Exception) -> str:
    where = f" ({error.name}, line {error.lineno})" if hasattr(error, "name") and hasattr(error, "lineno") else ""
    return (" ".join(str(error).split()) or type(error).__name__) + where
