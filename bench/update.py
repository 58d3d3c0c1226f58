"""How long `mlscaffold update --dry-run` of a default project takes, against `copier copy` of the same template.

    python bench/update.py [--rounds 7]

Both are installed from this clone into one environment, byte code included, and take turns, so that a busy machine is
busy for both. The template is a repository with two versions; Copier renders the newer one from there. What is counted
is the ratio of the medians; the wall clock of a busy machine says little, so the processor's time is shown beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
REACH = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles all that it imports
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        template, project, scripts = prepare(place)
        update = [str(scripts / "mlscaffold"), "update", "--dry-run", "-C", str(project)]
        copy = [str(scripts / "copier"), "copy", "--quiet", "--defaults", "--vcs-ref=v9999.1.0", str(template)]
        times: dict[str, list[tuple[float, float]]] = {"copier copy": [], "mlscaffold update --dry-run": []}
        for number in range(rounds + 1):  # the first round warms the caches and is not counted
            for name, command in (
                ("copier copy", [*copy, str(place / f"copy-{number}")]),
                ("mlscaffold update --dry-run", update),
            ):
                taken = timed(command)
                if number:
                    times[name].append(taken)
    base: tuple[float, float] | None = None
    for name, rows in times.items():
        wall = statistics.median(row[0] for row in rows)
        cpu = statistics.median(row[1] for row in rows)
        base = base or (wall, cpu)
        print(f"{name:30} {wall:6.2f} s ({wall / base[0]:4.2f} ×)   processor {cpu:5.2f} s ({cpu / base[1]:4.2f} ×)")
    print(f"reach: {REACH} ×; {rounds} rounds")


def prepare(place: Path) -> tuple[Path, Path, Path]:
    """Make a template with two versions, a project of the first, and an environment; return the last's scripts, too."""
    template = place / "mlscaffold"
    listing = run("git", "ls-files", "-z", cwd=ROOT)
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (template / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, template / name)
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
    run("git", "init", "-q", cwd=template)
    save(template, who, "v9999.0.0")
    run("uv", "venv", "-q", str(place / "venv"), cwd=place)
    python = ("--python", str(place / "venv"))
    run("uv", "pip", "install", "-q", "--compile-bytecode", *python, "-e", str(template), cwd=place)
    scripts = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    project = place / "churn"
    run(str(scripts / "mlscaffold"), "new", str(project), "--defaults", "--no-lock", "--no-git", cwd=place)
    run("git", "init", "-q", cwd=project)
    save(project, who)
    for name in ("README.md.jinja", "src/{{ package }}/serving.py"):
        with (template / "template" / name).open("a", encoding="utf-8") as file:
            file.write("# more\n")
    (template / "template/new.txt").write_text("new\n", "utf-8")
    save(template, who, "v9999.1.0")
    return template, project, scripts


def save(repository: Path, who: tuple[str, ...], tag: str | None = None) -> None:
    run("git", "add", "--all", "--force", cwd=repository)
    run("git", *who, "commit", "-q", "-m", "State", cwd=repository)
    if tag:
        run("git", "tag", tag, cwd=repository)


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command and return its seconds by the wall clock and of the processor, children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(*command: str, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


if __name__ == "__main__":
    main()
