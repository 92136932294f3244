"""What a code read by the kiosk's reader means: a clave, a folio, or nothing that we know.

A receipt's QR holds the address where anybody can check it; only the folio is taken from it and
the address is never opened. A clave is taken from last year's receipt in its 16, 17 or 22 digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from municipio.identifiers import Clave, Folio, parse_clave, parse_folio
from municipio.wire.receipt_code import ReceiptCode, read_receipt_code

SCAN_MAX = 512
"""Characters. The longest code that we print is under 300."""


@dataclass(frozen=True, slots=True)
class ScannedClave:
    clave: Clave


@dataclass(frozen=True, slots=True)
class ScannedFolio:
    """`from_receipt` when it came in a receipt's signed code, which nobody has verified here."""

    folio: Folio
    from_receipt: bool = False


class UnknownReason(StrEnum):
    EMPTY = "empty"
    TOO_LONG = "too_long"
    OTHER_ADDRESS = "other_address"
    """A web address that is not a receipt's."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class UnknownScan:
    """A code that we do not recognise. It carries no text: it is a stranger's."""

    reason: UnknownReason


ScanMeaning = ScannedClave | ScannedFolio | UnknownScan


def read_scan(text: str, mask: str) -> ScanMeaning:
    """The meaning of a scanned text for a city whose claves have this mask. Never raises for text."""
    if len(text) > SCAN_MAX:
        return UnknownScan(UnknownReason.TOO_LONG)
    text = text.strip()
    if not text:
        return UnknownScan(UnknownReason.EMPTY)
    if text[:8].lower().startswith(("http://", "https://")):
        code = _code_of(text)
        return _from_code(code) if code else UnknownScan(UnknownReason.OTHER_ADDRESS)
    folio = parse_folio(text)
    if isinstance(folio, Folio):
        return ScannedFolio(folio)
    clave = parse_clave(text, mask)
    return ScannedClave(clave) if isinstance(clave, Clave) else _from_code(text)


def _code_of(address: str) -> str:
    """The last part of `https://city.example/any/where/r/CODE`; empty for any other address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    before, slash, code = parts.path.rpartition("/r/")
    plain = slash and not parts.query and not parts.fragment and "/" not in code
    return code if plain and parts.netloc and "//" not in before else ""


def _from_code(text: str) -> ScannedFolio | UnknownScan:
    code = read_receipt_code(text)
    folio = parse_folio(code.folio) if isinstance(code, ReceiptCode) else None
    if isinstance(folio, Folio):
        return ScannedFolio(folio, from_receipt=True)
    return UnknownScan(UnknownReason.OTHER)
