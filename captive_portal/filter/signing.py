"""The city's Ed25519 signature at the end of a list file, where readers of CDB never look.

    <CDB bytes> LF "plaza-filter-signature " <key id, 16 hex> " " <base64 of 64 bytes> LF

What is signed is "plaza-filter-1" LF, the size of the CDB bytes (8 bytes, big endian) and their SHA-256,
so that a signature made for anything else is never one of a list.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from captive_portal.filter.database import Unusable, open_cdb
from municipio.wire.keys import (
    SIGNATURE_BYTES,
    PublicKey,
    Sign,
    key_id,
    parse_base64,
    signature_text,
    verify,
)

_TRAILER = re.compile(rb"\nplaza-filter-signature ([0-9a-f]{16}) ([A-Za-z0-9+/=]{88})\n")
TRAILER_BYTES = 1 + 23 + 16 + 1 + 88 + 1


def trailer(path: Path, sign: Sign, public: PublicKey) -> bytes:
    """The bytes to append to an unsigned list file."""
    signature = signature_text(sign(_message(path, path.stat().st_size)))
    return f"\nplaza-filter-signature {key_id(public)} {signature}\n".encode("ascii")


def is_signed(path: Path) -> bool:
    """True when the file ends in something that looks like a signature."""
    return isinstance(_signed_part(path), tuple)


def check_signature(path: Path, public: PublicKey) -> Unusable | None:
    """None when the whole file is what the owner of that key signed."""
    found = _signed_part(path)
    if isinstance(found, Unusable):
        return found
    size, who, signature = found
    if who != key_id(public):
        return Unusable(f"{path}: signed by the key {who}, but this node trusts {key_id(public)}")
    if not verify(public, signature, _message(path, size)):
        return Unusable(f"{path}: the city's signature does not fit these bytes")
    return None


def _signed_part(path: Path) -> tuple[int, str, bytes] | Unusable:
    reader = open_cdb(path)
    if isinstance(reader, Unusable):
        return reader
    try:
        end = reader.end
        found = _TRAILER.fullmatch(reader.tail()[: TRAILER_BYTES + 1])
    finally:
        reader.close()
    signature = parse_base64(found[2], SIGNATURE_BYTES) if found else None
    if found is None or signature is None:
        return Unusable(f"{path}: not signed")
    return end, found[1].decode("ascii"), signature


def _message(path: Path, size: int) -> bytes:
    digest, left = hashlib.sha256(), size
    with path.open("rb") as stream:
        while left and (block := stream.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return b"plaza-filter-1\n" + size.to_bytes(8, "big") + digest.digest()
