"""The one place that calls Copier."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

from mlscaffold.errors import AnswerError, MlscaffoldError, StoppedError, TemplateError

_INVALID_ANSWER = re.compile(r"Validation error for question '(\w+)': (.*)", re.DOTALL)


def render(
    template: Path,
    into: Path,
    answers: Mapping[str, object],
    *,
    defaults: Mapping[str, object],
    ask: bool = False,
    pretend: bool = False,
) -> None:
    """Render a template as it lies there, also where it is a clone.

    Args:
        template: the folder of copier.yml.
        into: the folder to write; absent or empty.
        answers: final answers; nothing is asked for these.
        defaults: better defaults than the template's own. Copier refuses to ask a question whose default is invalid.
        ask: whether to ask, in the terminal, what `answers` does not have.
        pretend: only look at the answers, write nothing.

    Raises:
        AnswerError: an answer or a default is not valid; nothing was written.
        TemplateError: the template is broken.
        StoppedError: somebody pressed Ctrl-C at a question.
        OSError: the disk is full, or the like.
    """
    # Half of `new`'s time is the import of these.
    import copier
    import jinja2
    import plumbum
    from copier.errors import CopierAnswersInterrupt, CopierError

    try:
        # Without a git on the PATH Copier takes the folder as it is; with one it would check out a clone's newest tag,
        # and ask git about each file.
        with warnings.catch_warnings(), plumbum.local.env(PATH=str(template)):
            warnings.simplefilter("ignore")  # advice for those who call Copier themselves
            copier.run_copy(
                str(template),
                into,
                data=dict(answers),
                user_defaults=dict(defaults),
                defaults=not ask,
                exclude=["*"] if pretend else (),
                pretend=pretend,
                quiet=True,
                settings=copier.Settings(),  # the user's own defaults for Copier are not for us
            )
    except CopierAnswersInterrupt as error:
        raise StoppedError("Stopped; nothing was written.") from error
    except (CopierError, jinja2.TemplateError) as error:
        raise TemplateError(f"The template cannot be rendered: {_sentence(error)}") from error
    except ValueError as error:
        raise _explained(error) from error


def _explained(error: ValueError) -> MlscaffoldError:
    invalid = _INVALID_ANSWER.fullmatch(str(error))
    if invalid:
        return AnswerError(f"{invalid[1]}: {invalid[2].strip()}.", question=invalid[1])
    return AnswerError(f"{_sentence(error)}.")


def _sentence(error: Exception) -> str:
    where = f" ({error.name}, line {error.lineno})" if hasattr(error, "name") and hasattr(error, "lineno") else ""
    return (" ".join(str(error).split()) or type(error).__name__) + where
