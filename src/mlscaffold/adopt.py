"""Put a repository that somebody else has begun under the template: one commit, on a branch of its own.

The commit adds what the repository has not got, and the answers. Where both have a file the user's stays, so that to
later updates it is the template's file with the user's edits. Nothing that is checked out is touched, and the branch
appears in one step or not at all.
"""

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from mlscaffold import draft, git, infer, project
from mlscaffold.draft import Step, Template, Warn
from mlscaffold.errors import AnswerError, ProjectError
from mlscaffold.infer import Inferred
from mlscaffold.project import ANSWERS_FILE, Repository
from mlscaffold.questions import Questionnaire
from mlscaffold.scratch import Scratch, Tree, check_kinds
from mlscaffold.source import Origin

_NAME = "project_name"
_QUIET = (
    "-c", f"core.hooksPath={os.devnull}", "-c", "core.safecrlf=false", "-c", "core.fsmonitor=false",
    "-c", "core.sparseCheckout=false", "-c", "i18n.commitEncoding=UTF-8",
)  # fmt: skip
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_NOTHING = "0" * 40


class Fate(StrEnum):
    """What becomes of a file that the template makes."""

    ADDED = "added"
    KEPT = "kept"
    REPLACED = "replaced"


@dataclass(frozen=True)
class File:
    """One file that the template makes.

    Attributes:
        path: with forward slashes, from the project's folder.
        fate: what becomes of it.
        size: of the template's file, in bytes.
        note: more about it, for people; may be empty.
    """

    path: str
    fate: Fate
    size: int
    note: str = ""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: the project's folder; None for the current one.
        branch: the branch to make.
        answers: answers given beforehand, by the names of their questions.
        replace: files or folders of the user's that are to become the template's.
        ask: whether to ask in the terminal what is neither given nor found; else it takes its default.
        template: an address or a path to take the template from, instead of this installation's own.
        ref: the template's version: a tag, a branch or a commit.
    """

    path: str | None
    branch: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    replace: Sequence[str] = ()
    ask: bool = False
    template: str | None = None
    ref: str | None = None


@dataclass(frozen=True)
class Plan:
    """What adopting a repository would do.

    Attributes:
        root: the project's folder.
        repository: where it lies.
        branch: the branch to be made.
        origin: where the template comes from.
        answers: the answers that are recorded.
        inferred: those of them that were read from the repository.
        defaults: the names of those that nobody has given.
        files: what becomes of each file that the template makes, sorted by path.
        workspace: a folder for what is needed meanwhile.
    """

    root: Path
    repository: Repository
    branch: str
    origin: Origin
    answers: Mapping[str, Any]
    inferred: Mapping[str, Inferred]
    defaults: Collection[str]
    files: Sequence[File]
    workspace: Path

    def paths(self, fate: Fate) -> list[str]:
        """The files that have a fate."""
        return [file.path for file in self.files if file.fate is fate]

    def commit(self) -> str:
        """Make the commit and, in one step, the branch; return the commit's hash.

        Raises:
            ProjectError: git does not let us; there is no branch then.
        """
        top, git_dir = self.repository.top, self.repository.git_dir
        try:
            git.text("var", "GIT_AUTHOR_IDENT", cwd=top)
            git.text("var", "GIT_COMMITTER_IDENT", cwd=top)
        except git.GitError as error:
            raise ProjectError(
                "Git does not know who you are: set user.name and user.email with `git config --global` first."
            ) from error
        rendered = _rendered(self.workspace, self.repository)
        put = [*self.paths(Fate.ADDED), *self.paths(Fate.REPLACED)]
        listing = b"".join(os.fsencode(self.repository.prefix + path) + b"\0" for path in put)
        env = {
            **_LITERAL,
            "GIT_DIR": str(git_dir),
            "GIT_WORK_TREE": str(rendered),
            "GIT_INDEX_FILE": str(self.workspace / "index"),
        }
        try:
            git.run(*_QUIET, "read-tree", self.repository.head, cwd=rendered, env=env)
            # Through `add`, so that the user's .gitattributes are obeyed.
            git.run(
                *_QUIET, "add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul",
                cwd=rendered, env=env, stdin=listing,
            )  # fmt: skip
            tree = git.run("write-tree", cwd=rendered, env=env).decode().strip()
            message = self._message().encode("utf-8", "surrogateescape")
            commit = git.run(*_QUIET, "commit-tree", "-p", self.repository.head, tree, cwd=top, stdin=message)
            made = commit.decode().strip()
            git.run(
                *_QUIET, "update-ref", "-m", "mlscaffold adopt", f"refs/heads/{self.branch}", made, _NOTHING, cwd=top
            )  # fmt: skip
        except git.GitError as error:
            raise ProjectError(f"The branch {self.branch} cannot be made: {error}. Nothing was changed.") from error
        return made

    def _message(self) -> str:
        where = f" in {self.repository.prefix.removesuffix('/')}" if self.repository.prefix else ""
        lines = [
            f"Adopt the template of mlscaffold{where}",
            "",
            f"{self.origin.url}, version {self.origin.commit}.",
            "What is not wanted may be deleted: updates leave it out then.",
        ]
        for fate, title in (
            (Fate.REPLACED, "The template's version replaces:"),
            (Fate.KEPT, "Kept, although the template has a file there, too (`mlscaffold diff FILE` compares them):"),
        ):
            if paths := self.paths(fate):
                lines += ["", title, *(f"  {path}" for path in paths)]
        return "\n".join(lines) + "\n"


@contextlib.contextmanager
def planned(request: Request, step: Step, warn: Warn) -> Iterator[Plan]:
    """Find out what adopting a repository would do; it can be done while this is open.

    Raises:
        MlscaffoldError: it cannot be done; nothing was touched.
    """
    root = _root(request.path)
    repository = project.repository(root)
    _check(root, repository, request)
    with (
        tempfile.TemporaryDirectory(prefix="mlscaffold-", ignore_cleanup_errors=True) as folder,
        draft.template(request.template, request.ref, step, warn) as template,
    ):
        yield _plan(root, repository, template, request, Path(folder), warn)


def _rendered(workspace: Path, repository: Repository) -> Path:
    """A folder like the repository's, for those of the template's files that are put into the commit."""
    return workspace / "rendered" / repository.top.name


def _root(path: str | None) -> Path:
    root = Path(path or ".").resolve()
    if not root.is_dir():
        raise ProjectError(f"{path} is not a folder.")
    return root


def _check(root: Path, repository: Repository, request: Request) -> None:
    if request.path is None and repository.prefix:
        raise ProjectError(
            f"{root} is a folder inside the repository {repository.top}: say which of them is meant, as in"
            " `mlscaffold adopt .` for a project of its own in this folder."
        )
    if os.path.lexists(root / ANSWERS_FILE):
        raise ProjectError(
            f"{root} has a {ANSWERS_FILE} already, so it follows a template: `mlscaffold update` brings the newest"
            " version."
        )
    project.check_clean(root, repository)
    try:
        git.run("rev-parse", "--verify", "--quiet", repository.tree, cwd=repository.top)
    except git.GitError as error:
        raise ProjectError(f"Nothing in {root} is committed yet: run `git add . && git commit` there first.") from error
    try:
        git.run("check-ref-format", "--branch", request.branch, cwd=repository.top)
    except git.GitError as error:
        raise ProjectError(f"{request.branch!r} cannot be the name of a branch.") from error
    with contextlib.suppress(git.GitError):
        git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{request.branch}", cwd=repository.top)
        raise ProjectError(
            f"There is a branch {request.branch} already: merge it, delete it with `git branch -D {request.branch}`, or"
            " name another one with --branch."
        )


def _plan(
    root: Path, repository: Repository, template: Template, request: Request, workspace: Path, warn: Warn
) -> Plan:
    template.questionnaire.check(request.answers)
    scratch = Scratch.beside(repository, root.name, workspace)
    theirs = scratch.files(scratch.head)
    around = repository.top if repository.prefix else None
    regular = [path for path, (mode, _) in theirs.items() if mode.startswith("100")]
    known = {*request.answers, *([draft.CI] if around else [])}
    open_ = {name: question for name, question in template.questionnaire.questions.items() if name not in known}
    found = infer.answers(regular, lambda path: scratch.blob(theirs[path][1]), Questionnaire(open_), warn)
    folder = _rendered(workspace, repository) / repository.prefix
    folder.parent.mkdir(parents=True, exist_ok=True)
    inferred = _render(template, folder, root, around, found, request, warn)
    answers = draft.finished(template, folder)
    draft.check_ci(answers, around)
    made = scratch.files(scratch.take(folder, "made"))
    check_kinds(theirs, made)
    _check_packages(theirs, made, warn)
    files = list(_fates(root, theirs, made, folder, _replaced(root, request.replace, theirs, made)))
    for file in files:
        if file.fate is Fate.KEPT:
            (folder / file.path).unlink()
    defaults = [name for name in answers if name not in request.answers and name not in inferred]
    return Plan(
        root, repository, request.branch, template.origin, answers, inferred,
        () if request.ask else defaults, files, workspace,
    )  # fmt: skip


def _render(
    template: Template,
    folder: Path,
    root: Path,
    around: Path | None,
    found: Mapping[str, Inferred],
    request: Request,
    warn: Warn,
) -> dict[str, Inferred]:
    """Render the template, and return those of the inferred answers that it takes."""
    read = {name: answer.value for name, answer in found.items()}
    ci = {draft.CI: draft.NO_CI} if around else {}
    proposed = {_NAME: root.name, **draft.proposals(root), **ci, **read}

    def refused(error: AnswerError) -> None:
        name = error.question or ""
        if name == _NAME:
            complaint = f"{proposed[name]!r} cannot be the project's name: {error.message.removeprefix(f'{name}: ')}"
            if not request.ask:
                raise AnswerError(f"{complaint} Give it another one with --set {name}=NAME.") from error
            warn(complaint)
        elif name in read:
            warn(f"{found[name].source} has a {name} that is not taken: {error.message}")

    settled = draft.settle(template, folder, request.answers, proposed, refused, pretend=request.ask)
    kept = {name: answer for name, answer in found.items() if settled.get(name) == answer.value}
    if request.ask:
        answers = {**request.answers, **{name: answer.value for name, answer in kept.items()}}
        rest = {name: value for name, value in settled.items() if name not in answers}
        draft.put(template, folder, answers, rest, ask=True)
    return kept


def _fates(root: Path, theirs: Tree, made: Tree, folder: Path, replaced: Collection[str]) -> Iterator[File]:
    alike = {path.casefold(): path for path in theirs}
    for path in sorted(made):
        size = (folder / path).stat().st_size
        above = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        other = alike.get(path.casefold(), path)
        if path in replaced:
            yield File(path, Fate.REPLACED, size)
        elif path in theirs:
            yield File(path, Fate.KEPT, size, "the same in both" if theirs[path] == made[path] else "")
        elif other != path:
            yield File(path, Fate.KEPT, size, f"yours is {other}, which some systems take for the same name")
        elif any(_no_folder(root / place) for place in above) or os.path.lexists(root / path):
            yield File(path, Fate.KEPT, size, "a file that git does not know lies there")
        else:
            yield File(path, Fate.ADDED, size)


def _no_folder(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_dir())


def _replaced(root: Path, wanted: Sequence[str], theirs: Tree, made: Tree) -> set[str]:
    both = theirs.keys() & made.keys()
    result = set()
    for word in wanted:
        place = project.inside(root, word)
        paths = {path for path in both if path == place or path.startswith(f"{place}/") or place == "."}
        if not paths:
            raise ProjectError(f"--replace {word}: there is no file of yours that git knows and the template has, too.")
        result |= paths
    return result


def _check_packages(theirs: Tree, made: Tree, warn: Warn) -> None:
    """Say where the user's package and the template's do not meet, and how they can."""
    mine, (name, place) = infer.packages(theirs), next(iter(infer.packages(made).items()), ("", ""))
    if not mine or not name or mine.get(name) == place:
        return
    if name in mine:
        warn(
            f"Your package is in {mine[name]}, the template's files go to {place}, and Python takes only one of them:"
            f" `git mv {mine[name]} {place}`, commit, and adopt again; or give the project another {_NAME}."
        )
    else:
        warn(
            f"Your code is in {project.some(sorted(mine.values()))}, the template's goes to {place}: they live side by"
            f" side. To have them in one package, adopt with --set {_NAME}=NAME, from which the package is named, or"
            f" rename yours to {place} first."
        )
