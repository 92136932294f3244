"""What is said in a frame: fields between FS bytes. Pure; both ends use it.

No card number may cross this wire. A run of 12 or more digits, with or without separators, in any
free field is masked before a program sees it, and refused before it is sent (PCI DSS 3.4: at
most the last four digits are shown).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from municipio.devices import Charge, ChargeState

FS = "\x1c"
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
AMOUNT_MAX_CENTAVOS = 99_999_999_999
NO_KEY = "0"
"""Stands in a status request that is about no charge."""
_LONG_DIGITS = re.compile(r"\d(?:[ .\-]?\d){11,}")
_PAN_ALONE = re.compile(r"\d{12,19}")
_TEXT_MAX = 60
MASK = "****"


@dataclass(frozen=True, slots=True)
class StatusAsked:
    key: str = NO_KEY


@dataclass(frozen=True, slots=True)
class ChargeAsked:
    key: str
    amount_centavos: int
    reference: str


@dataclass(frozen=True, slots=True)
class QueryAsked:
    key: str


@dataclass(frozen=True, slots=True)
class CancelAsked:
    key: str


@dataclass(frozen=True, slots=True)
class StatusTold:
    """`online` False: the terminal works but cannot reach its bank, so no charge can start."""

    key: str
    online: bool
    busy: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class ChargeTold:
    """State of one key. `IDLE` is the terminal saying that it never saw that key."""

    charge: Charge


@dataclass(frozen=True, slots=True)
class ProgressTold:
    """What the person reads on the terminal's own screen, up to 20 characters."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The terminal will not do it: `offline`, `busy`, `key_reused` or `bad_request`."""

    key: str
    cause: str


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A payload that means nothing; the reason never quotes it."""

    reason: str


Request = StatusAsked | ChargeAsked | QueryAsked | CancelAsked
Reply = StatusTold | ChargeTold | ProgressTold | Refused
REFUSALS = frozenset({"offline", "busy", "key_reused", "bad_request"})


def masked(text: str) -> str:
    """Free text without control characters or anything that could be a card number."""
    plain = "".join(c for c in text if c.isprintable())
    return _LONG_DIGITS.sub(MASK, plain)[:_TEXT_MAX]


def holds_card_number(text: str) -> bool:
    return _LONG_DIGITS.search(text) is not None


def encode(message: Request | Reply) -> bytes:
    """Payload for a frame. Raises ValueError for a key, amount or text that may not be sent."""
    fields = _fields(message)
    _require_key(fields[1])
    for text in fields[2:]:
        if FS in text or not text.isprintable():
            raise ValueError("a field cannot hold control characters")
        if holds_card_number(text):
            raise ValueError("a field that looks like a card number is never sent")
    return FS.join(fields).encode()


def _fields(message: Request | Reply) -> list[str]:
    match message:
        case StatusAsked():
            return ["S", message.key]
        case ChargeAsked():
            if not 0 < message.amount_centavos <= AMOUNT_MAX_CENTAVOS:
                raise ValueError("the amount of a charge is 1 centavo to 999,999,999.99")
            return ["C", message.key, str(message.amount_centavos), message.reference]
        case QueryAsked():
            return ["Q", message.key]
        case CancelAsked():
            return ["X", message.key]
        case StatusTold():
            flags = (str(int(message.online)), str(int(message.busy)))
            return ["s", message.key, *flags, message.message]
        case ProgressTold():
            return ["p", message.key, message.message[:20]]
        case Refused():
            return ["e", message.key, message.cause]
        case ChargeTold(charge):
            amount = str(charge.amount_centavos)
            ends = (charge.authorization, charge.card_last4, charge.message)
            return ["r", charge.key, charge.state.value, amount, *ends]


def _require_key(key: str) -> None:
    digits = key.replace("-", "").replace("_", "")
    if not KEY.fullmatch(key) or _PAN_ALONE.fullmatch(digits):
        raise ValueError("a key is 1 to 64 letters, digits, - or _, and never digits alone")


def decode(payload: bytes) -> Request | Reply | BadMessage:
    """Meaning of a payload. Never raises, whatever arrives."""
    try:
        fields = payload.decode().split(FS)
        _require_key(fields[1])
        return _decoded(fields[0], fields[1], fields[2:])
    except UnicodeDecodeError:
        return BadMessage("not text")
    except (ValueError, IndexError):
        return BadMessage("not a message of this protocol")


def _decoded(kind: str, key: str, rest: list[str]) -> Request | Reply | BadMessage:
    match kind, rest:
        case "S", []:
            return StatusAsked(key)
        case "C", [amount, reference]:
            return ChargeAsked(key, _amount(amount, least=1), _reference(reference))
        case "Q", []:
            return QueryAsked(key)
        case "X", []:
            return CancelAsked(key)
        case "s", [("0" | "1") as online, ("0" | "1") as busy, message]:
            return StatusTold(key, online == "1", busy == "1", masked(message))
        case "p", [message]:
            return ProgressTold(key, masked(message)[:20])
        case "e", [cause] if cause in REFUSALS:
            return Refused(key, cause)
        case "r", [state, amount, authorization, last4, message]:
            return ChargeTold(
                Charge(
                    key,
                    ChargeState(state),
                    _amount(amount, least=0),
                    masked(authorization),
                    last4 if re.fullmatch(r"[0-9]{4}", last4) else "",
                    masked(message),
                )
            )
    return BadMessage("unknown message or number of fields")


def _amount(text: str, *, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,11}", text) or int(text) < least:
        raise ValueError("bad amount")
    return int(text)


def _reference(text: str) -> str:
    if holds_card_number(text):
        raise ValueError("a reference that looks like a card number")
    return masked(text)
