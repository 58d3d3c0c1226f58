"""The template's past: every version of it as a repository on this machine, and Copier led there.

Released packages carry a git bundle of it, so that projects are updated without a network. What a project records stays
the template's public address: anybody's plain `copier update` works.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlscaffold import git, source
from mlscaffold.errors import ProjectError, TemplateError

_ALIASES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}  # Copier's
_REMOTE = re.compile(r"[a-z+]+://|[\w.-]+@[\w.-]+:", re.IGNORECASE)
_VERSION = re.compile(r"v?\d+(\.\d+)*")


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

    def commit(self, version: str) -> str | None:
        """The hash of a tag, a branch, a hash or "tag-commits-hash"; 1.2.0 will do for v1.2.0. None if unknown."""
        for name in (version, f"v{version}"):
            with contextlib.suppress(git.GitError):
                return self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return None

    def known(self, recorded: str, address: str) -> str:
        """The hash of the version that a project records; ProjectError if it is not known here."""
        commit = self.commit(recorded)
        if commit is None:
            raise ProjectError(
                f"The project is at version {recorded} of its template, which is not known here: it may come from a"
                f" newer release. Upgrade mlscaffold, or use `copier update`, which asks {address}."
            )
        return commit

    def describe(self, commit: str) -> str:
        """What Copier records for a commit."""
        return self._ask("describe", "--tags", "--always", commit)

    def contains(self, commit: str, other: str) -> bool:
        """Whether a commit has the other one among its ancestors, or is the same."""
        try:
            self._ask("merge-base", "--is-ancestor", other, commit)
        except git.GitError:
            return False
        return True

    def distance(self, old: str, new: str) -> int:
        """How many commits that touch the template the new one has and the old one has not."""
        return int(self._ask("rev-list", "--count", f"{old}..{new}", "--", *self._parts(new)))

    def releases(self, old: str, new: str) -> list[str]:
        """Tags that the new commit has and the old one has not, oldest first."""
        tags = self._ask("tag", "--merged", new, "--no-merged", old, "--sort=v:refname").splitlines()
        return [tag for tag in tags if _VERSION.match(tag)]

    def check_out(self, commit: str, into: Path) -> Path:
        """Write the files of a commit into a folder and return it; it is no repository."""
        into.mkdir()
        index = into.parent / f"{into.name}.index"
        place = ("--git-dir", self.git_dir, "--work-tree", into)
        quiet = ("-c", "core.autocrlf=false", "-c", f"core.hooksPath={os.devnull}")
        env = {"GIT_INDEX_FILE": str(index)}
        git.run(*quiet, *place, "read-tree", commit, cwd=into, env=env)
        git.run(*quiet, *place, "checkout-index", "--all", "--force", cwd=into, env=env)
        return into

    def _parts(self, commit: str) -> Sequence[str]:
        """What the template consists of; all that there is, if it is not laid out as ours."""
        there = self._ask("ls-tree", "--name-only", commit, "--", *source.PARTS).splitlines()
        return source.PARTS if len(there) == len(source.PARTS) else ()

    def _ask(self, *arguments: str) -> str:
        return git.text("--git-dir", self.git_dir, *arguments, cwd=self.git_dir)


def opened(recorded: str, workspace: Path, template: str | None = None) -> History:
    """Bring the history of a project's template into a workspace.

    Args:
        recorded: the address in the project's answers file.
        workspace: a folder for what is needed meanwhile.
        template: an address or a path to take the template from instead.

    Raises:
        TemplateError: it cannot be had.
        ProjectError: the recorded address cannot be used, from here or at all.
    """
    url = expand(recorded)
    if url is None and (template or not Path(recorded).expanduser().is_absolute()):
        raise ProjectError(
            f"The project says that its template is the folder {recorded}, which means nothing elsewhere: put the"
            " template's address after _src_path in its answers file, and commit that."
        )
    own = template is None and url is not None and is_own(url)
    place = str(_own()) if own else expand(template or recorded) or str(Path(template or recorded).expanduser())
    git_dir = workspace / "history.git"
    try:
        local = ("-c", "protocol.file.allow=always")
        env = {"GIT_TERMINAL_PROMPT": "0", **_allowed(os.environ)}
        git.run(*local, "clone", "--quiet", "--mirror", "--", place, git_dir, cwd=workspace, env=env)
    except git.GitError as error:
        if own:
            raise TemplateError(f"The template's history in {place} cannot be read: {error}.") from error
        raise TemplateError(
            f"The template cannot be fetched from {place}: {error}. Check the address and your connection, or name"
            " another place with --template."
        ) from error
    history = History(git_dir, url, "HEAD")
    head = history.commit("HEAD")
    if head is None:
        raise TemplateError(f"There is nothing in the template's repository {place}.")
    return History(git_dir, url, head if own or template else _newest_release(history, head))


def fetched(address: str | None, ref: str | None, workspace: Path) -> tuple[Path, source.Origin]:
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
    recorded = address or source.url()
    if expand(recorded) is None:
        recorded = str(Path(recorded.removeprefix("file://")).expanduser().resolve())
    past = opened(recorded, workspace)
    commit = past.commit(ref or "HEAD")
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
        with contextlib.suppress(git.GitError):  # a bundle, or a bare repository
            modified = git.changed(Path(recorded), *source.PARTS)
    return root, source.Origin(recorded, past.describe(commit), modified)


def expand(address: str) -> str | None:
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


def is_own(url: str) -> bool:
    """Whether an address is that of this template, however it is written."""
    return _bare(url) == _bare(source.url())


@contextlib.contextmanager
def redirected(history: History) -> Iterator[None]:
    """Let Copier's git find the history where we have it, whatever the network and the user's git settings are.

    Nothing but this one address is redirected. Copier's own cache is left alone: what we have is less than what it
    may have there, and it would be cut down to that.
    """
    from plumbum import local  # Copier's way to git, with an environment that it copied when it was imported

    settings = {
        "protocol.file.allow": "always",
        "core.hooksPath": os.devnull,
        "core.excludesFile": os.devnull,  # else the user's own ignore list decides what the template may bring
        "core.autocrlf": "false",
        "commit.gpgSign": "false",
    }
    if history.url is not None:
        settings[f"url.{history.git_dir}.insteadOf"] = history.url
    first = int(local.env.get("GIT_CONFIG_COUNT", "") or 0)
    env = {"GIT_CONFIG_COUNT": str(first + len(settings)), "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
    for number, (key, value) in enumerate(settings.items(), first):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    env |= _allowed(local.env.getdict())
    with tempfile.TemporaryDirectory(prefix="mlscaffold-", ignore_cleanup_errors=True) as cache:
        before = os.environ.get("COPIER_CACHE_DIR")
        os.environ["COPIER_CACHE_DIR"] = cache
        try:
            with local.env(**env):
                for name in git.OF_THE_CALLER:
                    if name in local.env:
                        del local.env[name]
                yield
        finally:
            if before is None:
                del os.environ["COPIER_CACHE_DIR"]
            else:
                os.environ["COPIER_CACHE_DIR"] = before


def _allowed(environment: Mapping[str, str]) -> dict[str, str]:
    """What makes git go to a place on this machine although the user's environment forbids that."""
    name = "GIT_ALLOW_PROTOCOL"
    return {name: f"{environment[name]}:file"} if name in environment else {}


def _own() -> Path:
    place = source.history()
    if place is None:
        raise TemplateError(
            "This installation of mlscaffold has no history of its template: install a release, or a clone with all of"
            " its history."
        )
    if (place / ".git").exists() and git.is_shallow(place):
        raise TemplateError(
            f"{place} is a shallow clone, without the versions to update from: `git fetch --unshallow`."
        )
    return place


def _newest_release(history: History, head: str) -> str:
    tags = git.text("--git-dir", history.git_dir, "tag", "--merged", head, "--sort=-v:refname", cwd=history.git_dir)
    return next((tag for tag in tags.splitlines() if _VERSION.fullmatch(tag)), head)


def _bare(url: str) -> str:
    """An address without what differs between the ways to reach the same repository."""
    url = re.sub(r"^([a-z+]+://)?([^/@]+@)?", "", url, flags=re.IGNORECASE)
    return url.replace(":", "/", 1).removesuffix("/").removesuffix(".git").lower()
