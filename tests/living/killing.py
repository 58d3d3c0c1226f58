"""`kill -9` of `update`, `set` and `adopt`: at random moments, and at chosen ones while the change is being made."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Cli, git, tree
from tests.living.house import FILES, House, lines, save

MODEL = "template/src/{{ package }}/model.py"
KILLED = "An update of this project was killed while it was being applied; all files are again as they were before it"

GIT = """\
#!/bin/sh
# Git, which kills the one who calls it at a chosen moment of applying.
[ "$PWD" = "$PROJECT" ] && case " $* " in
*" --check "*) ;;
*" apply "*)
    [ "$KILL" = before ] && kill -9 $PPID && exit 1
    {git} "$@" || exit
    case "$KILL" in
    half) # as if git itself had got half-way
        printf 'ne' > new.txt; rm -f src/churn/model.py; {git} checkout -q -- README.md; kill -9 $PPID ;;
    edited) printf 'somebody was here\\n' >> run.sh; kill -9 $PPID ;;
    after) kill -9 $PPID ;;
    esac
    exit 0 ;;
*" update-ref "*)
    [ "$KILL" = unborn ] && kill -9 $PPID && exit 1
    {git} "$@" || exit
    [ "$KILL" = born ] && kill -9 $PPID
    exit 0 ;;
*" update-index -z --index-info "*)
    [ "$KILL" = locked ] && : > .git/index.lock && kill -9 $PPID && exit 1
    {git} "$@" || exit
    [ "$KILL" = marked ] && kill -9 $PPID
    exit 0 ;;
esac
exec {git} "$@"
"""


def forsake(project: Path) -> None:
    """Make a project a repository that follows no template and lacks files of it."""
    git(project, "rm", "-q", ".copier-answers.yml", "run.sh", "src/churn/data.py")
    save(project, "Forsake the template")


def prepare(house: House, project: Path) -> None:
    """Edit a project and release a version that adds, changes, removes and conflicts."""
    (project / "src/churn/model.py").write_text(lines("# model", at_3="# mine"), "utf-8")
    save(project)
    house.release(
        "v2.0.0",
        {
            MODEL: lines("# model", at_3="# theirs"),
            "template/README.md.jinja": FILES["template/README.md.jinja"] + "more\n",
            "template/run.sh": FILES["template/run.sh"] + "# more\n",
            "template/src/{{ package }}/old.py": None,
            "template/new.txt": "new\n",
            "template/folder/deep/new.txt": "new\n",
        },
    )


def state(project: Path) -> dict[str, object]:
    """Return all that counts: files, modes, and git's view of them."""
    files: dict[str, object] = {path: one for path, one in tree(project).items() if not path.startswith(".git/")}
    refs = git(project, "for-each-ref", "--format=%(refname) %(tree) %(parent)")
    index = git(project, "ls-files", "--stage")
    return {**files, ":index": index, ":status": git(project, "status", "--porcelain"), ":refs": refs}


def kill_while_applying(cli: Cli, project: Path, moment: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Update with a git that kills its caller, then return what the next call says, which has to repair everything."""
    before = state(project)
    _killed(cli, project, moment, folder, "update")
    assert (project / ".git/mlscaffold/journal.json").exists()
    said = cli("status", "-C", project, "--json", code=4)
    assert KILLED in said.stderr
    assert state(project) == before
    assert not (project / ".git/mlscaffold/journal.json").exists()
    assert KILLED not in cli("status", "-C", project, "--json", code=4).stderr
    return said


def kill_while_adopting(cli: Cli, project: Path, moment: str, folder: Path) -> str:
    """Adopt a repository with a git that kills its caller, insist that nothing is half done, and return the branch."""
    before = state(project)
    _killed(cli, project, moment, folder, "adopt")
    now = state(project)
    assert {**now, ":refs": ""} == {**before, ":refs": ""}
    git(project, "fsck", "--strict")
    return git(project, "for-each-ref", "--format=%(refname)", "refs/heads/mlscaffold")


def _killed(cli: Cli, project: Path, moment: str, folder: Path, command: str) -> None:
    (folder / "bin").mkdir()
    wrapper = folder / "bin/git"
    wrapper.write_text(GIT.replace("{git}", str(shutil.which("git"))), "utf-8")
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    cli(command, "-C", project, "--json", code=-signal.SIGKILL, PATH=path, KILL=moment, PROJECT=str(project))


def kill_often(cli: Cli, project: Path, times: int, seed: int, words: Callable[[Path], list[str]]) -> Counter[str]:
    """Kill a command on a project at random moments, with or without the git processes that it has started.

    Returns:
        How often a run was "killed" before its end, left the project as "before" or as "after" it, or was "repaired".
    """
    spare = project.parent / "spare"
    shutil.copytree(project, spare / project.name, symlinks=True)
    started = time.monotonic()
    _run(cli, *words(spare / project.name))
    duration = time.monotonic() - started
    wanted = state(spare / project.name)
    first = state(project)
    assert wanted != first
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    for number in range(times):
        shutil.rmtree(spare)
        shutil.copytree(project, spare / project.name, symlinks=True)
        victim = spare / project.name
        git(victim, "status")  # the copy has other inodes: git looks at them once
        # All that matters happens in the last part, so most of the kills are there.
        moment = chance.uniform(0, 1.05 * duration) if number % 4 == 0 else chance.uniform(0.6, 1.05) * duration
        process = subprocess.Popen(
            [*cli.command, *words(victim)],
            cwd=cli.cwd,
            env=cli.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moment)
        if number % 2:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        seen["killed"] += process.wait() == -signal.SIGKILL
        left = (victim / ".git/mlscaffold/journal.json").exists()
        said = _run(cli, "status", "-C", str(victim), "--json")
        now = state(victim)
        where = f"killed after {moment:.3f} s of {duration:.3f} (seed {seed}, number {number})"
        assert now in (first, wanted), where
        if KILLED in said.stderr:
            seen["repaired"] += 1
            assert now == first, where
        else:
            assert not left, where
        seen["before" if now == first else "after"] += 1
        git(victim, "fsck", "--strict")
    return seen


def _run(cli: Cli, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*cli.command, *words],
        cwd=cli.cwd,
        env=cli.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
