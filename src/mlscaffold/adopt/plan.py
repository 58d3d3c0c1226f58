"""Bring an existing repository under the template: one commit, on a branch of its own.

The commit adds what the repository has not got, and the answers. Where both have a file the user's stays. Nothing that
is checked out is touched, and the branch appears in one step or not at all.
"""

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlscaffold.adopt.fit import IGNORE_FILE, SAME, Fit, fit_files, merge_ignores
from mlscaffold.adopt.infer import Inferred, find_packages, find_setup, infer_answers
from mlscaffold.errors import AnswerError, ProjectError
from mlscaffold.project.answers import KEEP_FILE
from mlscaffold.project.files import File, Verdict, select
from mlscaffold.project.repository import (
    Repository,
    check_clean,
    check_kinds,
    is_in_the_way,
    locate_file,
    name_some,
    open_repository,
)
from mlscaffold.project.scratch import Scratch, Tree
from mlscaffold.system.git import GitError, knows_user, list_paths
from mlscaffold.system.progress import Step, Warn
from mlscaffold.system.signals import finish_undisturbed
from mlscaffold.system.workspace import open_workspace
from mlscaffold.template.ask import Ask, ask_answers
from mlscaffold.template.choose import (
    CI,
    NAME,
    NO_CI,
    check_ci,
    open_template,
    propose_answers,
    refuse_name,
    verify_render,
)
from mlscaffold.template.questions import Questionnaire
from mlscaffold.template.render import ANSWERS_FILE, Answers, Template, render, settle_with_defaults
from mlscaffold.template.source import Origin

TITLES = {
    Verdict.REPLACED: "Replaced by the template's:",
    Verdict.MERGED: "Yours, with lines of the template:",
    Verdict.KEPT: "Kept, although the template has such a file:",
    Verdict.LEFT_OUT: "Left out, as it would not work beside what is kept:",
}
"""What is said of the files with a verdict, but for those that are simply added."""

_PUT = (Verdict.ADDED, Verdict.MERGED, Verdict.REPLACED)


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: the project's folder; None for the current one.
        branch: the branch to make.
        answers: answers given beforehand, by the names of their questions.
        replace: files or folders that are to be the template's, be they the user's or left out otherwise.
        ask: asks in the terminal what is neither given nor found; None if it takes its default.
        template: an address or a path to take the template from, instead of this installation's own.
        ref: the template's version: a tag, a branch or a commit.
    """

    path: str | None
    branch: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    replace: Sequence[str] = ()
    ask: Ask | None = None
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
        missing: what the repository does not get, and how it would.
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
    missing: Sequence[str]
    workspace: Path

    def paths(self, verdict: Verdict) -> list[str]:
        """The files with a verdict."""
        return [file.path for file in select(self.files, verdict)]

    def commit(self) -> str:
        """Make the commit and, in one step, the branch; return the commit's hash.

        Raises:
            ProjectError: git does not let us; there is no branch then.
        """
        repository = self.repository
        if not knows_user(repository.top):
            raise ProjectError(
                "Git does not know who you are: set user.name and user.email with `git config --global` first."
            )
        rendered = _rendered(self.workspace, repository)
        put = [repository.prefix + file.path for file in self.files if file.verdict in _PUT]
        index = replace(
            repository.git, folder=rendered, git_dir=repository.git_dir, work_tree=rendered,
            index=self.workspace / "index",
        )  # fmt: skip
        try:
            index.run("read-tree", repository.head)
            # Through `add`, so that the user's .gitattributes are obeyed.
            index.run("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=list_paths(put))
            message = self._message().encode("utf-8", "surrogateescape")
            tree = index.ask("write-tree")
            commit = repository.git.run("commit-tree", "-p", repository.head, tree, stdin=message).decode().strip()
            nothing = "0" * len(repository.head)
            with finish_undisturbed():
                repository.git.run("update-ref", "-m", "mlscaffold adopt", f"refs/heads/{self.branch}", commit, nothing)
        except GitError as error:
            raise ProjectError(f"The branch {self.branch} cannot be made: {error}. Nothing was changed.") from error
        return commit

    def _message(self) -> str:
        where = f" in {self.repository.prefix.removesuffix('/')}" if self.repository.prefix else ""
        lines = [
            f"Adopt the template of mlscaffold{where}",
            "",
            f"{self.origin.url}, version {self.origin.commit}.",
            "What is not wanted may be deleted: updates leave it out then.",
            "`mlscaffold diff FILE` compares a file that was kept with the template's.",
        ]
        for verdict, title in TITLES.items():
            if paths := self.paths(verdict):
                lines += ["", title, *(f"  {path}" for path in paths)]
        return "\n".join(lines) + "\n"


@contextlib.contextmanager
def open_plan(request: Request, step: Step, warn: Warn) -> Iterator[Plan]:
    """Find out what adopting a repository would do; it can be done while this is open.

    Raises:
        MlscaffoldError: it cannot be done; nothing was touched.
    """
    root = _root(request.path)
    repository = open_repository(root)
    _check(root, repository, request)
    with open_workspace() as workspace, open_template(request.template, request.ref, step, warn) as template:
        yield _plan(root, repository, template, request, workspace, warn)


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
    check_clean(root, repository)
    git = repository.git
    if not git.agrees("rev-parse", "--verify", "--quiet", repository.tree):
        raise ProjectError(f"Nothing in {root} is committed yet: run `git add . && git commit` there first.")
    if not git.agrees("check-ref-format", "--branch", request.branch):
        raise ProjectError(f"{request.branch!r} cannot be the name of a branch.")
    if git.agrees("rev-parse", "--verify", "--quiet", f"refs/heads/{request.branch}"):
        raise ProjectError(
            f"There is a branch {request.branch} already: merge it, delete it with `git branch -D {request.branch}`, or"
            " name another one with --branch."
        )


def _plan(
    root: Path, repository: Repository, template: Template, request: Request, workspace: Path, warn: Warn
) -> Plan:
    template.questionnaire.check(request.answers)
    scratch = Scratch.borrow(repository, workspace)
    theirs = scratch.files(scratch.head)
    around = repository.top if repository.prefix else None
    regular = [path for path, entry in theirs.items() if entry.kind == "10"]
    known = {*request.answers, *([CI] if around else [])}
    open_ = {name: question for name, question in template.questionnaire.questions.items() if name not in known}

    def read(path: str) -> bytes:
        return scratch.read_blob(theirs[path].sha)

    found = infer_answers(regular, read, Questionnaire(open_), warn, strict=not request.ask)
    settled, inferred = _settle(template, root, around, found, request, warn)
    folder = _rendered(workspace, repository) / repository.prefix
    folder.parent.mkdir(parents=True, exist_ok=True)
    rendered = workspace / "render" / root.name
    render(template, rendered, settled)
    rendered.rename(folder)
    answers = verify_render(template, folder)
    check_ci(answers, around)
    made = scratch.files(scratch.take(folder))
    check_kinds(theirs, made)
    _check_packages(theirs, made, warn)
    wanted = {word: _match_files(root, word, made) for word in request.replace}
    every = set().union(*wanted.values())
    package = next(iter(find_packages(made).values()), "src")
    judged = _judge_files(root, theirs, made, folder, every & theirs.keys())
    setup = find_setup(regular, read)
    fit = fit_files(judged, theirs, package, every, setup=setup, crlf=_has_crlf(repository))
    _check_wanted(wanted, {*theirs, *fit.asked_for})
    files = _write_fit(scratch, fit, theirs, folder)
    defaults = [name for name in answers if name not in request.answers and name not in inferred]
    return Plan(
        root, repository, request.branch, template.origin, answers, inferred,
        () if request.ask else defaults, files, fit.notes, workspace,
    )  # fmt: skip


def _has_crlf(repository: Repository) -> bool:
    listing = repository.git.names("ls-files", "--eol", "-z", "--", repository.prefix or ".")
    return any(entry.startswith(("i/crlf", "i/mixed")) for entry in listing)


def _write_fit(scratch: Scratch, fit: Fit, theirs: Tree, folder: Path) -> list[File]:
    """Prepare the files as they are to be committed, and return the verdict on each."""
    files = {file.path: file for file in fit.files}
    for path, file in files.items():
        if file.verdict is Verdict.KEPT and path == IGNORE_FILE and path in theirs:
            mine = scratch.read_blob(theirs[path].sha).decode("utf-8", "surrogateescape")
            text, added = merge_ignores(mine, (folder / path).read_text("utf-8"))
            if added:
                (folder / path).write_text(text, "utf-8", "surrogateescape")
                files[path] = replace(file, verdict=Verdict.MERGED, note=f"with {', '.join(added)}")
                continue
        if file.verdict in (Verdict.KEPT, Verdict.LEFT_OUT):
            (folder / path).unlink()
    if fit.patterns:
        text = "# Files that are yours, although the template has files there: updates leave them as they are.\n"
        (folder / KEEP_FILE).write_text(text + "".join(f"{pattern}\n" for pattern in fit.patterns), "utf-8")
        files[KEEP_FILE] = File(KEEP_FILE, size=(folder / KEEP_FILE).stat().st_size)
    return sorted(files.values(), key=lambda file: file.path)


def _settle(
    template: Template,
    root: Path,
    around: Path | None,
    found: Mapping[str, Inferred],
    request: Request,
    warn: Warn,
) -> tuple[Answers, dict[str, Inferred]]:
    """All answers, and those of the inferred ones that the template takes."""
    read = {name: answer.value for name, answer in found.items()}
    asked = template.questionnaire.questions.get(CI)
    offered = {choice.value for choice in asked.choices} if asked else ()
    no_ci = {CI: NO_CI} if NO_CI in offered else {}  # nobody asked for one
    proposed = {NAME: root.name, **no_ci, **propose_answers(root, around), **read}

    def refuse(error: AnswerError) -> None:
        name = error.question or ""
        if name == NAME:
            cure = f"Give it another one with --set {name}=NAME."
            refuse_name(error, proposed[name], cure, warn if request.ask else None)
        elif name in read:
            warn(f"{found[name].source} has a {name} that is not taken: {error.message}")

    settled = settle_with_defaults(template, root.name, request.answers, proposed, refuse)
    kept = {name: answer for name, answer in found.items() if settled.defaults.get(name) == answer.value}
    if request.ask:
        settled = ask_answers(template, settled, [NAME, *kept], request.ask)
    return settled, kept


def _judge_files(root: Path, theirs: Tree, made: Tree, folder: Path, replaced: Collection[str]) -> Iterator[File]:
    alike = {path.casefold(): path for path in theirs}
    for path in sorted(made):
        size = (folder / path).lstat().st_size
        other = alike.get(path.casefold(), path)
        if path in replaced:
            yield File(path, Verdict.REPLACED, size=size)
        elif path in theirs:
            yield File(path, Verdict.KEPT, SAME if theirs[path] == made[path] else "", size)
        elif other != path:
            yield File(path, Verdict.KEPT, f"yours is {other}, which some systems take for the same name", size)
        elif is_in_the_way(root, path):
            yield File(path, Verdict.KEPT, "a file that git does not know lies there", size)
        else:
            yield File(path, size=size)


def _match_files(root: Path, word: str, made: Tree) -> set[str]:
    """The template's files that are at a place, or below it."""
    place = locate_file(root, word)
    return {path for path in made if path == place or path.startswith(f"{place}/") or place == "."}


def _check_wanted(wanted: Mapping[str, Collection[str]], able: Collection[str]) -> None:
    for word, paths in wanted.items():
        if not any(path in able for path in paths):
            raise ProjectError(
                f"--replace {word}: there is no file of yours that git knows and the template has, too, and none that"
                " would be left out."
            )


def _check_packages(theirs: Tree, made: Tree, warn: Warn) -> None:
    """Say that the user's package and the template's are two, and how they can be one."""
    mine, (name, place) = find_packages(theirs), next(iter(find_packages(made).items()), ("", ""))
    if mine and name and name not in mine:
        warn(
            f"Your code is in {name_some(sorted(mine.values()))}, the template's goes to {place}: they live side by"
            f" side. To have them in one package, adopt with --set {NAME}=NAME, from which the package is named, or"
            f" rename yours to {place} first."
        )
