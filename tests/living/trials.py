"""A template with a past of every kind of change, users with every kind of habit, and what becomes of their lines."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import copier
from plumbum import local

from mlscaffold.template.render import ANSWERS_FILE
from mlscaffold.update.apply import recover
from mlscaffold.update.plan import Plan, Request, open_plan
from tests.cli.conftest import git, in_clone, tree
from tests.living.house import FILES, QUESTIONS, House, lines, save

SRC = "template/src/{{ package }}"
ANSWERS = ((), ("ci=gitlab",), ("cloud=gcp", "size=large"))
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
            given = [word for answer in answers for word in ("--set", answer.replace("ci=", _name_of_ci(version)))]
            folder = place / version / str(number)
            folder.mkdir(parents=True)
            cli = in_clone(house.root, folder)
            cli("new", "churn", "--defaults", "--no-lock", "--set", "project_name=Churn", *given)
            made.setdefault(version, []).append(folder / "churn")
        release(house)
        version = following
    return made


def _name_of_ci(version: str) -> str:
    return "ci=" if version < "v4" else "pipeline="


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
        command = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated", "--no-cache", "--line-length=88"]
        subprocess.run([*command, project / path], check=True)


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
@dataclass
class Tally:
    """What was seen in all trials."""

    counts: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        verdicts = ", ".join(f"{count} {name}" for name, count in sorted(self.verdicts.items()))
        return f"{counts}; verdicts: {verdicts}"


def edited(made: Path, project: Path, edit_of: Callable[[str], Edit | None]) -> dict[str, str]:
    """Copy a project, let a user at it and commit; return the marks of the lines that they wrote, with their files."""
    shutil.copytree(made, project)
    marks = {}
    for number, path in enumerate(git(project, "ls-files", "-z").rstrip("\0").split("\0")):
        edit = None if path in (ANSWERS_FILE, ".gitattributes") else edit_of(path)
        if edit is use_crlf:
            (project / ".gitattributes").write_text("* -text\n", "utf-8")
        if edit:
            mark = f"# mark {number:03}"
            edit(project, path, mark)
            marks[mark] = path
    save(project)
    return marks


def try_one(house: House, project: Path, marks: dict[str, str], switch: dict[str, str], tally: Tally) -> None:
    """Update a project to the newest version: no line is lost, and Copier comes out the same but for known reasons."""
    tally.counts["trials"] += 1
    before = _files(project)
    written = {mark for mark in marks if _holds(before, mark)}
    twin = project.parent / "twin"
    shutil.copytree(project, twin / project.name)

    with open_plan(Request(str(project), switch), no_step, no_warning) as plan:
        assert _files(project) == before
        tally.verdicts.update(file.verdict.value for file in plan.files)
        plan.apply()
        after = _files(project)
        _check_unmerged(project, plan)

    tally.counts["lines written"] += len(written)
    for mark in sorted(written):
        if _holds(after, mark):
            tally.counts["lines kept"] += 1
        else:
            tally.silent.append(f"{marks[mark]} of {project}")
    for path, (mode, _) in before.items():
        if mode & 0o100 and path in after and not after[path][0] & 0o100:
            tally.silent.append(f"the executable bit of {path} of {project}")

    if _plain(house, twin / project.name, switch):
        tally.counts["compared with Copier"] += 1
        theirs = _files(twin / project.name)
        reasons = _reasons(plan, marks, written, theirs, twin / project.name)
        for path in sorted({*after, *theirs}):
            if after.get(path) != theirs.get(path):
                reason = reasons.get(path) or _same_lines(after.get(path), theirs.get(path))
                tally.counts[f"paths that differ from Copier's: {reason}"] += 1
                if reason is None:
                    tally.different.append(f"{path} of {project}")
    shutil.rmtree(twin)


def _reasons(
    plan: Plan, marks: dict[str, str], written: set[str], theirs: dict[str, tuple[int, bytes]], twin: Path
) -> dict[str, str]:
    """Return why a path may differ from what Copier makes of it."""
    moved = [file for file in plan.files if "moved" in file.note]
    reasons = {path: "we follow what was moved" for file in moved for path in (file.path, file.note.split()[-1])}
    reasons |= {file.path: "deleted stays deleted" for file in plan.files if "deleted it, as" in file.note}
    unmerged = {line.partition("\t")[2] for line in git(twin, "ls-files", "--unmerged").splitlines()}
    reasons |= dict.fromkeys({*plan.conflicts, *unmerged}, "a conflict, on one side at least")
    lost = [marks[mark] for mark in written if not _holds(theirs, mark)]
    return reasons | dict.fromkeys(lost, "Copier loses the user's line")


def _same_lines(ours: tuple[int, bytes] | None, theirs: tuple[int, bytes] | None) -> str | None:
    if ours and theirs and ours[1].replace(b"\r\n", b"\n") == theirs[1].replace(b"\r\n", b"\n"):
        return "the user's line ends stay"
    return None


def _plain(house: House, project: Path, switch: dict[str, str]) -> bool:
    """Do as `copier update` does, and return whether it succeeded."""
    with local.env(**house.redirect(project.parent / "cache")):
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
    unmerged = {line.partition("\t")[2] for line in git(project, "ls-files", "--unmerged").splitlines()}
    assert unmerged == set(plan.conflicts)
    assert not (project / ".git/mlscaffold/journal.json").exists()
    assert recover(plan.repository) is None


def _files(project: Path) -> dict[str, tuple[int, bytes]]:
    folders = 0o040000
    return {
        path: state
        for path, state in tree(project).items()
        if not path.startswith(".git/") and path != ".git" and state[0] & 0o170000 != folders
    }


def _holds(files: dict[str, tuple[int, bytes]], mark: str) -> bool:
    return any(mark.encode() in content for _, content in files.values())


def no_step(message: str) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext()


def no_warning(message: str) -> None:
    raise AssertionError(message)


def some_edits(seed: int) -> Callable[[str], Edit | None]:
    """A user who does something else to each file, and to some nothing."""
    chance = random.Random(seed)
    return lambda path: chance.choice((*EDITS, None, None))
