from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from municipio.wire.envelope import sign_body, verify_body
from municipio.wire.keys import (
    KeyFormatError,
    base64url,
    key_id,
    load_public,
    parse_base64,
    parse_base64url,
    public_pem,
    verify,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()


def test_a_public_key_survives_pem() -> None:
    assert key_id(load_public(public_pem(PUBLIC))) == key_id(PUBLIC)


def test_key_id_is_the_start_of_the_hash_of_the_raw_key() -> None:
    raw = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert key_id(PUBLIC) == hashlib.sha256(raw).hexdigest()[:16]


def test_what_is_not_an_ed25519_key_is_refused() -> None:
    x25519 = X25519PrivateKey.generate().public_key()
    other = x25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem in (b"", b"hello", b"-----BEGIN PUBLIC KEY-----\n", other, b"x" * 10_000):
        with pytest.raises(KeyFormatError):
            load_public(pem)


def test_a_wrong_signature_is_false_and_never_an_error() -> None:
    assert verify(PUBLIC, KEY.sign(b"a"), b"a")
    assert not verify(PUBLIC, KEY.sign(b"a"), b"b")
    assert not verify(PUBLIC, b"", b"b")
    assert not verify(PUBLIC, bytes(64), b"b")


def test_base64_has_one_spelling_only() -> None:
    assert parse_base64("AA==", 1) == b"\0"
    for text in ("AB==", "AA=", "AA", " AA==", "AA==\n", "", "ñ"):
        assert parse_base64(text, 1) is None
    assert parse_base64url(base64url(b"\xff\xfe"), 2) == b"\xff\xfe"
    for text in ("__5", "//4", "__4=", "__4 ", ""):
        assert parse_base64url(text, 2) is None


def test_an_answer_of_the_city_is_believed_only_with_its_signature() -> None:
    header = sign_body(b'{"status":"ok"}', KEY.sign)
    assert verify_body(b'{"status":"ok"}', header, PUBLIC)
    assert not verify_body(b'{"status":"no"}', header, PUBLIC)
    assert not verify_body(b'{"status":"ok"}', None, PUBLIC)
    assert not verify_body(b'{"status":"ok"}', "Basic x", PUBLIC)
