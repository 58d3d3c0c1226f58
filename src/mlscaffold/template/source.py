"""Which template, and where it comes from: the folder in the wheel, or the repository that this file lies in."""

import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from mlscaffold.errors import TemplateError
from mlscaffold.system import git

PARTS = ("copier.yml", "partials", "template")
ORIGIN_FILE = "origin.json"  # in the wheel and in the sdist, never in the repository
HISTORY_FILE = "history.bundle"  # likewise
EXPLORER_FILE = "explorer.html"  # in the wheel alone

_PACKAGE = Path(__file__).parents[1]
_EMBEDDED = _PACKAGE / "_template"
_REPOSITORY = _PACKAGE.parents[1]


@dataclass(frozen=True)
class Origin:
    """What a project records about its template.

    Attributes:
        url: the template's address, the same for everyone.
        commit: a tag or commit that can be fetched from there.
        modified: whether the template has changes that the commit does not contain.
    """

    url: str
    commit: str
    modified: bool = False

    @classmethod
    def of(cls, root: Path) -> Self:
        """Read what was recorded when the package was built; in a clone, ask git.

        Args:
            root: the folder of copier.yml.

        Raises:
            TemplateError: nothing was recorded and there is no history to ask.
        """
        recorded = root / ORIGIN_FILE
        if recorded.is_file():
            return cls(**json.loads(recorded.read_text("utf-8")))
        url = _read_url(root)
        if not (root / ".git").exists():
            raise TemplateError(
                f"{root} is neither a clone nor a release of mlscaffold, so projects made from it could never be"
                f" updated: clone {url} or install a release."
            )
        if not git.is_available():
            raise TemplateError(f"{root} is a clone, and its commit cannot be read without git: install git.")
        try:
            return cls(url, git.describe(root), modified=git.has_changes(root, *PARTS))
        except git.GitError as error:
            raise TemplateError(f"The commit of {root} cannot be read: {error}") from error

    def to_json(self) -> str:
        """The text of the file that `of` reads back."""
        return json.dumps(asdict(self), indent=2) + "\n"


def find_template() -> Path:
    """The folder of copier.yml that belongs to this installation; TemplateError if the installation is damaged."""
    for root in (_EMBEDDED, _REPOSITORY):
        if all((root / part).exists() for part in PARTS):
            return root
    raise TemplateError(f"There is no template in {_PACKAGE}: install mlscaffold again.")


def read_url() -> str:
    """The template's public address."""
    root = find_template()
    recorded = root / ORIGIN_FILE
    return str(json.loads(recorded.read_text("utf-8"))["url"]) if recorded.is_file() else _read_url(root)


def find_history() -> Path | None:
    """What git can clone to have the template's past: the bundle of a release, or the clone that this is."""
    root = find_template()
    bundle = (_EMBEDDED.parent if root == _EMBEDDED else root) / HISTORY_FILE
    if bundle.is_file():
        return bundle
    return root if (root / ".git").exists() else None


def find_explorer() -> Path:
    """The explorer's page: that of a release, or one made now from the clone that this is.

    Raises:
        TemplateError: it cannot be made.
    """
    page = _PACKAGE / EXPLORER_FILE
    if find_template() == _EMBEDDED and page.is_file():
        return page
    page = Path(tempfile.mkdtemp(prefix="mlscaffold-"), EXPLORER_FILE)  # stays: a browser reads it after we have ended
    command = [sys.executable, "-m", "docs.explorer.build", str(page)]
    done = subprocess.run(command, cwd=_REPOSITORY, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise TemplateError(f"The explorer cannot be made: {(done.stderr.splitlines() or ['unknown'])[-1]}")
    return page


def _read_url(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["urls"]["Repository"])
