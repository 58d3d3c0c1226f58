"""Which of the template's files stand on their own beside what a repository keeps, and which would only break it."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from mlscaffold.adopt.infer import PROJECT_FILE, find_packages
from mlscaffold.project.files import File, Verdict, select

IGNORE_FILE = ".gitignore"
_ATTRIBUTES_FILE = ".gitattributes"
_PARAMS_FILE = "params.yaml"
_GITHUB_FILE = ".github/workflows/pipeline.yml"  # the one CI that can stand beside another one of its kind
_CI_FILES = {_GITHUB_FILE, ".gitlab-ci.yml", "azure-pipelines.yml"}
_TESTS = "tests/"
_README = re.compile(r"readme(\.\w+)?", re.IGNORECASE)
_TEST_FILE = re.compile(r"(.*/)?(test_[^/]*|[^/]*_test)\.py")

SAME = "the same in both"


@dataclass(frozen=True)
class Fit:
    """What comes of the template's files.

    Attributes:
        files: the verdict on each of them, sorted by path.
        patterns: the files that are the user's from now on, as .mlscaffold-keep names them.
        notes: what the repository does not get, and how it would.
        asked_for: the files that would have been left out if they were not wanted.
    """

    files: list[File]
    patterns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asked_for: set[str] = field(default_factory=set)


def fit_files(
    files: Iterable[File],
    theirs: Collection[str],
    package: str,
    wanted: Collection[str],
    *,
    setup: str | None,
    crlf: bool,
) -> Fit:
    """Leave out what needs a file that is not there, as the user keeps another one in its place.

    Args:
        files: the verdict on each file if only places are looked at.
        theirs: the files of the repository.
        package: the folder of the template's code.
        wanted: files of the template that are taken in any case.
        setup: the file of the repository that says how it is installed; None if there is none.
        crlf: whether the repository has text with Windows' line ends, which the template's settings would change.
    """
    fit = Fit(list(files))
    kept = {file.path for file in fit.files if file.verdict is Verdict.KEPT and file.note != SAME}
    reasons = dict(_explain_code(kept, theirs, package, fit.notes))
    reasons |= _explain_environment(kept, theirs, wanted, setup, fit.notes)
    if crlf:
        reasons[_ATTRIBUTES_FILE] = "it would change the line ends of your files"
    for number, file in enumerate(fit.files):
        reason = next((reason for place, reason in reasons.items() if file.path.startswith(place)), None)
        if reason and file.verdict is Verdict.ADDED and file.path in wanted:
            fit.asked_for.add(file.path)
        elif reason and file.verdict is Verdict.ADDED:
            fit.files[number] = replace(file, verdict=Verdict.LEFT_OUT, note=reason)
    left_out = {file.path for file in select(fit.files, Verdict.LEFT_OUT)}
    added = {file.path for file in select(fit.files, Verdict.ADDED)}
    if _CI_FILES & added and any(path.endswith(".py") for path in theirs):
        fit.notes.append("The added CI checks your code, too: run `scripts/check` on the branch before you merge it.")
    places = [place for place in reasons if any(path.startswith(place) for path in left_out)]
    whole = tuple(place for place in places if not any(path.startswith(place) for path in fit.asked_for))
    named = [*whole, *sorted(path for path in kept | left_out if not path.startswith(whole))]
    fit.patterns.extend(f"/{_escape(name)}" for name in named)
    return fit


def _explain_code(
    kept: Collection[str], theirs: Collection[str], package: str, notes: list[str]
) -> Iterator[tuple[str, str]]:
    """Why the template's code cannot be there, by the folder."""
    rival = find_packages(theirs).get(package.rpartition("/")[2], package)
    beside = "adopt with --set project_name=NAME to have it in a package beside yours"
    if any(path.startswith(f"{package}/") for path in kept):
        reason = f"your {package} has modules of the same names"
        notes.append(f"The template's code is left out, as {reason}: {beside}, or with --replace {package} to take it.")
    elif rival != package:
        reason = f"your package in {rival} has the same name"
        notes.append(
            f"The template's code is left out, as {reason} as its {package}, and Python takes only one of them:"
            f" {beside}, or `git mv {rival} {package}`, commit, and adopt again."
        )
    else:
        return
    yield f"{package}/", reason
    yield _TESTS, reason


def _explain_environment(
    kept: Collection[str], theirs: Collection[str], wanted: Collection[str], setup: str | None, notes: list[str]
) -> Iterator[tuple[str, str]]:
    """Why files cannot be there that need what another environment installs, by their place."""
    if setup and setup != PROJECT_FILE:
        yield PROJECT_FILE, f"your {setup} says how this repository is installed and tested"
    if setup and PROJECT_FILE not in wanted and (PROJECT_FILE in kept or setup != PROJECT_FILE):
        reason = f"your {setup} says what is installed"
        yield _GITHUB_FILE, reason
        for path in filter(_README.fullmatch, theirs):
            yield "README.md", f"your {path} tells what this is"
        yield _TESTS, reason
        notes.append(
            f"Your {setup} stays, so the template's tests are left out, and its commands, its image and its CI work"
            f" once the dependencies and scripts of the template's {PROJECT_FILE} are in there, too: `mlscaffold adopt"
            f" --replace {PROJECT_FILE} --replace tests` takes its files."
        )
    elif any(map(_TEST_FILE.fullmatch, theirs)):
        yield _TESTS, "your tests run without what these need"
        if not any(path.startswith(_TESTS) for path in wanted):
            notes.append(
                "The template's tests are left out, as yours run in an environment without what these need: `mlscaffold"
                " adopt --replace tests` adds them, and `uv run pytest` runs them all."
            )
    if not setup and PROJECT_FILE not in theirs and "requirements.txt" in theirs:
        notes.append(
            f"The template's {PROJECT_FILE} lists what the template needs: `uv add -r requirements.txt` adds what you"
            " need."
        )
    if _PARAMS_FILE in kept:
        yield _TESTS, f"your {_PARAMS_FILE} has other settings"
        notes.append(
            f"Your {_PARAMS_FILE} stays, and the template's commands read their settings from a file of that name:"
            f" `mlscaffold adopt --replace {_PARAMS_FILE}` takes its file."
        )


def merge_ignores(theirs: str, made: str) -> tuple[str, list[str]]:
    """A .gitignore with the template's rules added to the user's, and the rules that were added."""
    known = {line.strip().strip("/") for line in theirs.splitlines()}
    rules = (line.strip() for line in made.splitlines() if line.strip() and not line.startswith("#"))
    missing = [rule for rule in rules if rule.strip("/") not in known]
    if not missing:
        return theirs, []
    start = theirs if not theirs or theirs.endswith("\n") else f"{theirs}\n"
    return f"{start}\n# What the template's commands make\n" + "".join(f"{line}\n" for line in missing), missing


def _escape(path: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]!#\\ " else letter for letter in path)
