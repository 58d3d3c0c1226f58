"""The data: read, validated against the schema, kept as an immutable snapshot, and split."""

import hashlib
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import pandera.polars as pa
import polars as pl
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from ...schema import AUDIT, INPUTS, LABELS, ROW_ID, TARGET
from ..bundles.bundle import sha256
from ..contract.columns import Category, Column, Number
from ..contract.tables import typed
from ..errors import ProjectError
from ..params import Params, Split

SNAPSHOTS = Path("artifacts/snapshots")
CONTRACT: tuple[Column, ...] = (
    *INPUTS,
    *AUDIT,
    Category(name=ROW_ID),
    Category(name=TARGET, values=LABELS),
)


class Snapshot(msgspec.Struct, frozen=True):
    """Validated data on disk, named by their content, and the rows that did not make it."""

    path: Path
    rows: int
    bad: pl.DataFrame

    @property
    def sha256(self) -> str:
        """Return the SHA-256 that names it."""
        return self.path.stem


def read(params: Params) -> pl.DataFrame:
    """Read the source, in whatever types it has: the one place to change for another kind of source.

    Polars reads a path, `https://`, `s3://`, `gs://` or `az://`, with credentials from the environment.
    """
    source = params.data.source
    if source.endswith(".parquet"):
        return pl.read_parquet(source)
    return pl.read_csv(source, infer_schema=False)


def make_snapshot(params: Params) -> Snapshot:
    """Read, validate and keep the data.

    Raises:
        ProjectError: the source cannot be read, lacks columns, or has more bad rows than `data.max_bad_rows`.
    """
    try:
        raw = read(params)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ProjectError(f"the data cannot be read from {params.data.source}: {error}") from error
    good, bad = validate(raw)
    bad_rows = bad["row"].n_unique()
    if bad_rows > params.data.max_bad_rows:
        raise ProjectError(
            f"{bad_rows} of {raw.height} rows are bad, and data.max_bad_rows allows {params.data.max_bad_rows}:\n"
            f"{table(bad)}"
        )
    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SNAPSHOTS) as folder:
        part = Path(folder, "part")
        good.write_parquet(part)
        path = part.replace(SNAPSHOTS / f"{sha256(part)}.parquet")
    if bad.height:
        bad.write_csv(path.with_suffix(".bad.csv"))
    return Snapshot(path, good.height, bad)


def latest() -> Path:
    """Return the newest snapshot.

    Raises:
        ProjectError: there is none yet.
    """
    paths = sorted(SNAPSHOTS.glob("*.parquet"), key=lambda path: path.stat().st_mtime)
    if not paths:
        raise ProjectError("there is no data snapshot yet: run the data command first")
    return paths[-1]


def load(snapshot: Path) -> pl.DataFrame:
    """Return the rows of a snapshot.

    Raises:
        ProjectError: they no longer fit the schema.
    """
    frame = pl.read_parquet(snapshot)
    if sorted(frame.columns) != sorted(column.name for column in CONTRACT) or validate(frame)[1].height:
        raise ProjectError("the newest data snapshot was made with another schema.py: run the data command again")
    return frame


def validate(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Check data against the schema.

    Returns:
        The good rows, with the schema's columns and types; and the bad values, with columns row (counted from 1),
        column, value and reason.

    Raises:
        ProjectError: columns are missing.
    """
    missing = [column.name for column in CONTRACT if column.name not in raw.columns]
    if missing:
        raise ProjectError(f"the data lack {', '.join(missing)}, which schema.py asks for")
    frame = raw.select(typed(column) for column in CONTRACT).with_row_index("row", offset=1)
    unreadable = [
        frame.select(
            "row",
            column=pl.lit(column.name),
            value=raw[column.name].cast(pl.String),
            reason=pl.lit("not a number"),
        ).filter(raw[column.name].is_not_null() & frame[column.name].is_null())
        for column in CONTRACT
    ]
    bad = pl.concat([*unreadable, _violations(frame)]).unique(["row", "column"], keep="first").sort("row", "column")
    good = frame.join(bad.select("row").unique(), on="row", how="anti").drop("row")
    return good, bad


def table(bad: pl.DataFrame) -> str:
    """Return bad values as text, the first twenty of them."""
    with pl.Config(tbl_rows=20, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=40):
        return str(bad)


def split(frame: pl.DataFrame, params: Split) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows to train on and those held out.

    A row's place depends on its id alone, so that a row once held out never enters any training, however the data grow:
    only then can an older model be compared with a newer one.
    """
    held_out = np.array([_fraction(row_id) < params.holdout for row_id in frame[ROW_ID]], dtype=bool)
    return frame.filter(~held_out), frame.filter(held_out)


def to_target(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Return the target, shape (rows,), as positions in `LABELS`."""
    return frame[TARGET].replace_strict(LABELS, range(len(LABELS)), return_dtype=pl.Int64).to_numpy()


def _fraction(row_id: str) -> float:
    """Return a number in [0, 1) that depends on a row's id and on nothing else, now and in every later version."""
    return int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=7).digest()) / 2**56


def _dtype(column: Column) -> type[pl.DataType]:
    return pl.Float64 if isinstance(column, Number) else pl.String


def _violations(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what Pandera finds in data of the right types."""
    schema = pa.DataFrameSchema(
        {
            column.name: pa.Column(
                _dtype(column), _checks(column), nullable=column.nullable, unique=column.name == ROW_ID
            )
            for column in CONTRACT
        }
    )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        return cases.select(
            row=pl.col("index").cast(pl.UInt32) + 1,
            column=pl.col("column"),
            value=pl.col("failure_case").cast(pl.String),
            reason=pl.col("check"),
        )
    return pl.DataFrame(schema={"row": pl.UInt32, "column": pl.String, "value": pl.String, "reason": pl.String})


def _checks(column: Column) -> list[pa.Check]:
    match column:
        case Number(minimum=low, maximum=high):
            checks = [pa.Check.ge(low)] if low is not None else []
            return [*checks, pa.Check.le(high)] if high is not None else checks
        case Category(values=values):
            return [pa.Check.isin(values)] if values else []
