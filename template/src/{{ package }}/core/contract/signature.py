"""What goes into a model and what comes out, and its JSON form."""

from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...features import features
from .columns import Answer, Column, Columns


class Signature(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The contract of one model: `signature.json` in its bundle.

    `outputs` are the columns of an answer, `missing` the texts that mean a missing value, `vocabulary` holds the values
    of each category that training saw, and `example` is a row made up from what is typical of each column. `decision`
    holds numbers that are part of every answer, such as a threshold.
    """

    inputs: tuple[Column, ...]
    features: tuple[Column, ...]
    outputs: tuple[Column, ...]
    missing: tuple[str, ...] = ("",)
    vocabulary: dict[str, tuple[str, ...]]
    example: dict[str, Any]
    decision: dict[str, float] = {}

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
        """Return what the model takes, its features: float32 (what is not finite becomes missing), text or pixels."""
        matrices = self.matrices(columns)
        numbers = dict(zip(self._numbers, matrices["numbers"].T, strict=True))
        texts = dict(zip(self._texts, matrices["texts"].T, strict=True))
        return numbers | texts | {name: matrices[name] for name in self._pixels}

    def matrices(self, columns: Columns) -> Columns:
        """Return the same as `numbers` and `texts`, shape (rows, …) each, and features of pixels by their names.

        That is how ONNX takes them, because for a single row it is the number of arrays that takes the time.
        """
        with np.errstate(all="ignore"):
            arrays = features(self.known(columns))
            numbers = np.array([arrays[name] for name in self._numbers], dtype=np.float32).T
        numbers[~np.isfinite(numbers)] = np.nan
        matrices = {"numbers": numbers, "texts": np.array([arrays[name] for name in self._texts], dtype=object).T}
        return matrices | {name: feature.array(arrays[name]) for name, feature in self._pixels.items()}

    def decide(self, answer: Answer) -> Answer:
        """Return an answer with the numbers that decide as a part of it."""
        rows = len(next(iter(answer.values())))
        return answer | {name: np.full(rows, value) for name, value in self.decision.items()}

    def unseen(self, columns: Columns) -> dict[str, list[int]]:
        """Return, for each category that has any, the numbers of the rows whose value training did not see."""
        named = {column.name: column for column in self.inputs}
        found = {name: named[name].unseen(columns[name], known) for name, known in self._known.items()}
        return {name: rows for name, rows in found.items() if rows}

    @cached_property
    def _numbers(self) -> list[str]:
        return [feature.name for feature in self.features if feature.matrix == "numbers"]

    @cached_property
    def _texts(self) -> list[str]:
        return [feature.name for feature in self.features if feature.matrix == "texts"]

    @cached_property
    def _pixels(self) -> dict[str, Column]:
        return {feature.name: feature for feature in self.features if feature.matrix == "pixels"}

    @cached_property
    def _gone(self) -> list[str]:
        return [text for text in self.missing if text]

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {name: frozenset({"", *self.missing, *values}) for name, values in self.vocabulary.items()}


Row = tuple[Any, ...]
"""The values of one row, in the order of the signature's inputs."""
