"""What no edit of a user has a say in, made once for all trials: versions, answers and renders of the template.

All the rest runs as ever: git's merge, the apply, and what Copier does with the user's files. `try_one` runs some
trials both ways, to see that this changes nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import copier._main
import copier._subproject
import pytest
from copier._main import Worker
from copier._template import Template as CopiersTemplate
from plumbum import local

from mlscaffold.template.history import History, clone_history
from mlscaffold.template.questions import read_questions
from mlscaffold.template.render import Answers, Template, render, settle_answers
from mlscaffold.update import plan
from tests.cli.conftest import tree


class Sharing:
    """Shares among all trials of one template.

    Args:
        folder: an empty folder for what is shared.
        redirect: what leads Copier's git to the template.
    """

    def __init__(self, folder: Path, redirect: Mapping[str, str]) -> None:
        self._folders = (folder / str(number) for number in itertools.count())
        self._redirect = redirect
        self._renders: dict[str, Path] = {}
        self._settled: dict[str, Answers] = {}
        check_out = History.check_out
        self._clone = functools.cache(lambda url, template: clone_history(url, self._new_folder(), template))
        self._check_out = functools.cache(lambda past, commit: check_out(past, commit, next(self._folders)))
        self._open = functools.cache(CopiersTemplate)
        self._questions = functools.cache(read_questions)
        self._asked = {
            name: functools.cache(getattr(History, name)) for name in ("find_commit", "contains", "describe")
        }

    @contextlib.contextmanager
    def in_ours(self) -> Iterator[None]:
        """Share what `open_plan` renders."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plan, "clone_history", lambda url, workspace, template: self._clone(url, template))
            patch.setattr(plan, "read_questions", self._questions)
            patch.setattr(plan, "settle_answers", self._settle)
            patch.setattr(plan, "render", self._render)
            patch.setattr(History, "check_out", lambda past, commit, into: self._check_out(past, commit))
            for name, answer in self._asked.items():
                patch.setattr(History, name, answer)
            yield

    @contextlib.contextmanager
    def in_copiers(self) -> Iterator[None]:
        """Share what `copier update` clones, and what it renders into empty folders."""
        run_copy, commit = Worker.run_copy, Worker._git_initialize_repo

        def run_or_share(worker: Worker) -> None:
            if any(worker.dst_path.iterdir()):
                return run_copy(worker)
            given = [field.name for field in dataclasses.fields(worker) if field.init and field.name != "dst_path"]
            key = repr([(name, getattr(worker, name)) for name in given])
            if key not in self._renders:
                run_copy(worker)
                self._renders[key] = shutil.copytree(worker.dst_path, next(self._folders))
            else:
                shutil.copytree(self._renders[key], worker.dst_path, dirs_exist_ok=True)
            return None

        def commit_or_share(worker: Worker) -> None:
            place = Path(local.cwd)
            key = repr(tree(place))
            if key not in self._renders:
                commit(worker)
                self._renders[key] = shutil.copytree(place / ".git", next(self._folders))
            else:
                shutil.copytree(self._renders[key], place / ".git")

        with pytest.MonkeyPatch.context() as patch, local.env(**self._redirect):
            for module in (copier._main, copier._subproject):
                patch.setattr(module, "Template", lambda url, ref, use_prereleases=False: self._open(url, ref))
            patch.setattr(CopiersTemplate, "_cleanup", lambda template: None)
            patch.setattr(Worker, "run_copy", run_or_share)
            patch.setattr(Worker, "_git_initialize_repo", commit_or_share)
            # It asks git, for each file, whether this is a repository that has no modes.
            patch.setattr(Worker, "_sync_git_index_executable_bit", lambda worker, path, mode: None)
            yield

    def _new_folder(self) -> Path:
        folder = next(self._folders)
        folder.mkdir(parents=True)
        return folder

    def _settle(self, template: Template, folder: str, given: Mapping[str, Any], **more: Any) -> Answers:
        key = repr((template, folder, given, more))
        if key not in self._settled:
            self._settled[key] = settle_answers(template, folder, given, **more)
        return self._settled[key]

    def _render(self, template: Template, into: Path, answers: Answers, exclude: Sequence[str] = ()) -> None:
        key = repr((template, answers, exclude))
        if key not in self._renders:
            folder = self._new_folder() / answers.folder
            render(template, folder, answers, exclude)
            self._renders[key] = folder
        shutil.copytree(self._renders[key], into, copy_function=os.link)
