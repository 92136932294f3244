"""The site code: eight digits that open the technician's pages once, before the city's first list came.

Rule: a try is counted before it is judged, the code is good for one opening, and where the city's list
of technicians is on the node it opens nothing. Only a salted scrypt hash is kept (RFC 7914); eight digits
would not stand long against who took the card, who by then has the card.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

import msgspec

MAX_TRIES = 10
MAX_NOTE_BYTES = 1024
SALT_BYTES = 16
CODE = re.compile(r"[0-9]{8}")


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    salt: str
    digest: str
    tries: int = 0
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What to keep, and whether the door opens."""

    note: bytes
    opens: bool
    tries_left: int


def site_code_note(code: str, salt: bytes) -> bytes:
    """What a node keeps of a code that was not tried yet."""
    return _encode(_Note(salt.hex(), _digest(code, salt)))


def is_site_code(note: bytes, code: str) -> bool:
    """Is that the code of this note, tried or not?"""
    known = _decode(note)
    return known is not None and _fits(known, code)


def may_try(note: bytes) -> bool:
    """Is there a code that can still open?"""
    known = _decode(note)
    return known is not None and not known.is_used and known.tries < MAX_TRIES


def counted(note: bytes) -> bytes | None:
    """The note with one more try, to be kept before the code is judged. None when no try is left."""
    known = _decode(note)
    if known is None or not may_try(note):
        return None
    return _encode(msgspec.structs.replace(known, tries=known.tries + 1))


def judged(note: bytes, code: str) -> Tried:
    """Judge a code against a note whose try was counted."""
    known = _decode(note)
    if known is None or known.is_used:
        return Tried(note, False, 0)
    opens = _fits(known, code)
    after = msgspec.structs.replace(known, is_used=True) if opens else known
    return Tried(_encode(after), opens, 0 if opens else max(0, MAX_TRIES - known.tries))


def _fits(known: _Note, code: str) -> bool:
    if not CODE.fullmatch(code):
        return False
    return hmac.compare_digest(_digest(code, bytes.fromhex(known.salt)), known.digest)


def _digest(code: str, salt: bytes) -> str:
    return hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26, dklen=32).hex()


def _encode(note: _Note) -> bytes:
    return msgspec.json.encode(note) + b"\n"


def _decode(raw: bytes) -> _Note | None:
    try:
        note = msgspec.json.decode(raw, type=_Note)
        bytes.fromhex(note.salt)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return note
