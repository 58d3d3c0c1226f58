"""Which template, and where it comes from: the folder in the wheel, or the repository that this file lies in."""

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from mlscaffold import git
from mlscaffold.errors import TemplateError

PARTS = ("copier.yml", "partials", "template")
ORIGIN_FILE = "origin.json"  # in the wheel and in the sdist, never in the repository

_EMBEDDED = Path(__file__).parent / "_template"
_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Origin:
    """What a project records about its template.

    Attributes:
        url: the template's address, the same for everyone.
        commit: a tag or commit that can be fetched from there.
        modified: whether the template has changes that the commit does not contain; None if there is no git to ask.
    """

    url: str
    commit: str
    modified: bool | None = False

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
        url = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]
        if not (root / ".git").exists():
            raise TemplateError(
                f"{root} is neither a clone nor a release of mlscaffold, so projects made from it could never be"
                f" updated: clone {url} or install a release."
            )
        if not git.available():
            commit = git.head_without_git(root)
            if commit is None:
                raise TemplateError(f"The commit of {root} cannot be read without git: install git.")
            return cls(url, commit, modified=None)
        try:
            return cls(url, git.describe(root), modified=git.changed(root, *PARTS))
        except git.GitError as error:
            raise TemplateError(f"The commit of {root} cannot be read: {error}") from error

    def to_json(self) -> str:
        """The text of the file that `of` reads back."""
        return json.dumps(asdict(self), indent=2) + "\n"


def find() -> Path:
    """The folder of copier.yml that belongs to this installation; TemplateError if the installation is damaged."""
    for root in (_EMBEDDED, _REPOSITORY):
        if all((root / part).exists() for part in PARTS):
            return root
    raise TemplateError(f"There is no template beside {Path(__file__).parent}: install mlscaffold again.")
