"""A template with a past of every kind of change, users with every kind of habit, and what becomes of their lines."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import copier
from plumbum import local

from mlscaffold.create import Order, create_project
from mlscaffold.project.files import File, Verdict
from mlscaffold.template.render import ANSWERS_FILE
from mlscaffold.update.apply import recover
from mlscaffold.update.plan import Plan, Request, open_plan
from tests.cli.conftest import git, tree
from tests.living.house import FILES, QUESTIONS, House, lines, save
from tests.living.sharing import Sharing

SRC = "template/src/{{ package }}"
ANSWERS: tuple[dict[str, str], ...] = ({}, {"ci": "gitlab"}, {"cloud": "gcp", "size": "large"})
SWITCHES: tuple[dict[str, str], ...] = (
    {},
    {"pipeline": "gitlab"},
    {"pipeline": "none"},
    {"cloud": "gcp"},
    {"cloud": "aws", "docs": "yes"},
)
"""Answers that are changed on the way; questions as the newest version has them."""


WIDE = "".join(
    f"def sum_{number}(first_number_{number}, second_number_{number}, third_number_{number}, fourth_number_{number}):\n"
    f"    return first_number_{number} + second_number_{number} + third_number_{number} + fourth_number_{number}\n\n\n"
    for number in range(20)
)
"""Code whose lines are longer than some formatters let them be."""


def releases() -> Iterator[tuple[str, Callable[[House], None]]]:
    """All versions after the first: each with what it changes."""

    def change_and_add(house: House) -> None:
        house.release(
            "v2.0.0",
            {
                f"{SRC}/model.py": lines("# model", at_25="# two"),
                f"{SRC}/wide.py": WIDE,
                "template/extra.txt": lines("extra"),
            },
        )

    def move_and_remove(house: House) -> None:
        house.move(f"{SRC}/data.py", f"{SRC}/reading.py")
        house.release("v3.0.0", {"template/{{ cloud_aws }}/deploy/bucket.txt": None})

    def rename_a_question_and_its_layers(house: House) -> None:
        renamed = (
            QUESTIONS.replace("\nci:\n", "\npipeline:\n", 1)
            .replace("default: github", "default: \"{{ ci | default('github') }}\"")
            .replace("ci_git", "pipeline_git")
            .replace("if ci ==", "if pipeline ==")
        )
        for name in ("github", "gitlab"):
            folder = house.root / "template" / f"{{{{ ci_{name} }}}}"
            folder.rename(folder.with_name(f"{{{{ pipeline_{name} }}}}"))
        house.release("v4.0.0", {"copier.yml": renamed})

    def ask_more_and_move_a_file_out_of_its_layer(house: House) -> None:
        questions = (house.root / "copier.yml").read_text("utf-8")
        more = "docs: {type: str, choices: ['yes', 'no'], default: 'no'}\npackage:"
        layer = "\ndocs_yes: {type: str, when: false, default: \"{{ '.' if docs == 'yes' else '' }}\"}\n"
        house.move("template/{{ cloud_aws }}/deploy/cloud.txt", "template/deploy/aws.txt")
        house.release(
            "v5.0.0",
            {
                "copier.yml": questions.replace("package:", more, 1) + layer,
                "template/{{ docs_yes }}/docs/index.md": lines("docs"),
            },
        )

    def change_everything(house: House) -> None:
        house.release(
            "v6.0.0",
            {
                f"{SRC}/model.py": lines("# model", at_3="# six", at_25="# two"),
                f"{SRC}/reading.py": lines("# data", at_3="# six"),
                f"{SRC}/old.py": None,
                f"{SRC}/wide.py": WIDE.replace("number_5, ", "number_5, sixth, ").replace("sum_12", "total_12"),
                "template/README.md.jinja": FILES["template/README.md.jinja"].replace("readme 20\n", "six\nand six\n"),
                "template/run.sh": "#!/bin/sh\n" + lines("# run", at_30="# six"),
                "template/extra.txt": lines("extra", at_1="six"),
                "template/{{ pipeline_github }}/ci.yml": lines("# github", at_15="# six"),
                "template/{{ pipeline_gitlab }}/.gitlab-ci.yml": lines("# gitlab", at_15="# six"),
            },
        )

    yield "v2.0.0", change_and_add
    yield "v3.0.0", move_and_remove
    yield "v4.0.0", rename_a_question_and_its_layers
    yield "v5.0.0", ask_more_and_move_a_file_out_of_its_layer
    yield "v6.0.0", change_everything


def make_projects(house: House, place: Path) -> dict[str, list[Path]]:
    """Make projects of every version but the last, each with several sets of answers, while the template grows."""
    made: dict[str, list[Path]] = {}
    version = "v1.0.0"
    for following, release in releases():
        for number, answers in enumerate(ANSWERS):
            folder = place / version / str(number) / "churn"
            given = {"project_name": "Churn", **{_name_at(version, name): value for name, value in answers.items()}}
            create_project(Order(str(folder), given, lock=False), no_step, no_warning)
            made.setdefault(version, []).append(folder)
        release(house)
        version = following
    return made


def _name_at(version: str, question: str) -> str:
    return "pipeline" if question == "ci" and version >= "v4" else question


# ── What users do to a file ─────────────────────────────────────────────────────────────────────────────────────────
Edit = Callable[[Path, str, str], None]
"""Does something to the file of a project, writing a line that is found nowhere else."""


def append(project: Path, path: str, mark: str) -> None:
    with (project / path).open("a", encoding="utf-8", newline="") as file:
        file.write(mark + "\n")


def change_in_place(project: Path, path: str, mark: str) -> None:
    _replace(project / path, 9, mark)


def change_where_the_template_does(project: Path, path: str, mark: str) -> None:
    _replace(project / path, 2, mark)


def insert_at_the_top(project: Path, path: str, mark: str) -> None:
    (project / path).write_text(mark + "\n" + (project / path).read_text("utf-8"), "utf-8")


def rewrite(project: Path, path: str, mark: str) -> None:
    (project / path).write_text(mark + "\n", "utf-8")


def delete(project: Path, path: str, mark: str) -> None:
    (project / path).unlink()


def rename(project: Path, path: str, mark: str) -> None:
    append(project, path, mark)
    (project / path).rename(project / f"{path}.mine")


def move(project: Path, path: str, mark: str) -> None:
    append(project, path, mark)
    (project / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).rename(project / "mine" / path)


def make_executable(project: Path, path: str, mark: str) -> None:
    append(project, path, mark)
    (project / path).chmod(0o755)


def use_crlf(project: Path, path: str, mark: str) -> None:
    append(project, path, mark)
    content = (project / path).read_bytes().replace(b"\n", b"\r\n")
    (project / path).write_bytes(content)


def format_at_88_columns(project: Path, path: str, mark: str) -> None:
    """As black does, by ruff, which formats alike."""
    append(project, path, mark)
    if path.endswith(".py"):
        (project / path).write_text(_format((project / path).read_text("utf-8")), "utf-8")


@functools.cache
def _format(code: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated", "--no-cache", "--line-length=88", "-"]
    return subprocess.run(command, input=code, check=True, capture_output=True, encoding="utf-8").stdout


EDITS: tuple[Edit, ...] = (
    append,
    change_in_place,
    change_where_the_template_does,
    insert_at_the_top,
    rewrite,
    delete,
    rename,
    move,
    make_executable,
    use_crlf,
    format_at_88_columns,
)


def _replace(path: Path, number: int, text: str) -> None:
    content = path.read_text("utf-8").splitlines()
    content[min(number, len(content) - 1)] = text
    path.write_text("\n".join(content) + "\n", "utf-8")


# ── One trial ───────────────────────────────────────────────────────────────────────────────────────────────────────
Files = dict[str, tuple[int, bytes]]
"""Mode and content of each file, by its path."""


@dataclass(frozen=True)
class Edited:
    """A file that a user has done something to, and the line that they wrote there, if their habit writes one."""

    path: str
    edit: Edit
    mark: str


@dataclass(frozen=True)
class Outcome:
    """What has become of a project by our update, and by Copier's.

    Attributes:
        files: the verdicts.
        conflicts: paths of our conflicts.
        ours: the files after our update.
        theirs: the files after Copier's; None if it fails.
        unmerged: paths of Copier's conflicts.
    """

    files: tuple[File, ...]
    conflicts: frozenset[str]
    ours: Files
    theirs: Files | None
    unmerged: frozenset[str]


@dataclass
class Tally:
    """What was seen in all trials."""

    counts: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    habits: dict[str, Counter[str]] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return json.dumps(vars(self), sort_keys=True)


def edited(made: Path, project: Path, edit_of: Callable[[str], Edit | None]) -> list[Edited]:
    """Copy a project, let a user at it and commit; return what they have done."""
    shutil.copytree(made, project)
    done = []
    for number, path in enumerate(_list_files(made)):
        edit = None if path in (ANSWERS_FILE, ".gitattributes") else edit_of(path)
        if edit is use_crlf:
            (project / ".gitattributes").write_text("* -text\n", "utf-8")
        if edit:
            done.append(Edited(path, edit, f"# mark {number:03}"))
            edit(project, path, done[-1].mark)
    save(project)
    return done


@functools.cache
def _list_files(made: Path) -> list[str]:
    return git(made, "ls-files", "-z").rstrip("\0").split("\0")


def try_one(
    house: House,
    project: Path,
    done: Sequence[Edited],
    switch: dict[str, str],
    tally: Tally,
    sharing: Sharing,
    *,
    whole: bool,
) -> None:
    """Update a project to the newest version: no line is lost, and Copier comes out the same but for known reasons.

    Args:
        house: the template.
        project: the project, which is removed at the end.
        done: what its user has done.
        switch: answers that change on the way.
        tally: takes down what is seen.
        sharing: makes once what no user has a say in.
        whole: whether to do it a second time with nothing shared, and to insist that all comes out the same.
    """
    before = _files(project)
    outcome = _update_both(house, project, switch, sharing)
    if whole:
        tally.counts["trials with nothing shared"] += 1
        assert _update_both(house, project, switch, None) == outcome
    shutil.rmtree(project)

    tally.counts["trials"] += 1
    tally.verdicts.update(file.verdict.value for file in outcome.files)
    places = {one.mark: next((path for path, file in before.items() if _has(file, one.mark)), None) for one in done}
    for one in done:
        fate = _find_fate(places[one.mark] or one.path, outcome)
        tally.habits.setdefault(one.edit.__name__, Counter())[fate] += 1
    written = [one for one in done if places[one.mark]]
    tally.counts["lines written"] += len(written)
    for one in written:
        if _holds(outcome.ours, one.mark):
            tally.counts["lines kept"] += 1
        else:
            tally.silent.append(f"{one.path} of {project}")
    for path, (mode, _) in before.items():
        if mode & 0o100 and path in outcome.ours and not outcome.ours[path][0] & 0o100:
            tally.silent.append(f"the executable bit of {path} of {project}")
    if outcome.theirs is not None:
        tally.counts["compared with Copier"] += 1
        _compare(outcome, outcome.theirs, written, tally, project)


def _update_both(house: House, project: Path, switch: dict[str, str], sharing: Sharing | None) -> Outcome:
    ours, twin = (shutil.copytree(project, project.parent / who / project.name) for who in ("ours", "twin"))
    before = _files(ours)
    with (
        sharing.in_ours() if sharing else contextlib.nullcontext(),
        open_plan(Request(str(ours), switch), no_step, no_warning) as plan,
    ):
        assert _files(ours) == before
        plan.apply()
        _check_unmerged(ours, plan)
    with sharing.in_copiers() if sharing else local.env(**house.redirect(project.parent / "cache")):
        theirs = _files(twin) if _update_plainly(twin, switch) else None
    outcome = Outcome(
        tuple(plan.files), frozenset(plan.conflicts), _files(ours), theirs, frozenset(_list_unmerged(twin))
    )
    for place in ("ours", "twin", "cache"):
        shutil.rmtree(project.parent / place, ignore_errors=True)
    return outcome


def _find_fate(place: str, outcome: Outcome) -> str:
    """The verdict on a file that the user has edited, and lies at a place, or on the one that it was moved to."""
    files = {file.path: file for file in outcome.files}
    file = files.get(place)
    if file and file.verdict is Verdict.REMOVED and file.note:
        file = files.get(file.note.removeprefix("moved to "))
    return file.verdict.value if file else "left alone"


def _compare(outcome: Outcome, theirs: Files, written: Sequence[Edited], tally: Tally, project: Path) -> None:
    """Count the paths that Copier leaves otherwise than we do, by the reason."""
    moved = [file for file in outcome.files if "moved" in file.note]
    reasons = {path: "we follow what was moved" for file in moved for path in (file.path, file.note.split()[-1])}
    reasons |= {file.path: "deleted stays deleted" for file in outcome.files if "deleted it, as" in file.note}
    reasons |= dict.fromkeys(outcome.conflicts | outcome.unmerged, "a conflict, on one side at least")
    reasons |= {one.path: "Copier loses the user's line" for one in written if not _holds(theirs, one.mark)}
    for path in sorted({*outcome.ours, *theirs}):
        ours, other = outcome.ours.get(path), theirs.get(path)
        if ours != other:
            reason = reasons.get(path) or _same_lines(ours, other)
            tally.counts[f"paths that differ from Copier's: {reason}"] += 1
            if reason is None:
                tally.different.append(f"{path} of {project}")


def _same_lines(ours: tuple[int, bytes] | None, theirs: tuple[int, bytes] | None) -> str | None:
    if ours and theirs and ours[1].replace(b"\r\n", b"\n") == theirs[1].replace(b"\r\n", b"\n"):
        return "the user's line ends stay"
    return None


def _update_plainly(project: Path, switch: dict[str, str]) -> bool:
    """Do as `copier update` does, and return whether it succeeded."""
    try:
        copier.run_update(
            project,
            data=dict(switch),
            vcs_ref="v6.0.0",
            defaults=True,
            overwrite=True,
            quiet=True,
            settings=copier.Settings(),
        )
    except Exception:  # whatever it is: then there is nothing to compare with
        return False
    return True


def _check_unmerged(project: Path, plan: Plan) -> None:
    assert _list_unmerged(project) == set(plan.conflicts)
    assert not (project / ".git/mlscaffold/journal.json").exists()
    assert recover(plan.repository) is None


def _list_unmerged(project: Path) -> set[str]:
    return {line.partition("\t")[2] for line in git(project, "ls-files", "--unmerged").splitlines()}


def _files(project: Path) -> Files:
    found: Files = {}
    for place in project.iterdir():
        if place.is_dir() and place.name != ".git":
            below = {f"{place.name}/{path}": state for path, state in tree(place).items()}
            found |= {path: state for path, state in below.items() if not stat.S_ISDIR(state[0])}
        elif place.name != ".git":
            found[place.name] = (place.lstat().st_mode, place.read_bytes())
    return found


def _holds(files: Files, mark: str) -> bool:
    return any(_has(file, mark) for file in files.values())


def _has(file: tuple[int, bytes], mark: str) -> bool:
    return mark.encode() in file[1]


def no_step(message: str) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext()


def no_warning(message: str) -> None:
    raise AssertionError(message)


def some_edits(chance: random.Random) -> Callable[[str], Edit | None]:
    """A user who does something else to each file, and to some nothing."""
    return lambda path: chance.choice((*EDITS, None, None))
