"""The decoder of requests: JSON into rows and columns, or everything that is wrong with it."""

import copy
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, Self

import msgspec
from msgspec.structs import FieldInfo

from ..contract.columns import Column, Columns
from ..contract.signature import Row, Signature

MAX_FINDINGS = 20
"""How many faults, or how many warnings, an answer names at most."""
MAX_TEXT = 200
"""How much of a name that a client made up is repeated to it."""
PATH = re.compile(r" - at `\$([^`]*)`$")
STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


class Finding(msgspec.Struct, frozen=True):
    """What there is to say about a request, and where: the names and the numbers in lists that lead there."""

    loc: tuple[str | int, ...]
    msg: str


class UnreadableError(msgspec.ValidationError):
    """A value has the type that it should have, and yet is not what the signature asks for."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.msg)
        self.finding = finding


class RequestDecoder:
    """Decodes `{"instances": [{…}, …]}` into rows, and these into columns.

    A column's name need not be a name of Python's, so the fields are numbered and renamed for JSON.
    """

    def __init__(self, signature: Signature, max_rows: int) -> None:
        self._columns = signature.inputs
        self._read = [(place, column) for place, column in enumerate(signature.inputs) if column.is_read]
        self._type = msgspec.defstruct(
            "Instance",
            [(f"column_{i}", *_type(column, signature.missing)) for i, column in enumerate(signature.inputs)],
            rename={f"column_{i}": column.name for i, column in enumerate(signature.inputs)},
            kw_only=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        self._limit("PredictRequest", max_rows)

    def _limit(self, name: str, max_rows: int) -> None:
        length = msgspec.Meta(min_length=1, max_length=max_rows)
        rows = Annotated[list[self._type], length]  # type: ignore[name-defined]
        self.request = msgspec.defstruct(name, [("instances", rows)], forbid_unknown_fields=True)
        envelope = msgspec.defstruct("Envelope", [("instances", Annotated[list[Any], length])])
        self._envelope, self._row = _fields(envelope), _fields(self._type)
        self._decode = msgspec.json.Decoder(self.request).decode

    def limited(self, name: str, max_rows: int) -> Self:
        """Return a decoder of the same rows in a request of another name, which may hold so many of them."""
        other = copy.copy(self)
        other._limit(name, max_rows)
        return other

    def __call__(self, body: bytes | bytearray) -> Columns:
        """Decode the body of a request into columns.

        Raises:
            msgspec.DecodeError: it is not JSON, or not what the signature asks for.
        """
        return self.columns(self.rows(body))

    def rows(self, body: bytes | bytearray) -> list[Row]:
        """Decode the body of a request into rows; see `__call__`."""
        try:
            instances = self._decode(body).instances  # type: ignore[attr-defined]
        except UnicodeDecodeError as error:
            raise msgspec.DecodeError(f"JSON must be UTF-8: {error}") from error
        rows = [msgspec.structs.astuple(instance) for instance in instances]
        for place, column in self._read:
            rows = list(_read(rows, place, column))
        return rows

    def columns(self, rows: list[Row]) -> Columns:
        """Turn rows into columns."""
        values = zip(*rows, strict=True)
        return {column.name: column.array(v) for column, v in zip(self._columns, values, strict=True)}

    def faults(self, body: bytes | bytearray, error: msgspec.DecodeError) -> list[Finding]:
        """Return what is wrong with a request: all of it, up to `MAX_FINDINGS`, where the decoder stops at the first.

        Args:
            body: The request.
            error: What the decoder said about it.
        """
        if isinstance(error, UnreadableError):
            return [error.finding]
        try:
            request = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # it is no JSON that one could look into
            return [to_finding(("body",), error)]
        return list(islice(self._faults(request), MAX_FINDINGS)) or [to_finding(("body",), error)]

    def _faults(self, request: Any) -> Iterator[Finding]:
        wrong = list(_object_faults(("body",), request, self._envelope))
        yield from wrong
        if not any(finding.loc in {("body",), ("body", "instances")} for finding in wrong):
            for number, row in enumerate(request["instances"]):
                yield from _object_faults(("body", "instances", number), row, self._row)


def _read(rows: list[Row], place: int, column: Column) -> Iterator[Row]:
    """Yield rows in which the values of a column are read."""
    values = column.read(row[place] for row in rows)
    for number, row in enumerate(rows):
        try:
            value = next(values)
        except ValueError as error:
            raise UnreadableError(Finding(("body", "instances", number, column.name), str(error))) from None
        yield (*row[:place], value, *row[place + 1 :])


def _fields(struct: Any) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def _object_faults(loc: tuple[str | int, ...], value: Any, fields: dict[str, FieldInfo]) -> Iterator[Finding]:
    """Yield what is wrong with a JSON value that should be an object with such fields."""
    try:
        msgspec.convert(value, dict)
    except msgspec.ValidationError as error:
        yield to_finding(loc, error)
        return
    for name, field in fields.items():
        if name not in value:
            if field.required:
                yield Finding((*loc, name), "Required, but missing")
            continue
        try:
            msgspec.convert(value[name], field.type)
        except msgspec.ValidationError as error:
            yield to_finding((*loc, name), error)
    for name in value:
        if name not in fields:
            yield Finding((*loc, name[:MAX_TEXT]), "Unknown field")


def to_finding(loc: tuple[str | int, ...], error: msgspec.DecodeError) -> Finding:
    """Return an error with the path that msgspec ends it with, such as "… - at `$.history[0]`", as part of `loc`."""
    message = str(error)
    path = PATH.search(message)
    if not path:
        return Finding(loc, message[:MAX_TEXT])
    steps = (int(index) if index else name for index, name in STEP.findall(path[1]))
    return Finding((*loc, *steps), message[: path.start()][:MAX_TEXT])


def _type(column: Column, missing: Iterable[str]) -> tuple[Any, ...]:
    """Return a field's type and, where its value may be missing, its default."""
    kind: Any = Annotated[column.type(), msgspec.Meta(description=column.description)]
    if column.nullable:
        return (kind | None, None)
    gone = "|".join(re.escape(text) for text in missing if text)
    if gone and column.form == "text":
        kind = Annotated[kind, msgspec.Meta(pattern=f"^(?!({gone})$)")]
    return (kind,)
