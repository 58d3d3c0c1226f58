"""The one place that calls Copier."""

import contextlib
import io
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
    again: bool = False,
) -> None:
    """Render a template as it lies there, also where it is a clone.

    Args:
        template: the folder of copier.yml.
        into: the folder to write; absent or empty, but for an answers file if this is done `again`.
        answers: final answers; nothing is asked for these.
        defaults: better defaults than the template's own. Copier refuses to ask a question whose default is invalid.
        ask: whether to ask, in the terminal, what `answers` does not have.
        pretend: only look at the answers, write nothing.
        again: what the answers file in the folder says are the defaults, unless it is not valid any more.

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
    from copier.errors import CopierAnswersInterrupt, CopierError, UnsafeTemplateError

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
                overwrite=again,
                quiet=True,
                settings=copier.Settings(),  # the user's own defaults for Copier are not for us
            )
    except CopierAnswersInterrupt as error:
        raise StoppedError("Stopped; nothing was written.") from error
    except UnsafeTemplateError as error:
        raise _unsafe(error) from error
    except (CopierError, jinja2.TemplateError) as error:
        raise TemplateError(f"The template cannot be rendered: {_sentence(error)}") from error
    except ValueError as error:
        raise _explained(error) from error


def update(project: Path, answers: Mapping[str, object], version: str) -> None:
    """Do what `copier update` does, in a repository that may be thrown away.

    Args:
        project: the repository's root, with an answers file, all committed.
        answers: answers that change, or are new; those that are recorded hold, and the rest takes defaults.
        version: the tag or hash to update to.

    Raises:
        AnswerError: an answer is not valid.
        TemplateError: Copier cannot do it.
    """
    import copier
    import jinja2
    from copier.errors import CopierError, UnsafeTemplateError
    from plumbum import ProcessExecutionError

    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            copier.run_update(
                project,
                data=dict(answers),
                vcs_ref=version,
                defaults=True,
                overwrite=True,
                conflict="inline",
                quiet=True,
                settings=copier.Settings(),
            )
    except UnsafeTemplateError as error:
        raise _unsafe(error) from error
    except (CopierError, jinja2.TemplateError) as error:
        raise TemplateError(f"Copier cannot update the project: {_sentence(error)}") from error
    except ProcessExecutionError as error:
        raise TemplateError(f"Copier cannot update the project: {_last_line(error.stderr)}") from error
    except ValueError as error:
        raise _explained(error) from error


def _last_line(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "git failed").strip()


def _explained(error: ValueError) -> MlscaffoldError:
    invalid = _INVALID_ANSWER.fullmatch(str(error))
    if invalid:
        return AnswerError(f"{invalid[1]}: {invalid[2].strip()}.", question=invalid[1])
    return AnswerError(f"{_sentence(error)}.")


def _unsafe(error: Exception) -> TemplateError:
    features = str(error).partition("\n")[0].rpartition(": ")[2].rstrip(".")
    return TemplateError(
        f"The template wants to run code of its own ({features}), which mlscaffold lets no template do. If you trust"
        " it, `copier copy --trust` and `copier update --trust` do that."
    )


def _sentence(error: Exception) -> str:
    where = f" ({error.name}, line {error.lineno})" if hasattr(error, "name") and hasattr(error, "lineno") else ""
    return (" ".join(str(error).split()) or type(error).__name__) + where
