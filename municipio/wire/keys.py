"""Ed25519 keys and signatures as values: PEM in, verdicts out. Nothing here reads a file.

Every signature text on a wire is canonical base64: a second spelling of the same bytes is refused,
so that changing any character of a signed message is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

PublicKey = Ed25519PublicKey
Sign = Callable[[bytes], bytes]
"""Signs a message with an Ed25519 key that the caller keeps; returns 64 bytes."""

SIGNATURE_BYTES = 64
MAX_PEM_BYTES = 4096


class KeyFormatError(ValueError):
    """Bytes that are not an Ed25519 public key in PEM; the message says so without quoting them."""


def load_public(pem: bytes | str) -> PublicKey:
    """Parse a SubjectPublicKeyInfo PEM. Raises KeyFormatError for anything but Ed25519."""
    raw = pem.encode() if isinstance(pem, str) else pem
    if len(raw) > MAX_PEM_BYTES:
        raise KeyFormatError("public key file is too large to be a key")
    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as e:
        raise KeyFormatError("not a public key in PEM format") from e
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFormatError("not an Ed25519 public key")
    return key


def public_pem(public: PublicKey) -> bytes:
    """SubjectPublicKeyInfo PEM of a key."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(public: PublicKey) -> str:
    """First 16 hex digits of the SHA-256 of the 32 raw key bytes: the `keyid` of requests."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def verify(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """True when `signature` is that key's Ed25519 signature (RFC 8032) of `message`."""
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signature_text(signature: bytes) -> str:
    """Standard base64 of a signature, with padding."""
    return base64.b64encode(signature).decode()


def parse_base64(text: str | bytes, size: int) -> bytes | None:
    """Exactly `size` bytes from canonical standard base64, or None."""
    return _canonical(text, size, urlsafe=False)


def parse_base64url(text: str | bytes, size: int) -> bytes | None:
    """Exactly `size` bytes from canonical base64url without padding, or None."""
    return _canonical(text, size, urlsafe=True)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _canonical(text: str | bytes, size: int, *, urlsafe: bool) -> bytes | None:
    try:
        given = text.encode("ascii") if isinstance(text, str) else text
        padded = given + b"=" * (-len(given) % 4) if urlsafe else given
        altchars = b"-_" if urlsafe else None
        raw = base64.b64decode(padded, altchars=altchars, validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
    again = base64url(raw).encode() if urlsafe else base64.b64encode(raw)
    return raw if len(raw) == size and again == given else None
