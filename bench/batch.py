"""How fast, and in how much memory, a generated project predicts a table.

    uv run python bench/batch.py [--rows 5000000] [--rounds 3]

The table is narrow: an id, four numbers and one category of eight values, 30 % of one column missing. The model is the
default one (gradient boosting with 120 trees), trained on 20 000 such rows. Each size and format is predicted by
`churn predict IN OUT`, start of the process included; the peak of its resident memory is what the kernel reports. That
memory is bounded shows when the larger table, five times as long, takes about as much as the smaller one. Needs uv and
a network.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from generated import PACKAGE, Project

REACH = 200_000
SCHEMA = '''"""The contract of a narrow table."""

from .core.contract.columns import Category, Column, Number

ROW_ID = "id"
TARGET = "answer"
LABELS = ("no", "yes")
INPUTS: tuple[Column, ...] = (
    Number(name="a", minimum=0, maximum=1),
    Number(name="b", nullable=True),
    Number(name="c"),
    Number(name="d"),
    Category(name="kind", values=tuple("pqrstuvw")),
)
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {"kind": ()}
'''
# Runs in the project's environment, which has NumPy and Polars.
MAKE = """
import sys
import numpy as np
import polars as pl

rows, *paths = sys.argv[1:]
rows = int(rows)
random = np.random.default_rng(0)
frame = pl.DataFrame({
    "id": np.arange(rows),
    "a": random.random(rows),
    "b": np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows)),
    "c": random.normal(size=rows).round(3),
    "d": random.integers(0, 1000, rows),
    "kind": np.array(list("pqrstuvw"))[random.integers(0, 8, rows)],
}).with_columns(pl.col("b").fill_nan(None), noise=random.normal(size=rows))
score = pl.col("a") + 0.3 * (pl.col("c") + pl.col("noise"))
frame = frame.with_columns(answer=pl.when(score > 0.5).then(pl.lit("yes")).otherwise(pl.lit("no"))).drop("noise")
for path in paths:
    frame.write_csv(path) if path.endswith(".csv") else frame.write_parquet(path)
"""


@dataclass
class Case:
    """A table to be predicted, and what its rounds took."""

    path: Path
    rows: int
    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the larger table")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        project = Project.make(Path(folder, "churn"))
        cases = prepare(project, options.rows)
        for _ in range(options.rounds):
            for case in cases:
                measure(project, case)
        report(cases)


def prepare(project: Project, rows: int) -> list[Case]:
    """Give the project another schema, a model of it, and tables to predict."""
    (project.path / "src" / PACKAGE / "schema.py").write_text(SCHEMA)
    params = project.path / "params.yaml"
    params.write_text(re.sub(r"source: \S+", "source: data/narrow.csv", params.read_text()))
    make(project, 20_000, "data/narrow.csv")
    project.run(*project.command("pipeline"), cwd=project.path)
    cases = []
    for size in (rows // 5, rows):
        names = [f"{size}.parquet", f"{size}.csv"]
        make(project, size, *names)
        cases += [Case(project.path / name, size) for name in names]
    return cases


def make(project: Project, rows: int, *paths: str) -> None:
    project.run(str(project.bin / "python"), "-c", MAKE, str(rows), *paths, cwd=project.path)


def measure(project: Project, case: Case) -> None:
    out = project.path / "out"
    start = time.perf_counter()
    process = subprocess.Popen(
        project.command("predict", str(case.path), str(out), "--json"),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.PIPE,
    )
    done = json.load(process.stdout)  # type: ignore[arg-type]
    _, status, usage = os.wait4(process.pid, 0)
    case.seconds.append(time.perf_counter() - start)
    case.peak_mb.append(usage.ru_maxrss / 1024)  # Linux gives kilobytes
    if status or done["rows"] != case.rows or done["invalid"]:
        raise SystemExit(f"{case.path} was not predicted whole: {done}")
    shutil.rmtree(out)


def report(cases: list[Case]) -> None:
    print(
        f"{'format':<10}{'rows':>12}{'seconds':>10}{'rows/s':>12}{'peak MB':>10}    (medians; reach: {REACH:,} rows/s)"
    )
    for case in cases:
        seconds, peak = statistics.median(case.seconds), statistics.median(case.peak_mb)
        rate = case.rows / seconds
        print(f"{case.path.suffix[1:]:<10}{case.rows:>12,}{seconds:>10.1f}{rate:>12,.0f}{peak:>10.0f}")
    print(f"medians; reach: {REACH:,} rows/s")
    print(f"load of the machine (1, 5, 15 minutes): {os.getloadavg()}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
