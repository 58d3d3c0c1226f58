"""The proof's record: what was seen of each pair, and the tables that are made from it.

Only a run of the proof writes it. `python -m tests.proof.record` makes the tables anew, after a merge for instance.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.proof.kinds import DECISIVE, NAMES
from tests.template.combinations import load_yaml

PATH = Path(__file__).with_name("record.json")
README = ROOT / "README.md"
PAGE = ROOT / "docs/guide/proof.md"
REFERENCE = "sklearn"
"""The framework beside whose metric the others' stand: same rows, same split."""

_TABLE = re.compile(r"^\| Task \| Framework \|.*?\n(?=\n)", re.DOTALL | re.MULTILINE)
_ALWAYS = ("lint, types, tests", "train, gate", "serve, batch, drift", "other data")


@dataclass(frozen=True)
class Entry:
    """What was seen when all tests of a pair passed.

    Attributes:
        date: the day, as in 2026-11-27.
        content: the SHA-256 of what was proven: the project, the packages of its lock, the tests.
        versions: of Python and of the packages that no other code of the project imports but the model's.
        figures: what was measured, by name.
    """

    date: str
    content: str
    versions: Mapping[str, str]
    figures: Mapping[str, Any]


Record = Mapping[str, Entry]
"""Entries by the names of their pairs."""

Table = Callable[[Record], str]
"""What makes a table of a record."""


def read() -> Record:
    """Return the record."""
    return {name: Entry(**entry) for name, entry in json.loads(PATH.read_text("utf-8")).items()}


def write(record: Record) -> None:
    """Write the record, without pairs that are not offered any more, and its tables."""
    entries = {name: dataclasses.asdict(record[name]) for name in NAMES if name in record}
    PATH.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", "utf-8")
    write_tables(record)


def write_tables(record: Record) -> None:
    """Write the tables into the README and the guide."""
    for path, table in ((README, short_table(record)), (PAGE, long_table(record))):
        text, count = _TABLE.subn(lambda _, table=table: table, path.read_text("utf-8"))  # type: ignore[misc]
        assert count == 1, f"{path} has {count} tables of pairs"
        path.write_text(text, "utf-8")


def short_table(record: Record) -> str:
    """Return the table that says which pairs are proven, and how good their models are."""
    rows = []
    for name, (task, framework) in _offered(record):
        rows.append([task, framework, *["✓"] * len(_ALWAYS), _metric(record[name]), record[name].date])
    return _table(["Task", "Framework", *_ALWAYS, "held-out metric", "proven on"], rows)


def long_table(record: Record) -> str:
    """Return the table of all figures."""
    rows = []
    for name, (task, framework) in _offered(record):
        entry, figures = record[name], record[name].figures
        beside = record.get("-".join([*name.split("-")[:1], REFERENCE]))
        rows.append(
            [
                task,
                framework,
                _metric(entry),
                f"{beside.figures['value']:.3f}" if beside else "",
                f"{round(figures['naive'], 3) + 0.0:.3f}",
                f"{figures['processor_seconds']:.0f}",
                f"{figures['environment_mb']:.0f}",
                f"{figures['serving_environment_mb']:.0f}",
                f"{figures['bundle_kb']:.0f}",
                f"{figures['row_ms']:.1f}",
                ", ".join(" ".join(version) for version in entry.versions.items()),
                entry.date,
            ]
        )
    head = ["Task", "Framework", "Held-out metric", "scikit-learn's", "Naive", "First prediction, s", "Installed, MB"]
    return _table([*head, "To serve, MB", "Bundle, kB", "One row, ms", "Versions", "Proven on"], rows)


def _offered(record: Record) -> Iterator[tuple[str, list[str]]]:
    """Yield the names of the pairs in the record, as the template orders them, each with its titles for people."""
    (config,) = load_yaml((ROOT / "copier.yml").read_text("utf-8"))
    for name, kind in NAMES.items():
        if name in record:
            yield name, [_title(config[question]["choices"], kind[question]) for question in DECISIVE]


def _title(choices: Mapping[str, Any], value: object) -> str:
    values = {label: choice["value"] if isinstance(choice, dict) else choice for label, choice in choices.items()}
    return next(label.partition(":")[0] for label, each in values.items() if each == value)


def _metric(entry: Entry) -> str:
    figures = entry.figures
    return f"{figures['metric']} {figures['value']:.3f} [{figures['low']:.3f}, {figures['high']:.3f}]"


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = [":-:" if title in _ALWAYS else "---" for title in head]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, rule, *rows])


if __name__ == "__main__":
    write_tables(read())
