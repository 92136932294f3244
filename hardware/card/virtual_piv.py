"""A PIV card in software: the applet's side of the wire, with its PIN counter, keys and certificate.

For simulators and tests. Any bytes get an answer that a real card would give; nothing raises.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from hardware.card import tlv
from hardware.card.protocol import CERTIFICATE_OBJECT, PIV_AID

ATR = bytes.fromhex("3B80800101")
MAX_PIN_TRIES = 3
MAX_CHAIN = 2048
_CHUNK = 256

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(kind: str = "p256") -> PrivateKey:
    """A key for slot 9A: `p256` or `rsa2048`."""
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: PrivateKey, name: str = "DEMOSTRACION") -> bytes:
    """A self-signed certificate (DER): enough to carry the public key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(Encoding.DER)


def public_der(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class VirtualPiv:
    """`shown` is the certificate that it tells of; another one than `key`'s makes it a clone."""

    key: PrivateKey = field(default_factory=new_key)
    pin: str = field(default="123456", repr=False)
    tries_left: int = MAX_PIN_TRIES
    shown: bytes | None = None
    is_piv: bool = True
    tells_tries: bool = True

    presented: int = 0
    """How many PINs it was given, ever."""
    signatures: int = 0
    verified: bool = False
    selected: bool = False
    _chain: bytes = b""
    _waiting: bytes = b""

    @property
    def atr(self) -> bytes:
        return ATR

    def reset(self) -> None:
        """Power off and on: the PIN is forgotten, its counter is not."""
        self.verified = self.selected = False
        self._chain = self._waiting = b""

    def answer(self, command: bytes) -> bytes:
        """One APDU to one answer of at most 258 bytes."""
        if len(command) < 4:
            return _sw(0x6700)
        cla, ins, p1, p2 = command[:4]
        data = _data(command)
        if data is None:
            return _sw(0x6700)
        if ins == 0xC0:
            return self._next()
        self._waiting = b""
        if cla == 0x10:
            return self._chained(data)
        data, self._chain = self._chain + data, b""
        if cla != 0x00:
            return _sw(0x6E00)
        if ins == 0xA4:
            return self._select(data)
        return self._applet(ins, p1, p2, data) if self.selected else _sw(0x6D00)

    def _chained(self, data: bytes) -> bytes:
        self._chain += data
        if len(self._chain) <= MAX_CHAIN:
            return _sw(0x9000)
        self._chain = b""
        return _sw(0x6700)

    def _applet(self, ins: int, p1: int, p2: int, data: bytes) -> bytes:
        match ins, p1, p2:
            case 0x20, 0x00, 0x80:
                return self._verify(data)
            case 0xCB, 0x3F, 0xFF:
                return self._get_data(data)
            case 0x87, algorithm, 0x9A:
                return self._authenticate(algorithm, data)
        return _sw(0x6A86 if ins in (0x20, 0xCB, 0x87) else 0x6D00)

    def _select(self, aid: bytes) -> bytes:
        self.selected = self.is_piv and aid.startswith(PIV_AID)
        self.verified = False
        return self._long(tlv.encode(0x61, tlv.encode(0x4F, PIV_AID)), self.selected, 0x6A82)

    def _verify(self, data: bytes) -> bytes:
        if not data:
            if self.verified:
                return _sw(0x9000)
            if not self.tells_tries:
                return _sw(0x6982)
            return _sw(0x63C0 | self.tries_left) if self.tries_left else _sw(0x6983)
        if len(data) != 8:
            return _sw(0x6A80)
        self.presented += 1
        self.verified = False
        if not self.tries_left:
            return _sw(0x6983)
        if data != self.pin.encode().ljust(8, b"\xff"):
            self.tries_left -= 1
            return _sw(0x63C0 | self.tries_left) if self.tries_left else _sw(0x6983)
        self.tries_left = MAX_PIN_TRIES
        self.verified = True
        return _sw(0x9000)

    def _get_data(self, data: bytes) -> bytes:
        asked = (tlv.decode(data) or {}).get(0x5C)
        if asked != CERTIFICATE_OBJECT or self.shown == b"":
            return _sw(0x6A82)
        shown = self.shown or certificate(self.key)
        items = tlv.encode(0x70, shown) + tlv.encode(0x71, b"\x00") + tlv.encode(0xFE, b"")
        return self._long(tlv.encode(0x53, items))

    def _authenticate(self, algorithm: int, data: bytes) -> bytes:
        if not self.verified:
            return _sw(0x6982)
        template = (tlv.decode(data) or {}).get(0x7C, b"")
        challenge = (tlv.decode(template) or {}).get(0x81)
        if challenge is None:
            return _sw(0x6A80)
        signature = self._signed(algorithm, challenge)
        if signature is None:
            return _sw(0x6A80)
        self.signatures += 1
        return self._long(tlv.encode(0x7C, tlv.encode(0x82, signature)))

    def _signed(self, algorithm: int, challenge: bytes) -> bytes | None:
        if isinstance(self.key, rsa.RSAPrivateKey):
            if algorithm != 0x07 or len(challenge) != 256:
                return None
            numbers = self.key.private_numbers()
            block = int.from_bytes(challenge, "big")
            if block >= numbers.public_numbers.n:
                return None
            return pow(block, numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
        if algorithm != 0x11 or len(challenge) != 32:
            return None
        return self.key.sign(challenge, ec.ECDSA(Prehashed(hashes.SHA256())))

    def _long(self, data: bytes, good: bool = True, otherwise: int = 0x6A82) -> bytes:
        if not good:
            return _sw(otherwise)
        self._waiting = data
        return self._next()

    def _next(self) -> bytes:
        part, self._waiting = self._waiting[:_CHUNK], self._waiting[_CHUNK:]
        more = len(self._waiting)
        return part + _sw(0x6100 | min(more, 0xFF) if more else 0x9000)


def _sw(word: int) -> bytes:
    return word.to_bytes(2, "big")


def _data(command: bytes) -> bytes | None:
    """The data field of a short APDU; None when its lengths do not fit."""
    if len(command) <= 5:
        return b""
    length = command[4]
    if len(command) not in (5 + length, 6 + length):
        return None
    return command[5 : 5 + length]
