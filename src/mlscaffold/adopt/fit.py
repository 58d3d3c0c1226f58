"""Which of the template's files stand on their own beside what a repository keeps, and which would only break it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mlscaffold.project.files import File, Verdict

PROJECT_FILE = "pyproject.toml"
IGNORE_FILE = ".gitignore"
_ATTRIBUTES_FILE = ".gitattributes"
_TESTS = "tests/"

SAME = "the same in both"


@dataclass(frozen=True)
class Fit:
    """What comes of the template's files.

    Attributes:
        files: the verdict on each of them, sorted by path.
        patterns: the files that are the user's from now on, as .mlscaffold-keep names them.
        notes: what the repository does not get, and how it would.
    """

    files: list[File]
    patterns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def fit_files(files: Iterable[File], package: str, *, crlf: bool) -> Fit:
    """Leave out what needs a file that is not there, as the user keeps another one in its place.

    Args:
        files: the verdict on each file if only places are looked at.
        package: the folder of the template's code.
        crlf: whether the repository has text with Windows' line ends, which the template's settings would change.
    """
    fit = Fit(list(files))
    kept = {file.path for file in fit.files if file.verdict is Verdict.KEPT and file.note != SAME}
    folders: dict[str, str] = {}
    if any(path.startswith(f"{package}/") for path in kept):
        folders[f"{package}/"] = folders[_TESTS] = f"your {package} has modules of the same names"
        fit.notes.append(
            f"The template's code is left out, as your {package} has modules of the same names: adopt with --set"
            f" project_name=NAME to have it in a package beside yours, or with --replace {package} to take it."
        )
    if PROJECT_FILE in kept:
        folders[_TESTS] = f"they need what the template's {PROJECT_FILE} installs"
        fit.notes.append(
            f"Your {PROJECT_FILE} stays, so the template's tests are left out, and its commands and its image work once"
            f" the dependencies and scripts of the template are in there, too: `mlscaffold adopt --replace"
            f" {PROJECT_FILE}` takes its file."
        )
    if crlf:
        folders[_ATTRIBUTES_FILE] = "it would change the line ends of your files"
    for number, file in enumerate(fit.files):
        reason = next((reason for folder, reason in folders.items() if file.path.startswith(folder)), None)
        if reason and file.verdict is Verdict.ADDED:
            fit.files[number] = replace(file, verdict=Verdict.LEFT_OUT, note=reason)
    named = [*folders, *sorted(path for path in kept if not path.startswith(tuple(folders)))]
    fit.patterns.extend(f"/{_escape(name)}" for name in named)
    return fit


def merge_ignores(theirs: str, made: str) -> tuple[str, list[str]]:
    """A .gitignore with the template's rules added to the user's, and the rules that were added."""
    known = {line.strip().strip("/") for line in theirs.splitlines()}
    missing = [line for line in _rules(made) if line.strip("/") not in known]
    if not missing:
        return theirs, []
    start = theirs if not theirs or theirs.endswith("\n") else f"{theirs}\n"
    return f"{start}\n# What the template's commands make\n" + "".join(f"{line}\n" for line in missing), missing


def _rules(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _escape(path: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]!#\\ " else letter for letter in path)
