"""Whether this machine has the programs that a project's instructions and scripts call, and is logged in with them."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

PLACES = ("README.md", "deploy/**/README.md", "deploy/**/*.sh", "infra/README.md", "scripts/*")
"""Where a project tells people and CI what to run."""

VERSIONS: Mapping[str, str] = {
    "git": "git --version",
    "uv": "uv --version",
    "curl": "curl --version",
    "docker": "docker version --format {{.Server.Version}}",  # fails where no engine answers
    "docker buildx": "docker buildx version",
    "docker compose": "docker compose version",
    "terraform": "terraform version",
    "kubectl": "kubectl version --client",
    "kubelogin": "kubelogin --version",
    "helm": "helm version",
    "aws": "aws --version",
    "gcloud": "gcloud --version",
    "az": "az version",
    "gh": "gh --version",
    "glab": "glab --version",
    "jq": "jq --version",
    "cosign": "cosign version",
}
"""What prints the version of each program that a project may call."""

LOGINS: Mapping[str, str] = {
    "kubectl": "kubectl auth whoami",  # asks the cluster
    "aws": "aws sts get-caller-identity",
    "gcloud": "gcloud auth print-access-token",
    "az": "az account get-access-token",
    "gh": "gh auth status",
    "glab": "glab auth status",
}
"""What fails where nobody is logged in. What it prints is read by nobody: it may be a token."""

LEAST: Mapping[str, tuple[int, ...]] = {"terraform": (1, 11)}
"""The oldest version that will do, where a project asks for one."""

ALWAYS = ("git", "uv")
SECONDS = 20
"""The longest that a program may take to answer; `gcloud` and `az` need a few."""

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"^\s*#.*", re.MULTILINE)
_VERSION = re.compile(r"\d+(?:\.\d+)+")


class State(StrEnum):
    """How a program is."""

    OK = "ok"
    OLD = "old"
    MISSING = "missing"
    FAILS = "fails"
    NO_LOGIN = "no login"


@dataclass(frozen=True)
class Finding:
    """What is known about one program.

    Attributes:
        name: that of the program.
        state: how it is.
        version: its version; empty if it told none.
        needed_by: the files of the project that call it; empty if everything does.
        note: what is wrong; empty if nothing is.
    """

    name: str
    state: State
    version: str
    needed_by: tuple[str, ...]
    note: str = ""


def examine(root: Path, *, logins: bool = False) -> list[Finding]:
    """Look for each program that the project in a folder calls, in the order of `VERSIONS`.

    Args:
        root: the project's folder.
        logins: whether to find out, too, who is logged in, which takes a network.
    """
    callers = {program: tuple(sorted(files)) for program, files in _find_callers(root).items()}
    found = [_examine(program, callers.get(program, ())) for program in VERSIONS if program in {*ALWAYS, *callers}]
    return [_log_in(finding) for finding in found] if logins else found


def _find_callers(root: Path) -> dict[str, set[str]]:
    callers: dict[str, set[str]] = {}
    for path in {path for place in PLACES for path in root.glob(place) if path.is_file()}:
        for program in find_calls(path.name, path.read_text("utf-8", "replace")):
            if program not in ALWAYS:
                callers.setdefault(program, set()).add(path.relative_to(root).as_posix())
    return callers


def find_calls(name: str, text: str) -> Iterator[str]:
    """Yield the known programs that a script calls or, in Markdown, its shell blocks."""
    code = "\n".join(_BLOCK.findall(text)) if name.endswith(".md") else text
    code = _COMMENT.sub("", code)
    for program in VERSIONS:
        if re.search(rf"(?<![\w./-]){program}(?= )", code):
            yield program


def _examine(program: str, needed_by: tuple[str, ...]) -> Finding:
    command = VERSIONS[program].split()
    if shutil.which(command[0]) is None:
        return Finding(program, State.MISSING, "", needed_by, f"{command[0]} is not on the PATH")
    said, wrong = _call(command)
    if wrong:
        return Finding(program, State.FAILS, "", needed_by, wrong)
    found = _VERSION.search(said)
    version = found[0] if found else ""
    least = LEAST.get(program)
    if least and version and tuple(map(int, version.split("."))) < least:
        return Finding(program, State.OLD, version, needed_by, f"{'.'.join(map(str, least))} or newer is required")
    return Finding(program, State.OK, version, needed_by)


def _log_in(finding: Finding) -> Finding:
    """Return what is known about a program, with what is wrong with its login."""
    if finding.state != State.OK or finding.name not in LOGINS:
        return finding
    _, wrong = _call(LOGINS[finding.name].split())
    return replace(finding, state=State.NO_LOGIN, note=wrong) if wrong else finding


def _call(command: list[str]) -> tuple[str, str]:
    """Call a program; return what it prints, and what is wrong if it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {SECONDS} seconds"
    except OSError as error:
        return "", str(error)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return "", (lines or [f"{' '.join(command)} ended with {done.returncode}"])[0]
    return done.stdout, ""
