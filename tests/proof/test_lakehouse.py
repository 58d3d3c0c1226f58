"""Tables of a lakehouse: real Delta tables, here and in the object stores, and Iceberg tables with a real catalog."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.proof.bare import make_bare
from tests.proof.project import Project
from tests.proof.shipping.stores import STORES, emulate

TABLE = "data/credit.csv"
DELTA = """
import sys
import polars as pl
rows = pl.read_csv(sys.argv[2], infer_schema=False)
rows[:600].write_delta(sys.argv[1], credential_provider=None)
rows.write_delta(sys.argv[1], mode="overwrite", credential_provider=None)
"""
ICEBERG = """
import sys
import polars as pl
from pyiceberg.catalog import load_catalog
catalog, rows = load_catalog("lake"), pl.read_csv(sys.argv[1], infer_schema=False).to_arrow()
catalog.create_namespace("shop")
catalog.create_table("shop.empty", schema=rows.schema)
table = catalog.create_table("shop.credit", schema=rows.schema)
for part in (rows[:600], rows):
    table.overwrite(part)
    print(table.current_snapshot().snapshot_id)
"""
OLDEST = ("polars==1.36.1", "deltalake==1.1.0", "pyiceberg==0.10.0")


@pytest.fixture(scope="module")
def made(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with the drivers that the command asked for; nothing in it may be changed."""
    project = make_bare(template_repo, tmp_path_factory.mktemp("lakehouse"))
    elsewhere = project.elsewhere(tmp_path_factory.mktemp("asking"))
    for table in ("delta:credit", "iceberg:shop.credit"):
        source(elsewhere, table)
        told = elsewhere.refuses("data")
        found = re.search(r"its driver is not installed; run: (uv add .*)", told)
        assert found, told
        project.tool(*shlex.split(found[1]))
    return project


@pytest.fixture
def job(made: Project, tmp_path: Path) -> Project:
    """Return the project in a folder of its own, with a catalog of Iceberg tables there."""
    catalog = {"URI": f"sqlite:///{tmp_path}/catalog.db", "WAREHOUSE": tmp_path.as_uri()}
    return made.elsewhere(tmp_path).with_env(**{f"PYICEBERG_CATALOG__LAKE__{k}": v for k, v in catalog.items()})


def source(project: Project, uri: str) -> None:
    """Let a project read something else."""
    path = project.cwd / "params.yaml"
    text, times = re.subn(r"  source: .*\n", lambda _: f"  source: {uri}\n", path.read_text("utf-8"))
    assert times == 1
    path.write_text(text, "utf-8")


def run(job: Project, script: str, *arguments: str, packages: tuple[str, ...] = ()) -> str:
    """Run a script in the project's environment, with other packages where some are named."""
    options = [word for package in packages for word in ("--with", package)]
    return job.tool("uv", "run", "--project", job.folder, *options, "python", "-c", script, *arguments).stdout


def recorded(job: Project) -> str:
    """Return the source in the record of the newest snapshot."""
    newest = max((job.cwd / "artifacts/snapshots").glob("*.json"), key=lambda path: path.stat().st_mtime)
    return str(json.loads(newest.read_text("utf-8"))["source"])


def test_a_delta_table_and_a_file_with_the_same_rows_make_the_same_snapshot(job: Project) -> None:
    here = job.json("data")
    run(job, DELTA, "lake/credit", TABLE)
    source(job, "delta:lake/credit")
    assert job.json("data") == here
    assert recorded(job) == "delta:lake/credit?version=1"
    source(job, "delta:lake/credit?version=0")
    assert job.json("data")["rows"] == 600
    job("pipeline")
    assert job.json("predict", "delta:lake/credit", "predictions.csv")["rows"] == here["rows"]
    for table, sentence in (
        ("delta:lake/absent", "absent"),
        ("delta:lake/credit?version=9", "version"),
        ("delta:lake/credit?version=newest", "delta:PLACE"),
    ):
        source(job, table)
        assert sentence in job.refuses("data")


def test_an_iceberg_table_and_a_file_with_the_same_rows_make_the_same_snapshot(job: Project) -> None:
    here = job.json("data")
    first, second = run(job, ICEBERG, TABLE).split()
    source(job, "iceberg:lake/shop.credit")
    assert job.json("data") == here
    assert recorded(job) == f"iceberg:lake/shop.credit?version={second}"
    source(job, f"iceberg:lake/shop.credit?version={first}")
    assert job.json("data")["rows"] == 600
    for table, sentence in (
        ("lake/shop.absent", "Table does not exist: shop.absent"),
        ("lake/shop.empty", "the table holds nothing yet"),
        ("lake/shop.credit?version=1", "snapshot ID not found: 1"),
        ("shop.credit", "PYICEBERG_CATALOG__DEFAULT__URI"),
    ):
        source(job, f"iceberg:{table}")
        assert sentence in job.refuses("data")


@pytest.mark.parametrize("kind", list(STORES))
def test_a_delta_table_lies_in_an_object_store(job: Project, kind: str) -> None:
    here = job.json("data")
    with emulate(STORES[kind]) as gate, gate.open():
        job = job.with_env(**gate.environment, BUCKET=gate.uri)
        run(job, DELTA, f"{gate.uri}/credit", TABLE)
        source(job, "delta:${BUCKET}/credit")
        assert job.json("data") == here
        assert recorded(job) == "delta:${BUCKET}/credit?version=1"


def test_the_oldest_versions_read_the_same(job: Project) -> None:
    told = run(job, "import polars as p, deltalake as d; print(p.__version__, d.__version__)", packages=OLDEST).split()
    assert told == [package.partition("==")[2] for package in OLDEST[:2]]
    here = job.json("data")
    run(job, DELTA, "lake/credit", TABLE)
    run(job, ICEBERG, TABLE)
    options = [word for package in OLDEST for word in ("--with", package)]
    for table in ("delta:lake/credit", "iceberg:lake/shop.credit"):
        source(job, table)
        done = job.tool("uv", "run", "--project", job.folder, *options, job.name, "data", "--json", code=0)
        assert json.loads(done.stdout)["rows"] == here["rows"]
