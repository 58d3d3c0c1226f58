"""The kinds of columns: everything that depends on a column's kind is a method of its class, and nothing elsewhere."""

import datetime
import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
"""Name → array, whose first axis is the rows: float64 with NaN for a missing number, objects (str) with "" for missing
text, or datetime64[D] with NaT for a missing date."""
Answer = Columns
"""What a model answers: the outputs of its graph by name, whose first axis is the rows."""
MAX_ITEM = 200
"""How many characters the name of an item has at most."""
TYPICAL_ITEMS = 3
"""How many items an example has."""
BLANK = " "
"""A text without words, which any request may carry: what is left of a text when all of its words are away."""
UNSEEN = "(never seen) ½ 雨"
"""A value that no training data hold."""
STRANGE = ("…!", " ", "ÀÉÎ Straße ﬁn İstanbul", "東京は晴れ 서울", "👩‍👩‍👧 🙂", "e\u0301te\u0301", "0")
"""Texts in which letters, words and spaces are not what they seem."""


def pictures() -> Any:
    """Return the module that decodes images: only where there are any is Pillow installed."""
    from . import pictures

    return pictures


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What all columns have in common."""

    name: str
    description: str = ""
    nullable: bool = False

    matrix: ClassVar[Literal["numbers", "texts", "pixels"] | None] = None
    """Which of a model's inputs carries such a feature; None where `features.py` has to derive one from it."""
    is_single: ClassVar[bool] = True
    """Whether a value is one thing, which another column alone may tell, and not several."""
    is_free: ClassVar[bool] = False
    """Whether nearly every row has a value of its own, as a text has."""
    is_read: ClassVar[bool] = False
    """Whether a value of a request is read by `read`, because its type does not tell whether it is one."""
    form: ClassVar[str]
    """What a value has to be, as error messages say it."""

    @abstractmethod
    def type(self) -> Any:
        """Return the type of a value in a request."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one value in an array of a feature."""
        return ()

    @abstractmethod
    def array(self, values: Any) -> NDArray[Any]:
        """Return values or None, shape (rows,), as this kind's array."""

    def read(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield each value of a request as `array` takes it.

        Raises:
            ValueError: the next one is none; the sentence says why.
        """
        yield from values

    def from_table(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what a table holds, shape (rows,), as this kind's array."""
        return values

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        return {} if self.nullable else {"missing": self.missing(array)}

    @abstractmethod
    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""

    def unknown(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows hold a value that training data may not hold, though a request may, shape (rows,)."""
        return np.zeros(len(array), dtype=bool)

    def facets(self, array: NDArray[Any]) -> Columns:
        """Return what of this column may drift, as numbers or text, shape (rows,) each."""
        return {self.name: array}

    def telling(self, array: NDArray[Any]) -> Columns:
        """Return what of this column may tell the target though it should not, shape (rows,) each."""
        return {self.name: array}

    def keys(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what is equal, shape (rows,), where values are the same or nearly so."""
        return array

    def vocabulary(self, array: NDArray[Any]) -> tuple[str, ...] | None:
        """Return the values that training saw, for a kind whose unseen values are counted."""
        return None

    def unseen(self, array: NDArray[Any], known: frozenset[str]) -> list[int]:
        """Return the numbers of the rows whose value is not among those that training saw."""
        values = array.tolist()
        return [] if known.issuperset(values) else [i for i, value in enumerate(values) if value not in known]

    @abstractmethod
    def typical(self, array: NDArray[Any]) -> Any:
        """Return a value for an example, as JSON has it: a summary of the rows, and no row of its own."""

    def probes(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what else to try, in place of an array, where an export is compared with its model."""
        return [self.array([None] * len(array))] if self.nullable else []

    def pieces(self, value: Any) -> list[str]:
        """Return the names of the pieces of a value that an explanation is about, in their order, if it has any."""
        return []

    def keep(self, value: Any, there: Sequence[bool], other: Any) -> Any:
        """Return a value of which those pieces are there, and the rest is as in another one or away."""
        return value

    def to_log(self, value: Any) -> Any:
        """Return what the prediction log holds of a value of a request."""
        return value

    def plain(self, array: NDArray[Any]) -> list[Any]:
        """Return an array's values as JSON has them."""
        return [None if gone else value for value, gone in zip(array.tolist(), self.missing(array), strict=True)]


class Number(Kind, frozen=True, kw_only=True, tag="number"):
    """A number; `minimum` and `maximum` are inclusive."""

    minimum: float | None = None
    maximum: float | None = None

    matrix = "numbers"
    form = "a number"

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return Annotated[float, msgspec.Meta(ge=self.minimum, le=self.maximum)]

    def array(self, values: Any) -> NDArray[Any]:
        """Return numbers or None, shape (rows,), as float64 with NaN."""
        return np.asarray(values, dtype=np.float64)

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        faults = super().faults(array) | {"not finite": np.isinf(array)}
        if self.minimum is not None:
            faults[f"less than {self.minimum:g}"] = array < self.minimum
        if self.maximum is not None:
            faults[f"more than {self.maximum:g}"] = array > self.maximum
        return faults

    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""
        gone: NDArray[np.bool_] = np.isnan(array)
        return gone

    def typical(self, array: NDArray[Any]) -> float | None:
        """Return the lower median, so that a column of whole numbers has a whole one."""
        present = array[~np.isnan(array)]
        return float(np.quantile(present, 0.5, method="lower")) if len(present) else None


class Count(Number, frozen=True, kw_only=True, tag="count"):
    """A whole number that a client chooses, such as how many answers it wants, so that a change of it is no drift."""

    form = "a whole number"

    def type(self) -> Any:
        """Return the type of a value in a request."""
        low, high = (None if limit is None else int(limit) for limit in (self.minimum, self.maximum))
        return Annotated[int, msgspec.Meta(ge=low, le=high)]

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        return super().faults(array) | {"not whole": np.isfinite(array) & (array != np.floor(array))}

    def facets(self, array: NDArray[Any]) -> Columns:
        """Return nothing: it is up to the client."""
        return {}

    def plain(self, array: NDArray[Any]) -> list[Any]:
        """Return an array's values as JSON has them."""
        return [None if value is None else int(value) for value in super().plain(array)]


class _String(Kind, frozen=True, kw_only=True):
    """What the two kinds of text have in common."""

    form = "text"

    def array(self, values: Any) -> NDArray[Any]:
        """Return strings or None, shape (rows,), as an array of objects with ""."""
        return np.array([value or "" for value in values], dtype=object)

    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""
        gone: NDArray[np.bool_] = array == ""
        return gone

    def probes(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what else to try, in place of an array, where an export is compared with its model."""
        return [*super().probes(array), self.array([UNSEEN] * len(array))]


class Category(_String, frozen=True, kw_only=True, tag="category"):
    """Text of few different values; `values`, where given, are all that training data may hold."""

    values: tuple[str, ...] = ()

    matrix = "texts"

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return str if self.nullable else Annotated[str, msgspec.Meta(min_length=1)]

    def unknown(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows hold a value that training data may not hold, though a request may, shape (rows,)."""
        if not self.values:
            return super().unknown(array)
        return ~np.isin(array.astype(str), [*self.values, ""])

    def vocabulary(self, array: NDArray[Any]) -> tuple[str, ...]:
        """Return the values that training saw, in order."""
        return tuple(sorted(set(array.tolist()) - {""}))

    def typical(self, array: NDArray[Any]) -> str | None:
        """Return the most frequent value."""
        values, counts = np.unique(array[array != ""].astype(str), return_counts=True)
        return str(values[counts.argmax()]) if len(values) else None


class Text(_String, frozen=True, kw_only=True, tag="text"):
    """Free text, from which `features.py` derives features; its length may drift, its values are not counted.

    Where it is not `logged`, the prediction log holds its SHA-256 and its lengths in place of it.
    """

    max_length: int = 10_000
    logged: bool = False

    is_free = True

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return Annotated[str, msgspec.Meta(min_length=0 if self.nullable else 1, max_length=self.max_length)]

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        long = np.array([len(value) > self.max_length for value in array], dtype=bool)
        return super().faults(array) | {f"longer than {self.max_length} characters": long}

    def facets(self, array: NDArray[Any]) -> Columns:
        """Return the numbers of characters and words, shape (rows,) each, of texts or of what is logged of them."""
        logged = [value if isinstance(value, dict) else self.measure(value) for value in array]
        return {
            f"{self.name}: {measure}": np.array([one[measure] for one in logged], dtype=np.float64)
            for measure in ("characters", "words")
        }

    def to_log(self, value: Any) -> Any:
        """Return what the prediction log holds of a value; equal texts have the same hash."""
        if self.logged or not value:
            return value
        return {"sha256": hashlib.sha256(value.encode()).hexdigest(), **self.measure(value)}

    @staticmethod
    def measure(value: str) -> dict[str, int]:
        """Return the numbers of characters and words."""
        return {"characters": len(value), "words": len(value.split())}

    def probes(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what else to try, in place of an array, where an export is compared with its model."""
        long = [(f"{value} " * (self.max_length // (len(value) + 1) + 1))[: self.max_length] for value in array[:10]]
        strange = [*STRANGE, *long]
        return [*super().probes(array), self.array([strange[i % len(strange)] for i in range(len(array))])]

    def pieces(self, value: Any) -> list[str]:
        """Return the words of a text."""
        words: list[str] = value.split()
        return words

    def keep(self, value: Any, there: Sequence[bool], other: Any) -> Any:
        """Return a text of those words alone."""
        return " ".join(compress(value.split(), there)) or BLANK

    def typical(self, array: NDArray[Any]) -> Any:
        """Return a text that is nobody's."""
        return "An example."


class Items(Text, frozen=True, kw_only=True, tag="items"):
    """A list of items, the newest last, as texts without spaces: in an array or a table with a space between them.

    An empty list is a missing value, and counts as one that training did not see. Where a list is not `counted`, nobody
    looks for unseen items or drift of it.
    """

    max_items: int = 200
    counted: bool = True

    matrix = "texts"
    is_single = False
    form = "a list of items without spaces in them"

    def type(self) -> Any:
        """Return the type of a value in a request."""
        item = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ITEM, pattern=r"^\S+$")]
        return Annotated[list[item], msgspec.Meta(max_length=self.max_items)]

    def array(self, values: Any) -> NDArray[Any]:
        """Return lists, texts or None, shape (rows,), as an array of objects: items with one space between them."""
        texts = (value if isinstance(value, str) else " ".join(value or ()) for value in values)
        return np.array([" ".join(text.split()) for text in texts], dtype=object)

    from_table = array

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        lists = [text.split() for text in array]
        many = np.array([len(items) > self.max_items for items in lists], dtype=bool)
        long = np.array([any(len(item) > MAX_ITEM for item in items) for items in lists], dtype=bool)
        own = {f"more than {self.max_items} items": many, f"an item longer than {MAX_ITEM} characters": long}
        return Kind.faults(self, array) | own

    def facets(self, array: NDArray[Any]) -> Columns:
        """Return how many items there are, and the newest, shape (rows,) each."""
        if not self.counted:
            return {}
        lists = [text.split() for text in array]
        newest = np.array([items[-1] if items else "" for items in lists], dtype=object)
        return {f"{self.name}: items": np.array([float(len(items)) for items in lists]), f"{self.name}: newest": newest}

    def vocabulary(self, array: NDArray[Any]) -> tuple[str, ...] | None:
        """Return the items that training saw, in order."""
        return tuple(sorted({item for text in array for item in text.split()})) if self.counted else None

    def unseen(self, array: NDArray[Any], known: frozenset[str]) -> list[int]:
        """Return the numbers of the rows with an item that training did not see, or without any."""
        lists = [text.split() for text in array]
        return [i for i, items in enumerate(lists) if not items or not known.issuperset(items)]

    def to_log(self, value: Any) -> Any:
        """Return what the prediction log holds of a value of a request: the items."""
        return value

    def plain(self, array: NDArray[Any]) -> list[Any]:
        """Return an array's values as JSON has them."""
        return [text.split() for text in array]

    def probes(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what else to try, in place of an array, where an export is compared with its model."""
        strange = ["…!", "e\u0301te\u0301", "0", "東京"]
        mixed = [[*strange, *text.split(), *text.split()[:3]][: self.max_items] for text in array]
        return [self.array(values) for values in ([None] * len(array), [strange] * len(array), mixed)]

    def typical(self, array: NDArray[Any]) -> Any:
        """Return the most frequent items."""
        values, counts = np.unique([item for text in array for item in text.split()], return_counts=True)
        return values[np.argsort(-counts, kind="stable")][:TYPICAL_ITEMS].tolist()


class Words(_String, frozen=True, kw_only=True, tag="words"):
    """The words of a text with a space between them, which `features.py` makes: what a model of texts takes."""

    matrix = "texts"

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return str

    def typical(self, array: NDArray[Any]) -> str:
        """Return words that are nobody's."""
        return "an example"


class Image(Kind, frozen=True, kw_only=True, tag="image"):
    """A PNG or JPEG: bytes or base64 in a table, base64 in a request, and in an array a `Picture`.

    Whatever its size, it is brought to `height` × `width` pixels of 1 channel (grey) or 3 (red, green, blue). A file of
    more than `max_bytes` or `max_pixels` is refused before it is decoded, and so is a request whose files have together
    more than `max_pixels` beyond that size. The prediction log holds the SHA-256 and measures in place of a file, and
    plots in a bundle show images only where they are `shown`.
    """

    height: Annotated[int, msgspec.Meta(ge=1)]
    width: Annotated[int, msgspec.Meta(ge=1)]
    channels: Literal[1, 3] = 3
    max_bytes: int = 1_000_000
    max_pixels: int = 16_000_000
    shown: bool = False

    is_free = True
    is_read = True
    form = "a PNG or JPEG image"

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the height, the width and the number of channels."""
        return self.height, self.width, self.channels

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return Annotated[bytes, msgspec.Meta(min_length=1, max_length=self.max_bytes)]

    def read(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield each file of a request as a picture.

        Raises:
            ValueError: the next one cannot be read, or has too many pixels; the sentence says why.
        """
        left = self.max_pixels
        for value in values:
            picture = value and pictures().decode(value, self.shape, self.max_pixels, left)
            left -= max(0, picture.width * picture.height - self.height * self.width) if picture else 0
            yield picture

    def array(self, values: Any) -> NDArray[Any]:
        """Return base64, pictures, what is logged of them or None, shape (rows,), as an array of objects: pictures.

        One that cannot be read is blank, and says what is wrong with it.
        """
        found = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            is_text = isinstance(value, str) or value is None
            found[i] = pictures().from_base64(value or "", self) if is_text else value
        return found

    from_table = array

    def faults(self, array: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Return, for each way to break this contract, which rows do, shape (rows,)."""
        told = [picture.fault for picture in array]
        others = dict.fromkeys(fault for fault in told if fault and fault != pictures().MISSING)
        own = {fault: np.array([other == fault for other in told], dtype=bool) for fault in others}
        return super().faults(array) | own

    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""
        return np.array([picture.fault == pictures().MISSING for picture in array], dtype=bool)

    def facets(self, array: NDArray[Any]) -> Columns:
        """Return the measures, shape (rows,) each, of pictures or of what is logged of them."""
        logged = [value if isinstance(value, dict) else value.measure() for value in array]
        return {
            f"{self.name}: {measure}": np.array([one[measure] for one in logged], dtype=np.float64)
            for measure in ("width", "height", "brightness", "contrast")
        }

    telling = facets

    def keys(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return texts, shape (rows,), that are equal where pictures are nearly the same."""
        return np.array([picture.key() for picture in array], dtype=object)

    def to_log(self, value: Any) -> Any:
        """Return what the prediction log holds of a picture; the same file has the same hash."""
        return value and {"sha256": value.sha256, **value.measure()}

    def plain(self, array: NDArray[Any]) -> list[Any]:
        """Return the pixels of pictures as base64 of PNGs, which give the same pixels again."""
        gone = self.missing(array)
        return [None if no else pictures().to_base64(one.pixels) for one, no in zip(array, gone, strict=True)]

    def pieces(self, value: Any) -> list[str]:
        """Return the names of the parts of a picture, from its top left to its bottom right."""
        return list(pictures().find_parts(self.shape))

    def keep(self, value: Any, there: Sequence[bool], other: Any) -> Any:
        """Return a picture of which those parts are there, and the rest is as in another one."""
        pixels = value.pixels.copy()
        for place, is_there in zip(pictures().find_parts(self.shape).values(), there, strict=True):
            if not is_there:
                pixels[place] = other.pixels[place]
        return pictures().make(pixels)

    def probes(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what else to try, in place of an array, where an export is compared with its model."""
        noise = np.random.default_rng(0).integers(0, 256, self.shape, dtype=np.uint8)
        strange = [np.zeros_like(noise), np.full_like(noise, 255), noise]
        every = [pictures().make(strange[i % len(strange)]) for i in range(len(array))]
        return [*super().probes(array), self.array(every)]

    def typical(self, array: NDArray[Any]) -> str:
        """Return the average picture, which is nobody's, as base64 of a PNG."""
        mean = np.mean([picture.pixels for picture in array], axis=0)
        return str(pictures().to_base64(mean.round().astype(np.uint8)))


class Pixels(Kind, frozen=True, kw_only=True, tag="pixels"):
    """The pixels of an image, 0 to 255, which `features.py` makes: what a model of images takes."""

    height: Annotated[int, msgspec.Meta(ge=1)]
    width: Annotated[int, msgspec.Meta(ge=1)]
    channels: Literal[1, 3] = 3

    matrix = "pixels"
    form = "pixels"

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the height, the width and the number of channels."""
        return self.height, self.width, self.channels

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return list[list[list[int]]]

    def array(self, values: Any) -> NDArray[Any]:
        """Return pixels, shape (rows, height, width, channels), as bytes; a missing value is black."""
        black = np.zeros(self.shape, dtype=np.uint8)
        return np.array([black if value is None else value for value in values], np.uint8).reshape(-1, *self.shape)

    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""
        return np.zeros(len(array), dtype=bool)

    def typical(self, array: NDArray[Any]) -> list[Any]:
        """Return the average pixels."""
        average: list[Any] = np.mean(array, axis=0).round().astype(np.uint8).tolist()
        return average


class Date(Kind, frozen=True, kw_only=True, tag="date"):
    """A day, such as 2026-01-31, from which `features.py` derives features."""

    form = "a date such as 2026-01-31"

    def type(self) -> Any:
        """Return the type of a value in a request."""
        return datetime.date

    def array(self, values: Any) -> NDArray[Any]:
        """Return dates or None, shape (rows,), as datetime64[D] with NaT."""
        return np.array(values, dtype="datetime64[D]")

    def missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows have no value, shape (rows,)."""
        gone: NDArray[np.bool_] = np.isnat(array)
        return gone

    def facets(self, array: NDArray[Any]) -> Columns:
        """Return nothing: days always move on."""
        return {}

    def typical(self, array: NDArray[Any]) -> str | None:
        """Return the day in the middle."""
        present = np.sort(array[~np.isnat(array)])
        return str(present[len(present) // 2]) if len(present) else None

    def probes(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what else to try, in place of an array, where an export is compared with its model."""
        ends = [self.array([day] * len(array)) for day in ("1970-01-01", "2100-12-31")]
        return [*super().probes(array), *ends]


Column = Number | Count | Category | Text | Items | Words | Image | Pixels | Date
