"""BER-TLV as PIV uses it (ISO/IEC 7816-4 section 6.3): read strictly, refuse what is cut or long."""

from __future__ import annotations

MAX_OBJECT = 8192
"""No object of a PIV card that we ask for is longer."""
MAX_ITEMS = 64


def encode(tag: int, value: bytes) -> bytes:
    """One item; definite length in the shortest form."""
    length = len(value)
    if length < 0x80:
        head = bytes([length])
    elif length < 0x100:
        head = bytes([0x81, length])
    else:
        head = b"\x82" + length.to_bytes(2, "big")
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + head + value


def decode(raw: bytes) -> dict[int, bytes] | None:
    """The items of `raw`, the first of each tag; None unless they fill it exactly."""
    if len(raw) > MAX_OBJECT:
        return None
    items: dict[int, bytes] = {}
    at = 0
    for _ in range(MAX_ITEMS):
        if at == len(raw):
            return items
        one = _item(raw, at)
        if one is None:
            return None
        tag, value, at = one
        items.setdefault(tag, value)
    return None


def _item(raw: bytes, at: int) -> tuple[int, bytes, int] | None:
    """(tag, value, where the next one starts)."""
    tag = raw[at]
    at += 1
    if tag & 0x1F == 0x1F:
        if at >= len(raw) or raw[at] & 0x80:
            return None
        tag = tag << 8 | raw[at]
        at += 1
    if at >= len(raw):
        return None
    length = raw[at]
    at += 1
    if length >= 0x80:
        count = length & 0x7F
        if not 1 <= count <= 2 or at + count > len(raw):
            return None
        length = int.from_bytes(raw[at : at + count], "big")
        at += count
    return None if at + length > len(raw) else (tag, raw[at : at + length], at + length)
