"""What goes into a model and what comes out: its JSON form, the decoder of its requests, and their JSON schema."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...features import features
from .columns import Category, Column, Columns, Text


class Signature(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The contract of one model: `signature.json` in its bundle.

    `outputs` are the columns of an answer, `missing` the texts that mean a missing value, `vocabulary` holds the values
    of each category that training saw, and `example` is a row made up from what is typical of each column.
    """

    inputs: tuple[Column, ...]
    features: tuple[Column, ...]
    outputs: tuple[Column, ...]
    missing: tuple[str, ...] = ("",)
    vocabulary: dict[str, tuple[str, ...]]
    example: dict[str, Any]

    def is_comparable(self, other: "Signature") -> bool:
        """Tell whether both models answer the same question about the same rows."""
        kinds = {(column.name, type(column)) for column in self.inputs}
        return kinds == {(column.name, type(column)) for column in other.inputs} and self.outputs == other.outputs

    def invalid(self, columns: Columns) -> NDArray[np.bool_]:
        """Tell for each row, shape (rows,), whether one of its values breaks the contract."""
        invalid = np.zeros(len(columns[self.inputs[0].name]), dtype=bool)
        for column in self.inputs:
            for broken in column.faults(columns[column.name]).values():
                invalid |= broken
        return invalid

    def known(self, columns: Columns) -> Columns:
        """Return columns in which a text that means a missing value is the empty one."""
        if not self._gone:
            return columns
        texts = {name: values for name, values in columns.items() if values.dtype == object}
        return columns | {name: np.where(np.isin(values, self._gone), "", values) for name, values in texts.items()}

    def model_inputs(self, columns: Columns) -> Columns:
        """Return what the model takes: its features, as float32 (what is not finite becomes missing) or text."""
        numbers, texts = self.matrices(columns)
        return dict(zip(self._numbers, numbers.T, strict=True)) | dict(zip(self._texts, texts.T, strict=True))

    def matrices(self, columns: Columns) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the same as two matrices, shape (rows, numbers) and (rows, texts).

        That is how ONNX takes them, because for a single row it is the number of arrays that takes the time.
        """
        with np.errstate(all="ignore"):
            arrays = features(self.known(columns))
            numbers = np.array([arrays[name] for name in self._numbers], dtype=np.float32).T
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers, np.array([arrays[name] for name in self._texts], dtype=object).T

    def unseen(self, columns: Columns) -> dict[str, int]:
        """Count, for each category that has any, the values that training did not see."""
        values = {name: columns[name].tolist() for name in self._known}
        strange = [name for name, known in self._known.items() if not known.issuperset(values[name])]
        return {name: sum(value not in self._known[name] for value in values[name]) for name in strange}

    @cached_property
    def _numbers(self) -> list[str]:
        return [feature.name for feature in self.features if feature.matrix == "numbers"]

    @cached_property
    def _texts(self) -> list[str]:
        return [feature.name for feature in self.features if feature.matrix == "texts"]

    @cached_property
    def _gone(self) -> list[str]:
        return [text for text in self.missing if text]

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {name: frozenset({"", *self.missing, *values}) for name, values in self.vocabulary.items()}


Row = tuple[Any, ...]
"""The values of one row, in the order of the signature's inputs."""


class RequestDecoder:
    """Decodes `{"instances": [{…}, …]}` into rows, and these into columns.

    A column's name need not be a name of Python's, so the fields are numbered and renamed for JSON.
    """

    def __init__(self, signature: Signature, max_rows: int) -> None:
        self._columns = signature.inputs
        row = msgspec.defstruct(
            "Instance",
            [(f"column_{i}", *_type(column, signature.missing)) for i, column in enumerate(signature.inputs)],
            rename={f"column_{i}": column.name for i, column in enumerate(signature.inputs)},
            kw_only=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        rows = Annotated[list[row], msgspec.Meta(min_length=1, max_length=max_rows)]  # type: ignore[valid-type]
        self.request = msgspec.defstruct("PredictRequest", [("instances", rows)], forbid_unknown_fields=True)
        self._decode = msgspec.json.Decoder(self.request).decode

    def __call__(self, body: bytes) -> Columns:
        """Decode the body of a request into columns.

        Raises:
            msgspec.DecodeError: it is not JSON, or not what the signature asks for.
        """
        return self.columns(self.rows(body))

    def rows(self, body: bytes) -> list[Row]:
        """Decode the body of a request into rows; see `__call__`."""
        try:
            instances = self._decode(body).instances  # type: ignore[attr-defined]
        except UnicodeDecodeError as error:
            raise msgspec.DecodeError(f"JSON must be UTF-8: {error}") from error
        return [msgspec.structs.astuple(instance) for instance in instances]

    def columns(self, rows: list[Row]) -> Columns:
        """Turn rows into columns."""
        values = zip(*rows, strict=True)
        return {column.name: column.array(v) for column, v in zip(self._columns, values, strict=True)}


def _type(column: Column, missing: Iterable[str]) -> tuple[Any, ...]:
    """Return a field's type and, where its value may be missing, its default."""
    kind: Any = Annotated[column.type(), msgspec.Meta(description=column.description)]
    if column.nullable:
        return (kind | None, None)
    gone = "|".join(re.escape(text) for text in missing if text)
    if gone and isinstance(column, Category | Text):
        kind = Annotated[kind, msgspec.Meta(pattern=f"^(?!({gone})$)")]
    return (kind,)
