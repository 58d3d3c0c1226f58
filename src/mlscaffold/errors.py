"""What can go wrong in a way that the person at the keyboard can act on."""

import shutil


def reason(error: Exception) -> str:
    """What the system says, in a few words without a full stop."""
    if isinstance(error, shutil.Error):  # a list of all that could not be copied
        return str(error.args[0][0][-1])
    return (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())


class MlscaffoldError(Exception):
    """One sentence for people, and the exit code for scripts.

    Attributes:
        message: what is wrong and what to do, without a final newline.
        exit_code: what the process ends with; 1 for all that is refused or has failed, unless a class says more.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AnswerError(MlscaffoldError):
    """An answer has a key that is not a question, or a value that its question does not take.

    Attributes:
        question: the name of the question, where one value is to blame.
    """

    def __init__(self, message: str, question: str | None = None) -> None:
        super().__init__(message)
        self.question = question


class TargetError(MlscaffoldError):
    """A project cannot be put where it was asked for."""


class TemplateError(MlscaffoldError):
    """The template cannot be found, read or rendered."""


class StoppedError(MlscaffoldError):
    """Somebody pressed Ctrl-C or ended the process."""


class ProjectError(MlscaffoldError):
    """A project cannot be worked on as it is; nothing was changed."""


class BrokenProjectError(ProjectError):
    """A project has no answers file that can be read, or conflicts that nobody has resolved."""

    exit_code = 5
