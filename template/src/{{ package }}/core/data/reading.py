"""Reading: the rows of the source, checked against the contract, become a snapshot."""

import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import polars as pl

from ... import source
from ...schema import INPUTS
from .. import inputs
from ..bundles.fingerprint import PACKAGE
from ..bundles.storage import sha256
from ..errors import ProjectError
from ..params import Params
from ..yours import describe
from . import audit, personal, sources
from .personal import Finding
from .snapshots import SNAPSHOTS, Record, find_newest, keep_record, read_record
from .validation import BAD, table, validate


class Snapshot(msgspec.Struct, frozen=True):
    """Validated data on disk, named by their content, and the rows that did not make it."""

    path: Path
    rows: int
    bad: pl.DataFrame
    personal: list[Finding]
    suspicious: list[Finding]
    is_new: bool = True

    @property
    def sha256(self) -> str:
        """Return the SHA-256 that names it."""
        return self.path.stem


def make_snapshot(params: Params, *, force: bool = True) -> Snapshot:
    """Read, validate and keep the data.

    Args:
        params: The parameters.
        force: Do so even if the newest snapshot was made from the same rows in the same way.

    Raises:
        ProjectError: the source cannot be read, lacks columns, has more bad rows than `data.max_bad_rows`, or one of
            the inputs looks like personal data that `data.personal` does not accept, or alone explains the target.
    """
    where = sources.pin(params.data.source)
    raw = _read(msgspec.structs.replace(params, data=msgspec.structs.replace(params.data, source=where)))
    made_of = inputs.identify_snapshot(_digest(raw), params)
    if not force and (known := _find(made_of)):
        return known
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
    record = Record(
        source=where,
        query=params.data.query,
        rows=good.height,
        schema={name: str(kind) for name, kind in good.schema.items()},
        version=version(PACKAGE.name),
        inputs=made_of,
    )
    keep_record(path, record)
    return Snapshot(path, good.height, bad, findings, suspicious)


def show(snapshot: Snapshot) -> str:
    """Return what a person should know of a new snapshot."""
    values = "invalid value" if snapshot.bad.height == 1 else "invalid values"
    quarantined = f"{snapshot.bad.height} {values}, whose rows are quarantined:\n{table(snapshot.bad)}"
    return "\n".join(
        [
            *([quarantined] if snapshot.bad.height else []),
            *(f"{finding.column} looks like personal data: {finding.reason}" for finding in snapshot.personal),
            *(f"{finding.column}: {finding.reason}" for finding in snapshot.suspicious),
            f"{snapshot.rows} rows in {snapshot.path}",
        ]
    )


def to_report(snapshot: Snapshot) -> dict[str, object]:
    """Return what a script should know of a snapshot; of one that was there before, not what was found then."""
    found = {
        "bad": snapshot.bad.to_dicts(),
        "personal": snapshot.personal,
        "suspicious": snapshot.suspicious,
    }
    return {"snapshot": snapshot.path, "rows": snapshot.rows} | (found if snapshot.is_new else {})


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


class _Hash:
    """A file that only remembers the SHA-256 of what is written into it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self._hash.update(content)
        return len(content)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _digest(raw: pl.DataFrame) -> str:
    """Return the SHA-256 of rows as they come from the source."""
    file = _Hash()
    raw.rechunk().write_ipc_stream(cast(BinaryIO, file))
    return file.hexdigest()


def _find(made_of: str) -> Snapshot | None:
    """Return the newest snapshot if it is whole and was made of the same."""
    newest = find_newest()
    if newest is None or not (record := read_record(newest)) or record.inputs != made_of:
        return None
    if sha256(newest) != newest.stem:
        return None
    return Snapshot(newest, record.rows, pl.DataFrame(schema=BAD), [], [], is_new=False)


def _check_personal(raw: pl.DataFrame, accepted: tuple[str, ...]) -> list[Finding]:
    """Return the columns that look like personal data, or refuse those that a model would be trained on."""
    findings = [finding for finding in personal.scan(raw) if finding.column not in accepted]
    taken = {column.name for column in INPUTS}
    if used := [finding for finding in findings if finding.column in taken]:
        reasons = "; ".join(f"{finding.column}: {finding.reason}" for finding in used)
        raise ProjectError(
            f"inputs look like personal data ({reasons}): leave them out of schema.py, or accept them in params.yaml, "
            "data.personal"
        )
    return findings
