"""What we say to a PIV card (NIST SP 800-73-4 part 2), and what its answers mean. Sans-IO.

Two errands: `look` (who is it, how many PIN tries has it left) and `prove` (give the PIN, have a
message signed with the key of slot 9A). Each opens with SELECT, so it does not matter what another
program left behind.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from hardware.card import tlv
from hardware.card.apdu import OK, Dialogue, Nonsense, Reply, exchange
from hardware.card.certificate import KeyKind, key_in_certificate, key_kind
from hardware.card.status import CardCause
from municipio.devices import CardTrouble, LastTry, Pin, PinBlocked, PinWrong, Proof, Proved

PIV_AID = bytes.fromhex("A000000308000010 00")
"""The PIV application, without its version, so that any version answers."""
PIN_REFERENCE = 0x80
KEY_REFERENCE = 0x9A
CERTIFICATE_OBJECT = bytes.fromhex("5FC105")
_CERTIFICATE, _COMPRESSION, _ALGORITHM_TEMPLATE = 0x70, 0x71, 0x7C
_DATA_OBJECT, _CHALLENGE, _RESPONSE = 0x53, 0x81, 0x82

_ALGORITHMS = {KeyKind.RSA_2048: 0x07, KeyKind.P256: 0x11}
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA_BYTES = 256
_MAX_SIGNATURE = {KeyKind.RSA_2048: 256, KeyKind.P256: 72}

_NO_OBJECT = frozenset({0x6A82, 0x6A80, 0x6A88, 0x6A81})
_NOT_HERE = frozenset({0x6A82, 0x6A81, 0x6999, 0x6D00, 0x6E00})
"""No such application: cards of banks, transport and telephones say one of these."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A PIV card with a key that we can use. `public_key` is SubjectPublicKeyInfo in DER."""

    tries_left: int | None
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Unusable:
    cause: CardCause


@dataclass(frozen=True, slots=True)
class _Counter:
    """The card's own PIN counter; `tries` None when it does not tell."""

    tries: int | None


def look() -> Dialogue[Looked | Unusable]:
    """SELECT, the PIN counter, the certificate of slot 9A. Spends no PIN try."""
    refused = yield from _select()
    if refused is not None:
        return refused
    counter = yield from _counter()
    if isinstance(counter, Unusable):
        return counter
    data = tlv.encode(0x5C, CERTIFICATE_OBJECT)
    reply = yield from exchange(0xCB, 0x3F, 0xFF, data)
    if isinstance(reply, Nonsense):
        return Unusable(CardCause.GARBLED)
    if reply.sw in _NO_OBJECT:
        return Unusable(CardCause.NO_KEY)
    if reply.sw != OK:
        return Unusable(CardCause.GARBLED)
    return _looked(reply.data, counter.tries)


def prove(pin: Pin, message: bytes, public_key: bytes, *, spend_last_try: bool) -> Dialogue[Proof]:
    """SELECT, look at the counter once more, VERIFY, GENERAL AUTHENTICATE."""
    kind = key_kind(public_key)
    if kind is None:
        return CardTrouble(CardCause.NO_KEY.value)
    refused = yield from _select()
    counter = refused or (yield from _counter())
    if isinstance(counter, Unusable):
        blocked = counter.cause is CardCause.BLOCKED
        return PinBlocked() if blocked else CardTrouble(counter.cause.value)
    if not spend_last_try and (counter.tries is None or counter.tries <= 1):
        return LastTry(counter.tries)
    reply = yield from exchange(0x20, 0x00, PIN_REFERENCE, pin.padded(), answers=False)
    wrong = _pin_refused(reply)
    if wrong is not None:
        return wrong
    return (yield from _sign(kind, message))


def _select() -> Dialogue[Unusable | None]:
    reply = yield from exchange(0xA4, 0x04, 0x00, PIV_AID)
    if isinstance(reply, Nonsense):
        return Unusable(CardCause.GARBLED)
    if reply.sw in _NOT_HERE:
        return Unusable(CardCause.NOT_PIV)
    return None if reply.sw == OK else Unusable(CardCause.GARBLED)


def _counter() -> Dialogue[_Counter | Unusable]:
    """VERIFY without data asks for the counter (SP 800-73-4 part 2, 3.2.1)."""
    reply = yield from exchange(0x20, 0x00, PIN_REFERENCE, answers=False)
    if isinstance(reply, Nonsense):
        return Unusable(CardCause.GARBLED)
    if reply.sw in (0x6983, 0x63C0):
        return Unusable(CardCause.BLOCKED)
    return _Counter(reply.sw & 0x0F if reply.sw & 0xFFF0 == 0x63C0 else None)


def _pin_refused(reply: Reply | Nonsense) -> Proof | None:
    if isinstance(reply, Nonsense):
        return CardTrouble(CardCause.GARBLED.value)
    if reply.sw == OK:
        return None
    if reply.sw in (0x6983, 0x63C0):
        return PinBlocked()
    if reply.sw & 0xFFF0 == 0x63C0:
        return PinWrong(reply.sw & 0x0F)
    if reply.sw == 0x6A80:
        return PinWrong(
            None
        )  # a format that this card never accepts; it may or may not have counted
    return CardTrouble(CardCause.GARBLED.value)


def _sign(kind: KeyKind, message: bytes) -> Dialogue[Proof]:
    challenge = tlv.encode(_CHALLENGE, _to_sign(kind, message))
    template = tlv.encode(_ALGORITHM_TEMPLATE, tlv.encode(_RESPONSE, b"") + challenge)
    reply = yield from exchange(0x87, _ALGORITHMS[kind], KEY_REFERENCE, template)
    if isinstance(reply, Nonsense) or reply.sw != OK:
        return CardTrouble(CardCause.GARBLED.value)
    outer = tlv.decode(reply.data) or {}
    inner = tlv.decode(outer.get(_ALGORITHM_TEMPLATE, b"")) or {}
    signature = inner.get(_RESPONSE, b"")
    if not 1 <= len(signature) <= _MAX_SIGNATURE[kind]:
        return CardTrouble(CardCause.GARBLED.value)
    return Proved(signature)


def _to_sign(kind: KeyKind, message: bytes) -> bytes:
    """The hash itself for ECDSA; the whole padded block for RSA (RFC 8017, 9.2), which the card lacks."""
    digest = hashlib.sha256(message).digest()
    if kind is KeyKind.P256:
        return digest
    info = _SHA256_DIGEST_INFO + digest
    return b"\x00\x01" + b"\xff" * (_RSA_BYTES - len(info) - 3) + b"\x00" + info


def _looked(data: bytes, tries_left: int | None) -> Looked | Unusable:
    outer = tlv.decode(data)
    items = None if outer is None else tlv.decode(outer.get(_DATA_OBJECT, b""))
    if items is None:
        return Unusable(CardCause.GARBLED)
    packed = items.get(_COMPRESSION, b"\x00") == b"\x01"
    public_key = key_in_certificate(items.get(_CERTIFICATE, b""), packed=packed)
    if public_key is None or key_kind(public_key) is None:
        return Unusable(CardCause.NO_KEY)
    return Looked(tries_left, public_key)
