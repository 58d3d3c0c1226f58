"""Which pairs a run of `pytest tests/proof` proves, in which order, and what it then writes into the record.

A pair is due when the record does not hold what it is made of now: what the template renders, the packages of its lock,
and the tests. All pairs that are due are proven, the oldest first, as far as the time allows; and of the others one in
turn, by the day. All tests of a pair run in one process, so that it is installed and trained once.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.conftest import ROOT
from tests.proof import record
from tests.proof.kinds import BARE, NAMES, NOTEBOOK
from tests.proof.project import Project
from tests.template.combinations import Template

MINUTES = 12
"""After so long no other pair is begun, so that a whole run stays below an hour on two processors."""

PAIRS = Path(__file__).with_name("pairs")
SHARED = ("conftest.py", "kinds.py", "project.py", "tasks.py")
"""What the tests of pairs are made of beside the tests themselves."""


def lock(pyproject: bytes) -> bytes:
    """Return the packages that uv chooses today, a line for each."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_bytes(pyproject)
        Project(Path(folder), "").tool("uv", "lock", "--quiet")
        locked = tomllib.loads(Path(folder, "uv.lock").read_text("utf-8"))
    packages = sorted(f"{package['name']} {package.get('version', '')}\n" for package in locked["package"])
    return "".join(packages).encode()


def contents(lock: Callable[[bytes], bytes] = lock) -> dict[str, str]:
    """Return the SHA-256 of all that decides whether a pair's tests pass, by the pair's name.

    Args:
        lock: returns the packages for what a pyproject.toml asks for.
    """
    template = Template(ROOT)
    tests = sorted([*PAIRS.glob("*.py"), *(PAIRS.parent / name for name in SHARED)])
    read = {f"proof/{path.name}": path.read_bytes() for path in tests}
    made = {name: _render(template, name) for name in NAMES}
    with ThreadPoolExecutor(2) as pool:
        locks = pool.map(lock, (files["pyproject.toml"] for files in made.values()))
        return {name: _digest({**made[name], **read, "uv.lock": each}) for name, each in zip(made, locks, strict=True)}


def choose(held: record.Record, current: Mapping[str, str], day: date) -> list[str]:
    """Return the pairs to prove: those that are due, the oldest record first, then one of the others in turn.

    Args:
        held: what has been proven.
        current: the content of each pair that is offered.
        day: by which one of the others has its turn.
    """
    due = [name for name in current if name not in held or held[name].content != current[name]]
    others = [name for name in current if name not in due]
    due.sort(key=lambda name: held[name].date if name in held else "")
    return due + others[day.toordinal() % len(others) :][:1] if others else due


def _render(template: Template, name: str) -> dict[str, bytes]:
    """Return the files of a pair's project by path, as Copier writes them, with those that are proven beside it."""
    combination = template.answer({**NAMES[name], **BARE, **NOTEBOOK})
    files = {}
    for source in template.sources:
        path = template.path_of(source, combination)
        if path is not None:
            content = (template.folder / source.path).read_bytes()
            made = template.render(content.decode(), combination.answers).encode() if source.is_template else content
            files[str(path)] = made
    return files


def _digest(parts: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(parts.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


@dataclass
class Seen:
    """What came of a pair's tests in this run."""

    wanted: int = 0
    ended: set[str] = field(default_factory=set)
    bad: bool = False
    left_out: bool = False
    in_part: bool = False
    told: dict[str, dict[str, Any]] = field(default_factory=lambda: {"versions": {}, "figures": {}})

    @property
    def is_proven(self) -> bool:
        """Whether every test that there is of it has passed, and was not just planned."""
        whole = len(self.ended) == self.wanted and not self.in_part
        return whole and all(self.told.values()) and not self.bad and not self.left_out


def is_part(files: Iterable[Path]) -> bool:
    """Tell whether tests of pairs are left out if just these files are run; a file may be of some pairs only."""
    return not set(PAIRS.glob("test_*.py")).issubset(files)


class ByPair(LoadFileScheduling):  # type: ignore[misc]
    """Gives a worker a pair at a time, and what is of no pair a file at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return pair_of(nodeid) or str(super()._split_scope(nodeid))


class Proving:
    """The plugin; with workers there is one in each process, and the one that has them writes."""

    def __init__(self, config: pytest.Config) -> None:
        self.seen: dict[str, Seen] = defaultdict(Seen)
        self.begun: dict[str, bool] = {}
        if hasattr(config, "workerinput"):
            self.chosen, self.end = config.workerinput["proof"]
            return
        config.option.loadscopereorder = False  # pairs come first: there is an end to their time
        self.contents = contents() if _asks_for_pairs(config.args) else {}
        everything = config.getoption("--prove-all")
        self.end = float("inf") if everything else time.time() + 60 * MINUTES
        self.chosen = list(self.contents) if everything else choose(record.read(), self.contents, date.today())

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> ByPair:
        """Give each pair to one worker."""
        return ByPair(config, log)

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what was chosen."""
        node.workerinput["proof"] = (self.chosen, self.end)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Take what was chosen, in that order, then the tests that are of no pair."""
        pairs = [pair_of(item.nodeid) for item in items]
        counts = Counter(pairs)
        in_part = is_part(item.path for item in items)
        chosen: list[tuple[int, pytest.Item]] = []
        for item, pair in zip(items, pairs, strict=True):
            if pair is None:
                chosen.append((len(self.chosen), item))
            elif pair in self.chosen:
                item.user_properties += [("wanted", counts[pair]), ("in part", in_part)]
                chosen.append((self.chosen.index(pair), item))
        taken = [item for _, item in sorted(chosen, key=lambda entry: entry[0])]
        left = set(items) - set(taken)
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = taken

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin no pair when the time is over; the first one is always begun."""
        pair = pair_of(item.nodeid)
        if pair is not None and not self.begun.setdefault(pair, time.time() < self.end or pair == self.chosen[0]):
            item.user_properties.append(("left out", True))
            pytest.skip(f"no pair is begun after {MINUTES} minutes")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what came of a test."""
        pair, properties = pair_of(report.nodeid), dict[str, Any](report.user_properties)
        if pair is None:
            return
        seen = self.seen[pair]
        seen.wanted = properties.get("wanted", seen.wanted)  # a worker that crashes says nothing
        seen.bad |= report.failed
        seen.left_out |= "left out" in properties
        seen.in_part |= properties.get("in part", False)
        for kind, known in seen.told.items():
            known.update(properties.get(kind, {}))
        if report.when == "teardown":
            seen.ended.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what has been proven."""
        proven = [name for name, seen in self.seen.items() if seen.is_proven]
        if proven and not hasattr(session.config, "workerinput"):
            today = date.today().isoformat()
            new = {name: record.Entry(today, self.contents[name], **self.seen[name].told) for name in proven}
            record.write({**record.read(), **new})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was proven, and what was not."""
        if not self.contents:
            return
        states = {name: self._state_of(name) for name in self.contents}
        terminalreporter.section("pairs")
        for state in dict.fromkeys(states.values()):
            names = [name for name, its in states.items() if its == state]
            terminalreporter.line(f"{state}: {', '.join(names)}")

    def _state_of(self, name: str) -> str:
        if name not in self.chosen:
            return "proven before as they are now"
        if name not in self.seen:
            return "not run"
        seen = self.seen[name]
        if seen.is_proven:
            return "proven, and written into the record"
        if seen.left_out:
            return f"left out, as {MINUTES} minutes were over (run again, or with --prove-all)"
        return "failed" if seen.bad else "run in part, which proves nothing"


def pair_of(nodeid: str) -> str | None:
    """Return the name of the pair that a test is about, which begins its parameters."""
    test, _, parameters = nodeid.partition("[")
    names = (name for name in NAMES if f"{parameters[:-1]}-".startswith(f"{name}-"))
    return max(names, key=len, default=None) if "/pairs/" in test else None


def _asks_for_pairs(arguments: Sequence[str]) -> bool:
    """Tell whether any of pytest's paths may hold tests of pairs; what they are made of takes seconds to find out."""
    paths = [Path(argument.partition("::")[0]).absolute() for argument in arguments]
    return any(PAIRS.is_relative_to(path) or path.is_relative_to(PAIRS) for path in paths)
