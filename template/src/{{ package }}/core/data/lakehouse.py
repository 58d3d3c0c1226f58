"""Tables of a lakehouse: `delta:` and the place of a Delta table, or `iceberg:` and a table's name in its catalog.

A version can follow, as `?version=7`: the record of a snapshot names the one that was read.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any

import polars as pl

from ..errors import ProjectError

DRIVERS = {"deltalake": "deltalake>=1.1", "pyiceberg.catalog": "pyiceberg[pyarrow]>=0.10"}
"""What to install for a module."""
TABLE = re.compile(r"(delta|iceberg):(?P<place>[^?]+)(\?version=(?P<version>\d+))?")
"""A source that is a table; an Iceberg table's place is `NAMESPACE.TABLE`, or `CATALOG/NAMESPACE.TABLE`."""


def is_table(source: str) -> bool:
    """Tell whether a source is a table of a lakehouse."""
    return source.startswith(("delta:", "iceberg:"))


def pin(source: str) -> str:
    """Return a table with the version that it has now, unless it has one already.

    Raises:
        ProjectError: it is no table, its driver is not installed, or it holds nothing yet.
        Exception: the driver's own, where the table cannot be read.
    """
    place, version = _parse(source)
    if version is not None:
        return source
    if source.startswith("delta:"):
        return f"{source}?version={_import('deltalake').DeltaTable(place).version()}"
    snapshot = _load(place).current_snapshot()
    if snapshot is None:
        raise ProjectError("the table holds nothing yet")
    return f"{source}?version={snapshot.snapshot_id}"


def scan(source: str, tokens: Callable[[str], Any]) -> pl.LazyFrame:
    """Open a table, whose rows are read as they are needed.

    Args:
        source: The table.
        tokens: Returns what Polars should tell the store at a URI of who we are; None if it finds that out by itself.

    Raises:
        ProjectError: it is no table, or its driver is not installed.
        Exception: the driver's own, where the table cannot be read.
    """
    place, version = _parse(source)
    if source.startswith("delta:"):
        _import("deltalake")
        return pl.scan_delta(place, version=version, credential_provider=tokens(place))
    return pl.scan_iceberg(_load(place), snapshot_id=version)


def _parse(source: str) -> tuple[str, int | None]:
    """Return the place and the version."""
    table = TABLE.fullmatch(source)
    if table is None:
        raise ProjectError("a table is delta:PLACE or iceberg:NAME, and ?version=NUMBER may follow")
    return table["place"], int(table["version"]) if table["version"] else None


def _load(name: str) -> Any:
    """Return an Iceberg table from the catalog that pyiceberg's own settings describe."""
    catalog, slash, table = name.rpartition("/")
    load_catalog = _import("pyiceberg.catalog").load_catalog
    return load_catalog(*[catalog] if slash else []).load_table(table)


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ProjectError(f"its driver is not installed; run: uv add --group train '{DRIVERS[module]}'") from error
