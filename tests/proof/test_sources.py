"""Data from where they lie: a PostgreSQL server, and the object stores of three clouds, emulated."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof.bare import make_bare
from tests.proof.postgresql import OWNER, PASSWORD, Database, postgresql
from tests.proof.project import Project
from tests.proof.shipping.stores import STORES, Gate, emulate

TABLE = "data/credit.csv"
QUERY = "SELECT * FROM credit ORDER BY application_id"
LOAD = """
import os, sys
import polars as pl
import adbc_driver_postgresql.dbapi as driver
with driver.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    cursor.adbc_ingest("credit", pl.read_csv(sys.argv[2], infer_schema=False))
    connection.commit()
"""
PUT = """
import sys
import obstore, polars as pl
from churn.core.bundles.storage import open_folder
store, rows = open_folder(sys.argv[1]), pl.read_csv(sys.argv[2], infer_schema=False)
half = rows.height // 2
for name, part in {"half-0.csv": rows[:half], "half-1.csv": rows[half:]}.items():
    obstore.put(store, name, part.write_csv().encode())
rows.write_parquet("rows.parquet")
rows.write_ndjson("rows.jsonl")
for name in ("rows.parquet", "rows.jsonl"):
    obstore.put(store, name, open(name, "rb").read())
"""


@pytest.fixture(scope="module")
def made(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project, installed; nothing in it may be changed."""
    return make_bare(template_repo, tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Return an empty database."""
    with postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def connected(made: Project, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose source is a table of the database, with the driver that the command asked for."""
    project = made.copy(tmp_path_factory.mktemp("connected") / "churn").with_env(DB_PASSWORD=PASSWORD)
    source(project, database.uri("${DB_PASSWORD}"), QUERY)
    told = project.refuses("data")
    found = re.search(r"its driver is not installed; run: (uv add .*)", told)
    assert found, told
    project.tool(*shlex.split(found[1]))
    escaped = database.uri("p%40ss%2Fw%3Ard%3F%23%25")
    project.tool("uv", "run", "python", "-c", LOAD, escaped, TABLE)
    for kind, column in {"numeric": "credit_amount", "smallint": "age", 'text COLLATE "C"': "application_id"}.items():
        database(f"ALTER TABLE credit ALTER {column} TYPE {kind} USING {column}::{kind}")
    return project


def source(project: Project, uri: str, query: str = "") -> None:
    """Let a project read something else."""
    path = project.cwd / "params.yaml"
    given = f"  source: {uri}\n" + (f"  query: {query}\n" if query else "")
    text, times = re.subn(r"  source: .*\n(  query: .*\n)?", lambda _: given, path.read_text("utf-8"))
    assert times == 1
    path.write_text(text, "utf-8")


def test_a_database_and_a_file_with_the_same_rows_make_the_same_snapshot(
    made: Project, connected: Project, tmp_path: Path
) -> None:
    there, here = connected.json("data"), made.elsewhere(tmp_path).json("data")
    assert there == here
    connected("pipeline")
    kept = [path for path in (connected.folder / "artifacts").rglob("*") if path.is_file()]
    assert any(b"${DB_PASSWORD}" in path.read_bytes() for path in kept if path.name == "mlflow.db")
    assert [path for path in kept if PASSWORD.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("version", [("adbc-driver-postgresql==1.8.0", "polars==1.36.1")], ids=" ".join)
def test_the_oldest_versions_read_the_same(version: tuple[str, str], connected: Project) -> None:
    oldest = [word for package in version for word in ("--with", package)]
    script = "import adbc_driver_postgresql as driver, polars; print(driver.__version__, polars.__version__)"
    told = connected.tool("uv", "run", *oldest, "python", "-c", script).stdout
    assert told.split() == [package.partition("==")[2] for package in version]
    here = connected.json("data")
    told = connected.tool("uv", "run", *oldest, connected.name, "data", "--json").stdout
    assert json.loads(told)["rows"] == here["rows"]


def test_what_the_database_refuses_is_one_sentence(connected: Project, database: Database, tmp_path: Path) -> None:
    job, uri = connected.elsewhere(tmp_path), database.uri("${DB_PASSWORD}")
    rows = database("SELECT count(*) FROM credit")
    for query, sentence in (
        ("SELECT * FROM credits", 'relation "credits" does not exist'),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT 1 / (age - age) FROM credit", "division by zero"),
        ("SELECT gen_random_uuid() AS id", "id arrives as bytes; have the query return text"),
        ("SELECT interval '1 day' AS wait", "has a type that Polars does not know"),
        ("DELETE FROM credit", "the data has no column"),
    ):
        source(job, uri, query)
        (said,) = job("data", code=1).stderr.splitlines()
        assert sentence in said, query
    assert database("SELECT count(*) FROM credit") == rows, "a query has changed the table"
    source(job, uri, QUERY)
    assert f'password authentication failed for user "{OWNER}"' in job.with_env(DB_PASSWORD="hush").refuses("data")
    assert "Connection refused" in _away(job, database)
    source(job, "${DATABASE_URL}", QUERY)
    told = job.with_env(DATABASE_URL=database.uri(PASSWORD)).refuses("data")
    assert "the characters @ : / ? # have to be escaped" in told
    assert job.with_env(DATABASE_URL=database.uri("p%40ss%2Fw%3Ard%3F%23%25")).json("data")["rows"] == int(rows)


def _away(job: Project, database: Database) -> str:
    """Return what is said where no server is."""
    source(job, database.uri("${DB_PASSWORD}").replace(f":{database.port}/", ":1/"), QUERY)
    return job.refuses("data")


@pytest.fixture(scope="module", params=list(STORES))
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    """Return an object store that answers."""
    with emulate(STORES[request.param]) as gate, gate.open():
        yield gate


def test_an_object_store_and_a_file_with_the_same_rows_make_the_same_snapshot(
    made: Project, gate: Gate, tmp_path: Path
) -> None:
    job = made.elsewhere(tmp_path).with_env(**gate.environment, BUCKET=gate.uri)
    here = job.json("data")
    job.tool("uv", "run", "--project", job.folder, "python", "-c", PUT, f"{gate.uri}/rows", TABLE)
    for name in ("half-*.csv", "rows.parquet", "rows.jsonl"):
        source(job, f"${{BUCKET}}/rows/{name}")
        assert job.json("data") == here, name
    for name in ("absent.csv", "absent-*.csv", "absent.parquet"):
        source(job, f"{gate.uri}/rows/{name}")
        assert name in job.refuses("data")


@pytest.fixture(scope="module")
def champion(made: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project where it has a champion; nothing there may be changed."""
    job = made.elsewhere(tmp_path_factory.mktemp("champion"))
    job("pipeline")
    return job


def test_shards_of_an_object_store_are_whole_together(champion: Project, gate: Gate) -> None:
    job = champion.with_env(**gate.environment)
    job.tool("uv", "run", "--project", job.folder, "python", "-c", PUT, f"{gate.uri}/batch", TABLE)
    done = [
        job.json("predict", f"{gate.uri}/batch/half-*.csv", f"{gate.uri}/out", "--shard", f"{index}/2")
        for index in range(2)
    ]
    assert [part["missing"] for part in done] == [1, 0]
    with (job.cwd / TABLE).open("rb") as file:
        assert sum(part["rows"] for part in done) == sum(1 for _ in file) - 1
    pod = job.with_env(JOB_COMPLETION_INDEX=1, JOB_COMPLETIONS=2)
    assert pod.json("predict", f"{gate.uri}/batch/half-*.csv", f"{gate.uri}/out") == done[1]
