"""Rows where they lie: files by path or URI, tables of a lakehouse, and the answer of a database to a query.

`${NAME}` in a source stands for an environment variable, so that a secret is neither in `params.yaml` nor in what is
made from it: the record of a snapshot, MLflow, a bundle, an error.
"""

import contextlib
import glob
import importlib
import os
import re
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

import polars as pl

from ..bundles.credentials import make_provider
from ..bundles.storage import join, list_names, open_folder, store_errors
from ..errors import ProjectError
from . import lakehouse

POSTGRESQL_DRIVER = "adbc-driver-postgresql>=1.8"
VARIABLE = re.compile(r"\$\{(\w+)\}")
WILD = re.compile(r"[*?[]")
LOGIN = re.compile(r"\w+://([^@/?#]*@)?")
SECRETS = {"password", "sslpassword", "sig", "X-Amz-Signature", "X-Goog-Signature"}
"""What databases and stores call a secret in the query of a URI."""
SECONDS = 60
"""How long a web server may be silent."""

Tokens = Callable[[], tuple[dict[str, str], int | None]]
"""Returns what a store wants to see of us, and the second at which that ends."""


def scan(source: str, query: str = "") -> pl.LazyFrame:
    """Open rows. What a file of text, a table or an object store holds is read as it is needed, the rest at once.

    Args:
        source: A path or pattern; a URI that begins with `https://`, or, where it may be a pattern, too, with `s3://`,
            `gs://` or `az://`; one of a database, `postgresql://` or `sqlite:///`; or a table of a lakehouse,
            `delta:` or `iceberg:`. Files are Parquet or JSON lines if their names end so, and CSV otherwise; all values
            of CSV are text.
        query: What a database is asked. It cannot change anything there.

    Raises:
        ProjectError: the source cannot be read, holds a password, or names a variable that is not set.
    """
    uri = expand(source)
    scheme = uri.partition("://")[0] if "://" in uri else ""
    is_database = scheme in ("postgresql", "postgres", "sqlite")
    if is_database != bool(query):
        need = "is a database and needs a query" if is_database else "is no database and takes no query"
        raise ProjectError(f"{source} {need} (data.query in params.yaml)")
    with _errors(source):
        match scheme:
            case "postgresql" | "postgres":
                return _plain(_ask_postgresql(uri, query)).lazy()
            case "sqlite":
                return _plain(_ask_sqlite(Path(uri.removeprefix("sqlite:///")), query)).lazy()
            case "http" | "https":
                return _open(_download(uri), urlsplit(uri).path)
        if lakehouse.is_table(uri):
            rows = lakehouse.scan(uri, _tokens)
        elif scheme in ("", "s3", "gs", "az", "azure", "abfs", "abfss", "adl"):
            rows = _open(uri, uri, _tokens(uri))
        else:
            kinds = "https://, s3://, gs://, az://, delta:, iceberg:, postgresql:// or sqlite:///"
            raise ProjectError(f"it must be a path, {kinds}")
        rows.collect_schema()  # what is absent or refused shows here
        return rows


def pin(source: str) -> str:
    """Return a source that is the same whenever it is read: a table with its version. Others are returned as they are.

    Raises:
        ProjectError: the table cannot be read.
    """
    uri = expand(source)
    if not lakehouse.is_table(uri):
        return source
    with _errors(source):
        return source + lakehouse.pin(uri).removeprefix(uri)


def list_files(source: str) -> list[str]:
    """Return the files that a pattern names, in the order of their names; whatever is no pattern is one.

    Raises:
        ProjectError: there is none, or the store refuses to list them.
    """
    uri = expand(source)
    wild = WILD.search(uri)
    if wild is None or uri.startswith(("http://", "https://")) or lakehouse.is_table(uri):
        return [source]
    if "://" not in uri:
        found = glob.glob(uri, recursive=True)  # noqa: PTH207 (the pattern may be absolute)
    else:
        folder = uri[: wild.start()].rpartition("/")[0]
        matches = _as_regex(uri.removeprefix(f"{folder}/")).fullmatch
        with store_errors(f"{source} cannot be read"):
            names = list_names(open_folder(folder))
        found = [join(folder, name) for name in names if matches(name)]
    if not found:
        raise ProjectError(f"{source} names no file")
    return sorted(found)


def expand(source: str) -> str:
    """Return a source with the values of the variables that it names; in a login they are escaped as URIs demand."""
    plain = urlsplit(VARIABLE.sub("", source))
    if plain.netloc.rpartition("@")[0].partition(":")[2] or SECRETS & parse_qs(plain.query).keys():
        raise ProjectError("the URI holds a password: write ${NAME} in its place, and set that environment variable")
    if absent := [name for name in VARIABLE.findall(source) if name not in os.environ]:
        raise ProjectError(f"{source} names the environment variable {absent[0]}, which is not set")
    login, at, place = source.rpartition("@")
    login = VARIABLE.sub(lambda found: quote(os.environ[found[1]], safe=""), login)
    return login + at + VARIABLE.sub(lambda found: os.environ[found[1]], place)


def hide(text: str, source: str) -> str:
    """Return a text in which the variables that a source names stand by their names again."""
    for name in VARIABLE.findall(source):
        for value in filter(None, (os.environ.get(name, ""), quote(os.environ.get(name, ""), safe=""))):
            text = text.replace(value, f"${{{name}}}")
    return text


@contextlib.contextmanager
def _errors(source: str) -> Iterator[None]:
    """Say in one sentence why a source cannot be read."""
    try:
        yield
    except (Exception, pl.exceptions.PanicException) as error:
        raise ProjectError(f"{source} cannot be read: {hide(_first_line(error), source)}") from error


def _open(place: str | bytes, name: str, tokens: Tokens | None = None) -> pl.LazyFrame:
    """Open a file, or its content, of the kind that its name tells."""
    if name.endswith(".parquet"):
        return pl.scan_parquet(place, credential_provider=tokens)
    if name.endswith((".jsonl", ".ndjson")):  # a value of the last row may be of another type than those of the first
        return pl.scan_ndjson(place, infer_schema_length=None, credential_provider=tokens)
    return pl.scan_csv(place, infer_schema=False, credential_provider=tokens)


def _as_regex(pattern: str) -> re.Pattern[str]:
    """Return a pattern of names as a regular expression."""
    meanings = {"**/": "(.*/)?", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*|\?|\[[^]]+\])", pattern)
    return re.compile("".join(meanings.get(p, p if p.startswith("[") else re.escape(p)) for p in pieces))


def _download(uri: str) -> bytes:
    """Return a whole file: not every server sends a part of one."""
    with urllib.request.urlopen(uri, timeout=SECONDS) as answer:  # noqa: S310 (the scheme is known)
        return bytes(answer.read())


def _tokens(uri: str) -> Tokens | None:
    """Return who we are to a store where Polars does not find that out by itself: the same as for bundles."""
    provider = make_provider(uri)
    if provider is None:
        return None

    def token() -> tuple[dict[str, str], int | None]:
        found = cast("dict[str, Any]", provider())
        ends = found["expires_at"]
        return {"bearer_token": found["token"]}, int(ends.timestamp()) if ends else None

    return token


def _ask_postgresql(uri: str, query: str) -> pl.DataFrame:
    """Return the answer to a query, which arrives in columns: row by row takes 37 times the processor time."""
    if "@" in LOGIN.sub("", uri):  # the driver would tell which part of it is no host
        raise ProjectError("in its user and password the characters @ : / ? # have to be escaped, @ as %40")
    try:
        driver = importlib.import_module("adbc_driver_postgresql.dbapi")
    except ModuleNotFoundError as error:
        raise ProjectError(f"its driver is not installed; run: uv add --group train '{POSTGRESQL_DRIVER}'") from error
    with driver.connect(uri) as connection, connection.cursor() as cursor:  # nothing is committed
        cursor.execute(query)
        with _without_panics():
            answer: pl.DataFrame = cursor.fetch_polars()
    return answer


@contextlib.contextmanager
def _without_panics() -> Iterator[None]:
    """Keep off the terminal what Polars prints there by itself when it meets a type that it does not know."""
    terminal = os.dup(2)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _ask_sqlite(path: Path, query: str) -> pl.DataFrame:
    """Return the answer to a query. A column's values may be of several types, which become text."""
    if not path.is_file():
        raise ProjectError(f"there is no {path}")
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        cursor = database.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return pl.DataFrame(cursor.fetchall(), names, orient="row", infer_schema_length=None, strict=False)
    finally:
        database.close()


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a table without the types of a database alone: PostgreSQL's exact numbers are text in one of these."""
    plain = rows.with_columns(values.ext.storage() for values in rows if isinstance(values.dtype, pl.BaseExtension))
    if raw := [name for name, kind in plain.schema.items() if kind == pl.Binary]:
        raise ProjectError(f"{raw[0]} arrives as bytes; have the query return text, such as CAST({raw[0]} AS text)")
    return plain


def _first_line(error: BaseException) -> str:
    """Return what an error says, without the drawings of databases below it."""
    if isinstance(error, pl.exceptions.PanicException):
        return "a column has a type that Polars does not know, such as interval; have the query return it as text"
    said = " ".join(str(error).strip().partition("\n")[0].split())
    return said if isinstance(error, ProjectError) else f"{type(error).__name__}: {said}"
