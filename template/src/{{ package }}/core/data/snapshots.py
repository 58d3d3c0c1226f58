"""Snapshots: validated data on disk, named by their content and never altered."""

import tempfile
from pathlib import Path

import msgspec
import polars as pl

from ... import source
from ...schema import INPUTS
from ..bundles.bundle import sha256
from ..errors import ProjectError
from ..params import Params
from ..yours import describe
from . import audit, personal, sources
from .personal import Finding
from .validation import CONTRACT, table, validate

SNAPSHOTS = Path("artifacts/snapshots")


class Record(msgspec.Struct, frozen=True):
    """Where the rows of a snapshot come from, without what `${NAME}` stands for; it lies beside them as `.json`."""

    source: str
    query: str
    rows: int


class Snapshot(msgspec.Struct, frozen=True):
    """Validated data on disk, named by their content, and the rows that did not make it."""

    path: Path
    rows: int
    bad: pl.DataFrame
    personal: list[Finding]
    suspicious: list[Finding]

    @property
    def sha256(self) -> str:
        """Return the SHA-256 that names it."""
        return self.path.stem


def make_snapshot(params: Params) -> Snapshot:
    """Read, validate and keep the data.

    Raises:
        ProjectError: the source cannot be read, lacks columns, has more bad rows than `data.max_bad_rows`, or one of
            the inputs looks like personal data that `data.personal` does not accept, or alone explains the target.
    """
    raw = _read(params)
    findings = _check_personal(raw, params.data.personal)
    good, bad = validate(raw)
    bad_rows = bad["row"].n_unique()
    if bad_rows > params.data.max_bad_rows:
        raise ProjectError(
            f"{bad_rows} of {raw.height} rows are bad, and data.max_bad_rows allows {params.data.max_bad_rows}:\n"
            f"{table(bad)}"
        )
    suspicious = audit.audit(good, params)
    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SNAPSHOTS) as folder:
        part = Path(folder, "part")
        good.write_parquet(part)
        path = part.replace(SNAPSHOTS / f"{sha256(part)}.parquet")
    if bad.height:
        bad.write_csv(path.with_suffix(".bad.csv"))
    keep_record(path, Record(params.data.source, params.data.query, good.height))
    return Snapshot(path, good.height, bad, findings, suspicious)


def _read(params: Params) -> pl.DataFrame:
    """Return the rows of the source; whatever goes wrong there is one sentence, for `source.py` is yours."""
    try:
        raw = source.read(params)
    except ProjectError:
        raise
    except Exception as error:
        reason = sources.hide(describe(error), params.data.source)
        raise ProjectError(f"the data cannot be read from {params.data.source}: {reason}") from error
    if not isinstance(raw, pl.DataFrame):
        raise ProjectError(f"read() in source.py returns a {type(raw).__name__}; it must return a Polars DataFrame")
    return raw


def keep_record(snapshot: Path, record: Record) -> None:
    """Write where the rows of a snapshot come from beside it."""
    snapshot.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))


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


def _check_personal(raw: pl.DataFrame, accepted: tuple[str, ...]) -> list[Finding]:
    """Return the columns that look like personal data, or refuse those that a model would be trained on."""
    findings = [finding for finding in personal.scan(raw) if finding.column not in accepted]
    inputs = {column.name for column in INPUTS}
    if used := [finding for finding in findings if finding.column in inputs]:
        reasons = "; ".join(f"{finding.column}: {finding.reason}" for finding in used)
        raise ProjectError(
            f"inputs look like personal data ({reasons}): leave them out of schema.py, or accept them in params.yaml, "
            "data.personal"
        )
    return findings
