"""Images as files hold them become pixels: the one place where they are decoded, for data, service and batch."""

import base64
import binascii
import hashlib
import io
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

if TYPE_CHECKING:
    from . import columns

FORMATS = ("PNG", "JPEG")
MAX_SCANS = 100
"""How often a JPEG may go over its pixels: a small file can do so thousands of times."""
SCAN = b"\xff\xda"
"""How each of a JPEG's scans begins."""
LYING = (5, 6, 7, 8)
"""The orientations in EXIF of an image that lies on its side."""
MISSING = "missing"
PARTS = 3
"""Into how many rows, and how many columns, an explanation parts a picture."""
LEVELS = 16
"""How many steps of brightness are told apart where pictures are compared."""

Shape = tuple[int, ...]
"""Height, width and channels."""


class Picture(msgspec.Struct, frozen=True, eq=False):
    """An image in the size that the schema gives it.

    `pixels` are 0 to 255, shape (height, width, channels); `sha256` is that of the file, and `width` and `height` are
    the file's, too. `fault` says what is wrong with the file; the picture is black then.
    """

    pixels: NDArray[np.uint8]
    sha256: str
    width: int
    height: int
    fault: str = ""

    def __eq__(self, other: object) -> bool:
        """Tell whether both are of the same file."""
        return isinstance(other, Picture) and (self.sha256, self.fault) == (other.sha256, other.fault)

    def __hash__(self) -> int:
        return hash((self.sha256, self.fault))

    def measure(self) -> dict[str, float]:
        """Return the size of the file, and brightness and contrast: mean and standard deviation, of 1 for white."""
        brightness, contrast = (round(float(value) / 255, 4) for value in (self.pixels.mean(), self.pixels.std()))
        return {"width": self.width, "height": self.height, "brightness": brightness, "contrast": contrast}

    def key(self) -> str:
        """Return a text that is equal for pictures with about the same pixels."""
        return hashlib.sha256((self.pixels // (256 // LEVELS)).tobytes()).hexdigest()


def decode(content: bytes, shape: Shape, max_pixels: int, left: int | None = None) -> Picture:
    """Read a file.

    Args:
        content: The file.
        shape: What its pixels are brought to.
        max_pixels: How many it may have.
        left: How many more than in that shape it may have because of others that were read before it.

    Raises:
        ValueError: it is no PNG or JPEG, it is broken, or it has too many pixels; the sentence says which.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)  # which reads no more than its head
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"An image of more than {max_pixels} pixels") from None
    except Exception:  # Pillow raises whatever a broken file leads it to
        raise ValueError("Not a PNG or JPEG image") from None
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ValueError(f"An image of more than {max_pixels} pixels")
    if left is not None and pixels - shape[0] * shape[1] > left:
        raise ValueError(f"The images of a request have more than {max_pixels} pixels together")
    if image.format != "PNG" and content.count(SCAN) > MAX_SCANS:
        raise ValueError(f"A JPEG image of more than {MAX_SCANS} scans")
    try:
        reduced, (width, height) = _reduce(image, shape)
    except Exception:
        raise ValueError("A broken image") from None
    return Picture(reduced, hashlib.sha256(content).hexdigest(), width, height)


def from_base64(text: str, column: "columns.Image") -> Picture:
    """Read a file of a table; one that cannot be read is black and says why."""
    try:
        if not text:
            raise ValueError(MISSING)
        content = base64.b64decode(text, validate=True)
        if len(content) > column.max_bytes:
            raise ValueError(f"An image of more than {column.max_bytes} bytes")
        return decode(content, column.shape, column.max_pixels)
    except binascii.Error:
        fault = "not base64"
    except ValueError as error:
        fault = str(error)
    return Picture(np.zeros(column.shape, dtype=np.uint8), "", 0, 0, fault)


def make(pixels: NDArray[np.uint8]) -> Picture:
    """Return pixels, shape (height, width, channels), as a picture."""
    height, width, _ = pixels.shape
    return Picture(pixels, hashlib.sha256(pixels.tobytes()).hexdigest(), width, height)


def stack(pictures: Iterable[Any]) -> NDArray[np.uint8]:
    """Return the pixels of pictures, shape (rows, height, width, channels)."""
    return np.array([picture.pixels for picture in pictures], dtype=np.uint8)


def to_base64(pixels: NDArray[np.uint8]) -> str:
    """Return pixels, shape (height, width, channels), as base64 of a PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def find_parts(shape: Shape) -> dict[str, tuple[slice, slice]]:
    """Return where the parts of a picture are, by their names."""
    rows, columns = (
        dict(zip(names[size == 1 :], _cut(size), strict=False))
        for names, size in ((("top", "middle", "bottom"), shape[0]), (("left", "centre", "right"), shape[1]))
    )
    return {f"{row} {column}": (down, right) for row, down in rows.items() for column, right in columns.items()}


def _cut(size: int) -> list[slice]:
    """Return a length in about equal parts."""
    ends = np.linspace(0, size, min(PARTS, size) + 1).round().astype(int).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def _reduce(image: Image.Image, shape: Shape) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the pixels of an image in another size, and its own: upright, and on white where it is transparent."""
    height, width, channels = shape
    size, enough = image.size, 2 * max(height, width)
    image.draft(None, (enough, enough))  # a large JPEG need not be decoded whole
    if image.getexif().get(ExifTags.Base.Orientation) in LYING:
        size = size[::-1]
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits
        image = Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    return np.array(image, dtype=np.uint8).reshape(shape), size
