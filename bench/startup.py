"""How long it takes until something happens: `mlscaffold` against its peers, in one run.

    python bench/startup.py [--rounds 15] [--ccds-template FOLDER]

Everything is installed into environments of its own, byte code included (without it Python compiles on every start,
which is what one would measure then). The commands take turns, so that a busy machine is busy for all of them. Needs uv
and a network; cookiecutter-data-science fetches its template from GitHub at each run, so that its `new` is only
measured with a clone of it at hand.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass
class Contender:
    """A command to be timed; a function of a fresh path makes it, so that each run has a place of its own."""

    name: str
    command: Callable[[Path], list[str]]
    against: str = ""
    reach: str = ""
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median in seconds."""
        return statistics.median(self.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--ccds-template", type=Path, help="a clone of drivendataorg/cookiecutter-data-science")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        contenders = prepare(Path(folder), options.ccds_template)
        measure(contenders, options.rounds, Path(folder, "runs"))
    report(contenders)


def prepare(folder: Path, ccds_template: Path | None) -> list[Contender]:
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(folder / "dist"), str(ROOT))
    (wheel,) = (folder / "dist").glob("*.whl")
    ours = install(folder / "ours", str(wheel))
    ccds = install(folder / "ccds", "cookiecutter-data-science")
    kedro = install(folder / "kedro", "kedro")
    (embedded,) = (folder / "ours").glob("lib/python*/site-packages/mlscaffold/_template")
    # A copy of its own, as a folder and as the repository that `copier copy` meets elsewhere.
    plain, repository = folder / "plain", folder / "repository"
    for copy in (plain, repository):
        shutil.copytree(embedded, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "x"], ["tag", "v1.0.0"]):
        run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(repository), *command)

    def copier(source: Path) -> Callable[[Path], list[str]]:
        data = ["--data", "project_name=churn"]
        return lambda place: [f"{ours}/copier", "copy", "--quiet", "--defaults", *data, str(source), str(place)]

    contenders = [
        Contender("python -c pass", lambda _: [f"{ours}/python", "-c", "pass"]),
        Contender("mlscaffold --version", lambda _: [f"{ours}/mlscaffold", "--version"], reach="0.05 s"),
        Contender("copier --version", lambda _: [f"{ours}/copier", "--version"], "mlscaffold --version"),
        Contender("ccds --version", lambda _: [f"{ccds}/ccds", "--version"], "mlscaffold --version"),
        Contender("kedro --version", lambda _: [f"{kedro}/kedro", "--version"], "mlscaffold --version"),
        Contender("mlscaffold --help", lambda _: [f"{ours}/mlscaffold", "--help"], reach="0.16 s"),
        Contender("copier --help", lambda _: [f"{ours}/copier", "--help"], "mlscaffold --help"),
        Contender("ccds --help", lambda _: [f"{ccds}/ccds", "--help"], "mlscaffold --help"),
        Contender("kedro --help", lambda _: [f"{kedro}/kedro", "--help"], "mlscaffold --help"),
        Contender("mlscaffold options", lambda _: [f"{ours}/mlscaffold", "options"]),
        Contender(
            "mlscaffold new",
            lambda place: [
                f"{ours}/mlscaffold",
                "new",
                str(place),
                "--set",
                "project_name=churn",
                "--no-git",
                "--no-lock",
            ],
            reach="1.1 x copier copy",
        ),
        Contender("copier copy, folder", copier(plain), "mlscaffold new"),
        Contender("copier copy, repository", copier(repository), "mlscaffold new"),
        Contender(
            "kedro new",
            lambda place: [f"{kedro}/kedro", "new", "--name", place.name, "--tools", "none", "--example", "no"],
            "mlscaffold new",
        ),
    ]
    if ccds_template:
        command = [f"{ccds}/ccds", "--no-input", "--default-config", str(ccds_template), "-o"]
        contenders.append(Contender("ccds", lambda place: [*command, str(place)], "mlscaffold new"))
    return contenders


def install(place: Path, package: str) -> Path:
    """Install a package with its byte code into an environment of its own and return the folder of its commands."""
    run("uv", "venv", "--quiet", str(place))
    run("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(place), package)
    return place / "bin"


def measure(contenders: list[Contender], rounds: int, folder: Path) -> None:
    folder.mkdir()
    for number in range(rounds + 1):
        for index, contender in enumerate(contenders):
            command = contender.command(folder / f"churn{number}x{index}")
            started = time.perf_counter()
            run(*command, cwd=folder)
            seconds = time.perf_counter() - started
            if number:  # the first round is for the caches
                contender.seconds.append(seconds)


def report(contenders: list[Contender]) -> None:
    medians = {contender.name: contender.median for contender in contenders}
    print(f"{'command':26}{'median':>9}{'least':>9}   {'times ours':>10}   reach")
    for contender in contenders:
        ratio = f"{contender.median / medians[contender.against]:.2f}" if contender.against else ""
        print(
            f"{contender.name:26}{contender.median:7.3f} s{min(contender.seconds):7.3f} s   {ratio:>10}   "
            f"{contender.reach}".rstrip()
        )


def run(*command: str, cwd: Path | None = None) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"DO_NOT_TRACK": "1", "KEDRO_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
