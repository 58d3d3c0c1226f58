"""What a project says about itself: its answers file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlscaffold.errors import BrokenProjectError, ProjectError, reason
from mlscaffold.project.files import match_patterns
from mlscaffold.template.questions import load_yaml
from mlscaffold.template.render import ANSWERS_FILE

KEEP_FILE = ".mlscaffold-keep"

_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """What a project says about itself.

    Attributes:
        root: the folder of its answers file, absolute and without symbolic links.
        url: where its template comes from, as recorded.
        commit: the template's tag or commit that it is at, as recorded.
        answers: its answers, by the names of their questions.
    """

    root: Path
    url: str
    commit: str
    answers: Mapping[str, Any]

    @property
    def recorded(self) -> bytes:
        """Its answers file."""
        return (self.root / ANSWERS_FILE).read_bytes()


def read_keep(root: Path) -> Callable[[str], bool]:
    """What tells whether a file is the user's although the template has one there: a file in the project's root."""
    place = root / KEEP_FILE
    return match_patterns(place.read_text("utf-8", "surrogateescape").splitlines() if place.is_file() else ())


def find_project(path: str | None) -> Project:
    """The project in a folder; without a folder, the one that the current folder lies in.

    Raises:
        ProjectError: there is none.
        BrokenProjectError: its answers file cannot be used.
    """
    start = Path(path or ".").resolve()
    if not start.is_dir():
        raise ProjectError(f"{path} is not a folder.")
    for folder in (start,) if path else (start, *start.parents):
        if (folder / ANSWERS_FILE).is_file():
            return read_project(folder)
    raise ProjectError(
        f"{start} is no project of ours: it has no {ANSWERS_FILE}. Name the project's folder with --project, or"
        " restore that file from git."
    )


def read_project(folder: Path) -> Project:
    """The project in a folder; BrokenProjectError if its answers file cannot be used."""
    path = folder / ANSWERS_FILE
    try:
        text = path.read_text("utf-8")
        if _CONFLICT.search(text):
            raise BrokenProjectError(
                f"{path} has a conflict that is not resolved yet: edit it so that one version remains, and commit it."
            )
        content = load_yaml(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BrokenProjectError(f"{path} cannot be read ({reason(error)}): restore it from git.") from error
    if not isinstance(content, dict):
        raise BrokenProjectError(f"{path} has no `question: answer` lines: restore it from git.")
    for key in ("_src_path", "_commit"):
        if not isinstance(content.get(key), str) or not content[key] or not content[key].isprintable():
            raise BrokenProjectError(
                f"{path} does not say in {key} where the template comes from: restore it from git; without that"
                " nobody can tell what to update from."
            )
    answers = {str(name): value for name, value in content.items() if not str(name).startswith("_")}
    return Project(folder, content["_src_path"], content["_commit"], answers)
