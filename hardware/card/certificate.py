"""The public key inside a card's certificate. The certificate's own signature is never judged.

Who may log in is decided by the city's list of keys, so a certificate is only a way to carry one.
"""

from __future__ import annotations

import zlib
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from cryptography.utils import CryptographyDeprecationWarning

from hardware.card.tlv import MAX_OBJECT


class KeyKind(StrEnum):
    P256 = "p256"
    RSA_2048 = "rsa2048"


def key_in_certificate(raw: bytes, *, packed: bool) -> bytes | None:
    """SubjectPublicKeyInfo (DER) of a hostile certificate, or None. `packed` means gzip."""
    der = _unpacked(raw) if packed else raw
    if not der or len(der) > MAX_OBJECT:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.serial_number <= 0:  # RFC 5280 4.1.2.2: no authority issues one
            return None
        public = certificate.public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm, TypeError, CryptographyDeprecationWarning):
        # The library only warns of some malformed certificates today; where warnings are errors,
        # and in its next releases, the same certificate is refused.
        return None


def key_kind(public_key: bytes) -> KeyKind | None:
    """What kind of key that is, None for one that we do not use."""
    try:
        public = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return KeyKind.P256
    if isinstance(public, rsa.RSAPublicKey) and public.key_size == 2048:
        return KeyKind.RSA_2048
    return None


def _unpacked(raw: bytes) -> bytes | None:
    """gzip, never more than `MAX_OBJECT` bytes of it."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        der = unpacker.decompress(raw, MAX_OBJECT + 1)
    except zlib.error:
        return None
    return der if unpacker.eof else None
