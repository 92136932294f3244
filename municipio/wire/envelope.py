"""Signed JSON answers of the city: header `Plaza-Signature` over the exact body bytes.

A node believes an answer only with this header, so that a login page can never pass for the city.
"""

from __future__ import annotations

from municipio.wire import keys

SIGNATURE_HEADER = "Plaza-Signature"
MAX_REPLY_BYTES = 1024 * 1024


def sign_body(body: bytes, sign: keys.Sign) -> str:
    """Value of the `Plaza-Signature` header for a body."""
    return keys.signature_text(sign(body))


def verify_body(body: bytes, header: str | None, public: keys.PublicKey) -> bool:
    """True when the owner of `public` signed exactly this body."""
    if header is None or len(body) > MAX_REPLY_BYTES:
        return False
    signature = keys.parse_base64(header.strip(), keys.SIGNATURE_BYTES)
    return signature is not None and keys.verify(public, signature, body)
