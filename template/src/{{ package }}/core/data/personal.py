"""Which columns look like personal data.

Rules look at names and values; checksums tell a payment card or an IBAN from any other number of that length. They find
what has a form (addresses, numbers, dates of birth by their name), not what has none, such as a name in a free text.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

import msgspec
import polars as pl

from ..contract.tables import is_plain

SAMPLE = 1000
"""How many values of a column are looked at."""
SHARE = 0.5
"""The share of them that must match: one 16-digit number in ten passes a card's checksum by chance."""
NAMES = re.compile(
    r"(^|_)(e?mail|phone|mobile|fax|(first|last|full|sur)_?name|birth_?(day|date|place)?|dob|ssn|iban|passport|tax_?id"
    r"|street|address|post_?code|zip(_?code)?|ip|lat(itude)?|lon(gitude)?|device_?id|cookie)($|_)",
    re.IGNORECASE,
)


class Finding(msgspec.Struct, frozen=True):
    """A column that is worth a look, and why."""

    column: str
    reason: str


def scan(frame: pl.DataFrame) -> list[Finding]:
    """Return the columns of a table, of any types, that look like personal data."""
    return [Finding(name, reason) for name in frame.columns if (reason := _reason(name, frame[name]))]


def _reason(name: str, values: pl.Series) -> str | None:
    some = values.drop_nulls().head(SAMPLE) if is_plain(values.dtype) else pl.Series(dtype=pl.String)
    texts = some.cast(pl.String, strict=False).drop_nulls().str.strip_chars().to_list()
    for kind, matches in RULES.items():
        if texts and sum(map(matches, texts)) >= SHARE * len(texts):
            return f"its values look like {kind}"
    return "its name says so" if NAMES.search(name) else None


def _is_card(text: str) -> bool:
    """Tell whether a text is a payment card's number, by its check digit (H. P. Luhn, US patent 2950048)."""
    if not re.fullmatch(r"[\d -]{13,23}", text):
        return False
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[1::2]]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Tell whether a text is an IBAN, by its check digits (ISO 13616: the number modulo 97 is 1)."""
    compact = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _is_ip_address(text: str) -> bool:
    if text.count(".") != 3 and ":" not in text:  # so most values cost no exception
        return False
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: bool(compiled.fullmatch(text))


RULES: dict[str, Callable[[str], bool]] = {
    "email addresses": _matches(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    "IBANs": _is_iban,
    "payment cards": _is_card,
    "phone numbers": _matches(r"(\+|00)\d[\d ()/.-]{6,18}|\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}|0\d{1,4}[ /-][\d /-]{5,14}"),
    "US social security numbers": _matches(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}"),
    "IP addresses": _is_ip_address,
}
