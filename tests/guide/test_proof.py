"""What README and guide say was seen working is in the proof's record, and the record decides what is proven next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.proof import record
from tests.proof.kinds import NAMES
from tests.proof.proving import PAIRS, Seen, choose, contents, is_part, pair_of
from tests.proof.record import Entry

DAY = date(2026, 11, 27)


def entry(day: str, content: str) -> Entry:
    return Entry(day, content, {}, {})


def test_every_pair_that_is_offered_was_proven_and_no_other_is_in_the_record() -> None:
    assert record.read().keys() == NAMES.keys()


@pytest.mark.parametrize(("path", "table"), [(record.README, record.short_table), (record.PAGE, record.long_table)])
def test_the_tables_are_made_from_the_record(path: Path, table: record.Table) -> None:
    assert f"\n{table(record.read())}\n" in path.read_text("utf-8")


def test_another_figure_would_be_noticed() -> None:
    held = record.read()
    name, of = next(iter(held.items()))
    other = {**held, name: replace(of, figures={**of.figures, "value": 0.0})}
    assert record.short_table(other) != record.short_table(held)
    assert record.long_table(other) != record.long_table(held)


def test_what_has_changed_is_proven_the_oldest_first_and_the_unknown_before() -> None:
    held = {"a": entry("2026-11-02", "1"), "b": entry("2026-11-01", "1"), "c": entry("2026-11-03", "1")}
    current = {"a": "2", "b": "2", "c": "1", "new": "1"}
    assert choose(held, current, DAY) == ["new", "b", "a", "c"]
    assert choose({}, {"a": "1", "b": "1"}, DAY) == ["a", "b"]


def test_one_pair_is_proven_in_turn_where_nothing_has_changed() -> None:
    held = {name: entry("2026-11-01", "1") for name in "abc"}
    days = [choose(held, dict.fromkeys("abc", "1"), DAY + timedelta(days=n)) for n in range(3)]
    assert sorted(days) == [["a"], ["b"], ["c"]]


def test_a_pair_is_its_own_content() -> None:
    found = contents(lambda _: b"packages")
    assert len(set(found.values())) == len(NAMES)
    others = contents(lambda _: b"other packages")
    assert all(others[name] != found[name] for name in NAMES)


def test_what_ran_in_part_or_failed_or_was_left_out_is_not_proven() -> None:
    whole = {f"tests/proof/pairs/{path.name}::test[x]" for path in PAIRS.glob("test_*.py")}
    told: dict[str, dict[str, Any]] = {"versions": {"Python": "3"}, "figures": {"value": 1.0}}
    assert Seen(len(whole), whole, told=told).is_proven
    assert not Seen(len(whole), whole).is_proven
    assert not Seen(len(whole) + 1, whole, told=told).is_proven
    assert not Seen(len(whole), set(list(whole)[1:]), told=told).is_proven
    assert not Seen(len(whole), whole, in_part=True, told=told).is_proven
    assert not Seen(len(whole), whole, bad=True, told=told).is_proven
    assert not Seen(len(whole), whole, left_out=True, told=told).is_proven
    files = sorted(PAIRS.glob("test_*.py"))
    assert not is_part([*files, PAIRS.parent / "test_docker.py"])
    assert is_part(files[1:])


def test_a_test_says_by_its_name_which_pair_it_is_about() -> None:
    for name in NAMES:
        assert pair_of(f"tests/proof/pairs/test_x.py::test[{name}]") == name
        assert pair_of(f"tests/proof/pairs/test_x.py::test[{name}-a command]") == name
        assert pair_of(f"tests/proof/pairs/test_x.py::test[{name}s]") is None
        assert pair_of(f"tests/proof/test_x.py::test[{name}]") is None
