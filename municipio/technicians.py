"""Who may open the technician's screens, for how long, and how fast guessing becomes useless. Pure.

The city signs a short-lived list of keys (`municipio.wire.technician_list`). A key proves itself by
signing a fresh challenge on its card; a number, a certificate or a card's UID proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from municipio.clock import Instant

CHALLENGE_BYTES = 32
RSA_BITS = 2048
_PURPOSE = b"plaza technician login v1\0"
_ID = re.compile(r"[A-Z0-9][A-Z0-9-]{1,15}", re.ASCII)


class Role(StrEnum):
    SERVICE = "service"
    """Diagnosis, tests, paper, settings, restart."""
    CASH = "cash"
    """Opens the cash box and makes cash cuts."""


@dataclass(frozen=True, slots=True)
class Technician:
    """`id` is a badge number such as `T-014`, never a name. Both dates are included."""

    id: str
    public_key: bytes
    """SubjectPublicKeyInfo in DER."""
    roles: frozenset[Role]
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class TechnicianList:
    """What the city signed. `serial` grows with every list: an older one is refused."""

    inegi: str
    serial: int
    valid_from: date
    valid_until: date
    technicians: tuple[Technician, ...]

    def owner_of(self, public_key: bytes) -> Technician | None:
        return next((t for t in self.technicians if t.public_key == public_key), None)


def is_technician_id(text: str) -> bool:
    """Two to sixteen of A-Z, 0-9 and dash: too short and too plain for a person's name to hide in."""
    return _ID.fullmatch(text) is not None


# --- time ------------------------------------------------------------------------------------


class Validity(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    UNSURE = "unsure"
    """The clock cannot be believed enough to say. It does not open every door."""


def validity(first: date, last: date, today: date | None, *, trusted: bool) -> Validity:
    """Is today within both dates? An untrusted `today` is a lower bound of the truth, None no bound.

    A lower bound can prove that something ended, never that it still runs.
    """
    if today is not None and today > last:
        return Validity.EXPIRED
    if today is None or not trusted:
        return Validity.UNSURE
    return Validity.NOT_YET if today < first else Validity.VALID


def both(one: Validity, other: Validity) -> Validity:
    """The worse of two: of the list and of the person in it."""
    order = (Validity.EXPIRED, Validity.NOT_YET, Validity.UNSURE, Validity.VALID)
    return min(one, other, key=order.index)


# --- challenge and response -------------------------------------------------------------------


def login_message(node_code: str, challenge: bytes) -> bytes:
    """What the card signs: bound to this purpose and node, so that it is of no use elsewhere."""
    assert len(challenge) == CHALLENGE_BYTES, "a challenge is 32 random bytes"
    return _PURPOSE + node_code.encode("ascii") + b"\0" + challenge


def has_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """ECDSA P-256 or RSA 2048 PKCS #1 v1.5, over SHA-256. False for any other key."""
    try:
        public = load_der_public_key(public_key)
        if _is_p256(public):
            assert isinstance(public, ec.EllipticCurvePublicKey)
            public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey) and public.key_size == RSA_BITS:
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def is_usable_key(public_key: bytes) -> bool:
    """True for the two kinds of key that a card may log in with."""
    try:
        public = load_der_public_key(public_key)
    except (UnsupportedAlgorithm, ValueError):
        return False
    return _is_p256(public) or (
        isinstance(public, rsa.RSAPublicKey) and public.key_size == RSA_BITS
    )


def _is_p256(public: object) -> bool:
    return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)


# --- back-off ---------------------------------------------------------------------------------

FREE_TRIES = 5
FIRST_WAIT_S = 15
MAX_WAIT_S = 7680
"""Two hours; the card's own counter has long blocked it by then."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Failed tries in a row, and when the last one was. Stored before each try, not after.

    `boot` and `boot_ms` order events of one boot; `trusted_s` is POSIX time when it was trusted.
    """

    failures: int = 0
    boot: str = ""
    boot_ms: int = 0
    trusted_s: int | None = None
    list_serial: int = 0
    """The newest list ever believed here: an older one is a replay."""


def wait_after_s(failures: int) -> int:
    """Seconds to wait after so many failures in a row: none for five, then 15, 30, 60..."""
    if failures < FREE_TRIES:
        return 0
    return int(min(FIRST_WAIT_S << min(failures - FREE_TRIES, 20), MAX_WAIT_S))


def failed(guard: Guard, at: Instant) -> Guard:
    """One more failure, now."""
    return replace(_stamped(guard, at), failures=guard.failures + 1)


def cleared(guard: Guard) -> Guard:
    return Guard(list_serial=guard.list_serial)


def resumed(guard: Guard, at: Instant) -> Guard:
    """The guard as it counts in this boot. Without two trusted times the wait starts anew:

    cutting the power never shortens it.
    """
    if not guard.failures or guard.boot == at.boot:
        return guard
    if guard.trusted_s is not None and at.is_trusted:
        assert at.time is not None
        passed_ms = (int(at.time.timestamp()) - guard.trusted_s) * 1000
        if passed_ms >= 0:
            return replace(guard, boot=at.boot, boot_ms=at.boot_ms - passed_ms)
    return _stamped(guard, at)


def wait_left_s(guard: Guard, at: Instant) -> int:
    """Whole seconds until the next try, 0 when it may be now. `guard` is `resumed` in this boot."""
    passed_ms = at.boot_ms - guard.boot_ms
    left_ms = wait_after_s(guard.failures) * 1000 - max(passed_ms, 0)
    return max(0, -(-left_ms // 1000))


def _stamped(guard: Guard, at: Instant) -> Guard:
    trusted_s = int(at.time.timestamp()) if at.is_trusted and at.time is not None else None
    return replace(guard, boot=at.boot, boot_ms=at.boot_ms, trusted_s=trusted_s)


def guard_to_wire(guard: Guard) -> dict[str, int | str | None]:
    """For the file that outlives a restart; read back by `guard_from_wire`."""
    return {
        "v": 1,
        "failures": guard.failures,
        "boot": guard.boot,
        "boot_ms": guard.boot_ms,
        "trusted_s": guard.trusted_s,
        "list_serial": guard.list_serial,
    }


def guard_from_wire(document: Mapping[str, object]) -> Guard:
    """ValueError when it is not what `guard_to_wire` wrote."""
    failures, boot = document.get("failures"), document.get("boot")
    boot_ms, trusted_s = document.get("boot_ms"), document.get("trusted_s")
    serial = document.get("list_serial")
    numbers = (failures, boot_ms, serial, 0 if trusted_s is None else trusted_s)
    if document.get("v") != 1 or not isinstance(boot, str):
        raise ValueError("not a guard of version 1")
    if not all(type(n) is int for n in numbers):
        raise ValueError("a guard's numbers are integers")
    assert isinstance(failures, int)
    assert isinstance(boot_ms, int)
    assert isinstance(serial, int)
    if failures < 0 or serial < 0:
        raise ValueError("a guard's numbers are not negative")
    return Guard(failures, boot, boot_ms, trusted_s if isinstance(trusted_s, int) else None, serial)


# --- session ----------------------------------------------------------------------------------

IDLE_MS = 30 * 60 * 1000
OVERALL_MS = 12 * 3600 * 1000
IDLE_WARNING_MS = 60 * 1000
OVERALL_WARNING_MS = 15 * 60 * 1000


class SessionEnd(StrEnum):
    IDLE = "idle"
    OVERALL = "overall"
    ASKED = "asked"
    CARD_OUT = "card_out"
    READER_LOST = "reader_lost"
    CLOSED = "closed"
    """The program ended."""


@dataclass(frozen=True, slots=True)
class SessionClock:
    """When a session began and was last touched, in boot_ms of the boot it lives in."""

    boot: str
    began_ms: int
    touched_ms: int

    @classmethod
    def begin(cls, at: Instant) -> SessionClock:
        return cls(at.boot, at.boot_ms, at.boot_ms)

    def touched(self, at: Instant) -> SessionClock:
        return replace(self, touched_ms=max(self.touched_ms, at.boot_ms))

    def ended(self, at: Instant) -> SessionEnd | None:
        """Why it is over by time, None while it runs. Only a new login extends twelve hours."""
        if at.boot != self.boot or at.boot_ms - self.began_ms >= OVERALL_MS:
            return SessionEnd.OVERALL
        return SessionEnd.IDLE if at.boot_ms - self.touched_ms >= IDLE_MS else None

    def left_s(self, at: Instant) -> int:
        """Whole seconds until it ends by itself."""
        idle = IDLE_MS - (at.boot_ms - self.touched_ms)
        return max(0, min(idle, OVERALL_MS - (at.boot_ms - self.began_ms)) // 1000)

    def warns(self, at: Instant) -> SessionEnd | None:
        """Which end is near enough to tell: twelve hours from 15 minutes on, idling in its last one."""
        if OVERALL_MS - (at.boot_ms - self.began_ms) <= OVERALL_WARNING_MS:
            return SessionEnd.OVERALL
        near = IDLE_MS - (at.boot_ms - self.touched_ms) <= IDLE_WARNING_MS
        return SessionEnd.IDLE if near else None
