"""The template's past: every version of it as a repository on this machine.

Released packages carry a git bundle of it, so that projects are updated without a network. What a project records stays
the template's public address: anybody's plain `copier update` works.
"""

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlscaffold.errors import ProjectError, TemplateError
from mlscaffold.system.git import Git, GitError, has_changes, is_shallow
from mlscaffold.template import source

_ALIASES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}  # Copier's
_REMOTE = re.compile(r"[a-z+]+://|[\w.-]+@[\w.-]+:", re.IGNORECASE)
_RELEASE = re.compile(r"v?\d+(\.\d+)*")
_PINNED = re.compile(r"(?:.+-\d+-g)?[0-9a-f]{7,64}")  # a hash, alone or after "tag-commits-g"


@dataclass(frozen=True)
class History:
    """All versions of a template.

    Attributes:
        git_dir: a bare repository of our own.
        url: the address that the project records, as Copier gives it to git; None if that is a path.
        newest: what projects are updated to unless told otherwise: a tag or a hash.
    """

    git_dir: Path
    url: str | None
    newest: str

    def find_commit(self, version: str) -> str | None:
        """The hash of a tag, a branch, a hash or "tag-commits-hash"; 1.2.0 will do for v1.2.0. None if unknown."""
        for name in (version, f"v{version}"):
            with contextlib.suppress(GitError):
                return self._git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return None

    def find_recorded(self, version: str, address: str) -> str:
        """The hash of the version that a project records; ProjectError if it is not known here."""
        commit = self.find_commit(version)
        if commit is None:
            raise ProjectError(
                f"The project is at version {version} of its template, which is not known here: it may come from a"
                f" newer release. Upgrade mlscaffold, or use `copier update`, which asks {address}."
            )
        tags = (f"refs/tags/{prefix}{version}" for prefix in ("", "v"))
        if not (_PINNED.fullmatch(version) or any(self._git.agrees("show-ref", "--quiet", tag) for tag in tags)):
            raise ProjectError(
                f"The project records {version} as its template's version, which moves, so nobody can tell what it was"
                " made from: put a tag or a commit after _commit in its answers file, and commit that."
            )
        return commit

    def describe(self, commit: str) -> str:
        """What Copier records for a commit."""
        return self._git.ask("describe", "--tags", "--always", commit)

    def contains(self, commit: str, other: str) -> bool:
        """Whether a commit has the other one among its ancestors, or is the same."""
        return self._git.agrees("merge-base", "--is-ancestor", other, commit)

    def count_commits(self, old: str, new: str) -> int:
        """How many commits that touch the template the new one has and the old one has not."""
        return int(self._git.ask("rev-list", "--count", f"{old}..{new}", "--", *self._find_parts(new)))

    def list_releases(self, old: str, new: str) -> list[str]:
        """Tags that the new commit has and the old one has not, oldest first."""
        tags = self._git.ask("tag", "--merged", new, "--no-merged", old, "--sort=v:refname").splitlines()
        return [tag for tag in tags if _RELEASE.match(tag)]

    def check_out(self, commit: str, into: Path) -> Path:
        """Write the files of a commit into a folder and return it; it is no repository."""
        into.mkdir()
        git = replace(self._git, folder=into, work_tree=into, index=into.parent / f"{into.name}.index")
        git.run("read-tree", commit)
        git.run("checkout-index", "--all", "--force")
        return into

    @property
    def _git(self) -> Git:
        return Git(self.git_dir, alone=True, git_dir=self.git_dir)

    def _find_parts(self, commit: str) -> Sequence[str]:
        """What the template consists of; all that there is, if it is not laid out as ours."""
        there = self._git.ask("ls-tree", "--name-only", commit, "--", *source.PARTS).splitlines()
        return source.PARTS if len(there) == len(source.PARTS) else ()


def clone_history(recorded: str, workspace: Path, template: str | None = None) -> History:
    """Bring the history of a project's template into a workspace.

    Args:
        recorded: the address in the project's answers file.
        workspace: a folder for what is needed meanwhile.
        template: an address or a path to take the template from instead.

    Raises:
        TemplateError: it cannot be had.
        ProjectError: the recorded address cannot be used, from here or at all.
    """
    url = expand_address(recorded)
    if url is None and (template or not Path(recorded).expanduser().is_absolute()):
        raise ProjectError(
            f"The project says that its template is the folder {recorded}, which means nothing elsewhere: put the"
            " template's address after _src_path in its answers file, and commit that."
        )
    own = template is None and url is not None and is_own(url)
    given = template or recorded
    place = str(_find_own()) if own else expand_address(given) or str(Path(given).expanduser())
    git_dir = workspace / "history.git"
    try:
        Git(workspace).run("clone", "--quiet", "--mirror", "--", place, git_dir, env=_allow_files())
    except GitError as error:
        if own:
            raise TemplateError(f"The template's history in {place} cannot be read: {error}.") from error
        raise TemplateError(
            f"The template cannot be fetched from {hide_secret(place)}: {hide_secret(str(error))}. Check the address"
            " and your connection, or name another place with --template."
        ) from error
    history = History(git_dir, url, "HEAD")
    head = history.find_commit("HEAD")
    if head is None:
        raise TemplateError(f"There is nothing in the template's repository {hide_secret(place)}.")
    return replace(history, newest=head if own or template else _find_newest_release(history, head))


def fetch_template(address: str | None, ref: str | None, workspace: Path) -> tuple[Path, source.Origin]:
    """Bring one version of a template into a workspace, to make projects from.

    Args:
        address: an address or a path that git can clone; None for this template's own.
        ref: a tag, a branch or a commit; None for the newest commit.
        workspace: a folder for what is needed meanwhile.

    Returns:
        The folder of its copier.yml, and what projects are to record.

    Raises:
        TemplateError: it cannot be had, or is not made for this command.
    """
    asked = address or source.read_url()
    if expand_address(asked) is None:
        asked = str(Path(asked.removeprefix("file://")).expanduser().resolve())
    past = clone_history(asked, workspace)
    recorded = hide_secret(asked, "")
    commit = past.find_commit(ref or "HEAD")
    if commit is None:
        raise TemplateError(f"There is no version {ref} of the template in {recorded}: name a tag, branch or commit.")
    root = past.check_out(commit, workspace / "template")
    missing = [part for part in source.PARTS if not (root / part).exists()]
    if missing:
        raise TemplateError(
            f"{recorded} is no template of this kind: it has no {missing[0]}. `copier copy` makes projects from any"
            " template."
        )
    modified = False
    if past.url is None:
        with contextlib.suppress(GitError):  # a bundle, or a bare repository
            modified = has_changes(Path(recorded), *source.PARTS)
    return root, source.Origin(recorded, past.describe(commit), modified)


def expand_address(address: str) -> str | None:
    """What Copier gives to git for an address; None if it is a path."""
    for alias, start in _ALIASES.items():
        if address.startswith(alias):
            address = start + address.removeprefix(alias).removeprefix("/")
    if address.startswith("git+"):
        return address.removeprefix("git+")
    if not _REMOTE.match(address) or address.startswith("file:"):
        return None
    known = address.startswith(tuple(_ALIASES.values()))
    return f"{address}.git" if known and not address.endswith(".git") else address


def hide_secret(text: str, shown: str = "***@") -> str:
    """A text without what stands before the @ of its http addresses: a password, or a token."""
    return re.sub(r"(https?://)[^/\s@]+@", rf"\g<1>{shown}", text, flags=re.IGNORECASE)


def is_own(url: str) -> bool:
    """Whether an address is that of this template, however it is written."""
    return _strip_address(url) == _strip_address(source.read_url())


def _allow_files() -> dict[str, str]:
    """What lets git go to a place on this machine although the user's environment forbids that."""
    name = "GIT_ALLOW_PROTOCOL"
    return {name: f"{os.environ[name]}:file"} if name in os.environ else {}


def _find_own() -> Path:
    place = source.find_history()
    if place is None:
        raise TemplateError(
            "This installation of mlscaffold has no history of its template: install a release, or a clone with all of"
            " its history."
        )
    if (place / ".git").exists() and is_shallow(place):
        raise TemplateError(
            f"{place} is a shallow clone, without the versions to update from: `git fetch --unshallow`."
        )
    return place


def _find_newest_release(history: History, head: str) -> str:
    tags = Git(history.git_dir, alone=True).ask("tag", "--merged", head, "--sort=-v:refname").splitlines()
    return next((tag for tag in tags if _RELEASE.fullmatch(tag)), head)


def _strip_address(url: str) -> str:
    """An address without what differs between the ways to reach the same repository."""
    url = re.sub(r"^([a-z+]+://)?([^/@]+@)?", "", url, flags=re.IGNORECASE)
    return url.replace(":", "/", 1).removesuffix("/").removesuffix(".git").lower()
