"""Why a cash bus is not simply ready: one closed list, and what each event code of ccTalk means for it."""

from __future__ import annotations

from enum import StrEnum


class CashCause(StrEnum):
    NO_ANSWER = "no_answer"
    COIN_JAM = "coin_jam"
    COIN_FAULT = "coin_fault"
    COIN_FRAUD = "coin_fraud"
    """A coin on a string, going backwards, or too slow over the credit sensor."""
    NOTE_JAM = "note_jam"
    NOTE_FAULT = "note_fault"
    NOTE_FRAUD = "note_fraud"
    STACKER_FULL = "stacker_full"
    STACKER_REMOVED = "stacker_removed"
    HOPPER_EMPTY = "hopper_empty"
    HOPPER_JAM = "hopper_jam"


STOPPING = frozenset(
    {
        CashCause.COIN_JAM,
        CashCause.COIN_FAULT,
        CashCause.NOTE_JAM,
        CashCause.NOTE_FAULT,
        CashCause.STACKER_FULL,
        CashCause.STACKER_REMOVED,
        CashCause.HOPPER_EMPTY,
        CashCause.HOPPER_JAM,
    }
)
"""A peripheral with one of these does nothing until it clears."""

FRAUD_S = 30.0
"""After an attempt of fraud the peripheral takes nothing for so long."""

_C = CashCause

COIN_CODES: dict[int, CashCause | None] = {
    **dict.fromkeys(
        range(1, 14), None
    ),  # refused, timed out, or too close to another: it came back
    254: None,  # the person pressed the return lever
    **dict.fromkeys((14, 15, 26, 32), _C.COIN_JAM),
    **dict.fromkeys((16, 17, 18, 19, 20, 22, 23, 24, 25, 40), _C.COIN_FRAUD),
    **dict.fromkeys((21, 27, 28, 29, 30, 31, 33, 34, 35, 36, 39, 255), _C.COIN_FAULT),
    **dict.fromkeys((37, 38), None),
    **dict.fromkeys(range(128, 160), None),  # an inhibited coin of type code - 128 + 1
}
"""Error codes of header 229 (ccTalk part 3, appendix 2); None: only that one coin came back."""

NOTE_RETURNED, NOTE_UNNAMED = 1, 21

NOTE_CODES: dict[int, CashCause | None] = {
    **dict.fromkeys((0, 2, 3, 4, 5, 20), None),
    **dict.fromkeys((6, 7, 15, 16), _C.NOTE_JAM),
    **dict.fromkeys((8, 9, 17, 18), _C.NOTE_FRAUD),
    **dict.fromkeys((13, 19), _C.NOTE_FAULT),
    11: _C.STACKER_REMOVED,
    14: _C.STACKER_FULL,
}
"""Status codes of header 159 when the first byte is 0 (part 3); 10 and 12 clear the stacker's causes."""

STACKER_WELL = frozenset({10, 12})
STACKER_CAUSES = frozenset({_C.STACKER_FULL, _C.STACKER_REMOVED, _C.NOTE_JAM, _C.NOTE_FAULT})


def note_named(text: bytes, scaling: int) -> int:
    """Centavos of a bill id such as `MX0050A` with the country's scaling factor; 0 when unused."""
    digits = text[2:6]
    return int(digits) * scaling if digits.isdigit() else 0


def coin_named(text: bytes) -> int:
    """Centavos of a coin id such as `MX500A` or `MX1K0A` (1000); 0 when unused (part 3)."""
    value = text[2:5].decode("latin-1")
    if value.isdigit() and value.isascii():
        return int(value)
    for mark, factor in (("K", 1000), ("M", 1_000_000)):
        whole, found, rest = value.partition(mark)
        if found and (whole + rest).isdigit() and (whole + rest).isascii():
            return int(whole or 0) * factor + int((rest + "0" * 6)[:6]) * factor // 1_000_000
    return 0
