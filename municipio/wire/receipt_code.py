"""The code in a receipt's QR: it proves offline that a node of the city printed this amount.

`FOLIO.AMOUNT.YYYYMMDD.SIGNATURE`: amount in centavos, day eight zeros when the node had no date it
could trust, signature base64url without padding over `plaza-receipt:` and the first three parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from municipio.wire import keys

MAX_CODE = 200
NO_DAY = "00000000"
_PREFIX = b"plaza-receipt:"
_CODE = re.compile(
    r"(?P<body>(?P<folio>[A-Z0-9][A-Z0-9-]{3,39})\.(?P<amount>0|[1-9]\d{0,11})\.(?P<day>\d{8}))"
    r"\.(?P<signature>[A-Za-z0-9_-]{86})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ReceiptCode:
    """What a code says; nothing of it holds before `verify` with the node's key."""

    folio: str
    amount_centavos: int
    day: date | None
    signature: bytes
    signed: bytes

    def verify(self, public: keys.PublicKey) -> bool:
        """True when the owner of `public` printed exactly this."""
        return keys.verify(public, self.signature, self.signed)


@dataclass(frozen=True, slots=True)
class ReceiptCodeProblem:
    """Text that is not a receipt code."""

    detail: str


def make_receipt_code(folio: str, amount_centavos: int, day: date | None, sign: keys.Sign) -> str:
    """Text for the QR. ValueError for a folio or amount that no receipt can have."""
    written = NO_DAY if day is None else day.strftime("%Y%m%d")
    body = f"{folio}.{amount_centavos}.{written}"
    code = f"{body}.{keys.base64url(sign(_PREFIX + body.encode()))}"
    if isinstance(read_receipt_code(code), ReceiptCodeProblem):
        raise ValueError(f"cannot make a receipt code for {body}")
    return code


def read_receipt_code(text: str) -> ReceiptCode | ReceiptCodeProblem:
    """Parse a hostile text, typed or scanned."""
    found = _CODE.fullmatch(text) if len(text) <= MAX_CODE else None
    if found is None:
        return ReceiptCodeProblem("not a receipt code")
    signature = keys.parse_base64url(found["signature"], keys.SIGNATURE_BYTES)
    if signature is None:
        return ReceiptCodeProblem("signature is not base64url of 64 bytes")
    day = _parse_day(found["day"])
    if isinstance(day, ReceiptCodeProblem):
        return day
    signed = _PREFIX + found["body"].encode()
    return ReceiptCode(found["folio"], int(found["amount"]), day, signature, signed)


def _parse_day(text: str) -> date | ReceiptCodeProblem | None:
    if text == NO_DAY:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a civil day has no zone
    except ValueError:
        return ReceiptCodeProblem("not a day of the calendar")
