"""What a printer's status bytes say, as a closed set of causes. Pure.

Sources: Epson ESC/POS command reference, `DLE EOT n` (real-time status) and `GS r n`. The old
habit of reading silence as "plenty of paper" is what this module exists to end.
"""

from __future__ import annotations

from enum import StrEnum

from municipio.devices import DeviceState, DeviceStatus


class Cause(StrEnum):
    NO_ANSWER = "no_answer"
    OFFLINE = "offline"
    COVER_OPEN = "cover_open"
    PAPER_END = "paper_end"
    PAPER_NEAR_END = "paper_near_end"
    CUTTER = "cutter"
    AUTO_RECOVERABLE = "auto_recoverable"
    """The head is hot: it prints on by itself once it has cooled."""
    UNRECOVERABLE = "unrecoverable"
    HOST_BLOCKED = "host_blocked"
    """The printer does not take bytes."""


PRECEDENCE = (
    Cause.UNRECOVERABLE,
    Cause.CUTTER,
    Cause.COVER_OPEN,
    Cause.PAPER_END,
    Cause.HOST_BLOCKED,
    Cause.NO_ANSWER,
    Cause.AUTO_RECOVERABLE,
    Cause.OFFLINE,
    Cause.PAPER_NEAR_END,
)
"""What a person must be told first. `offline` alone comes late: it only says that there is more."""

BLOCKING = frozenset(Cause) - {Cause.PAPER_NEAR_END}
PASSING = frozenset({Cause.AUTO_RECOVERABLE, Cause.OFFLINE})
"""Worth waiting a little for: some printers call themselves offline while they print."""

_BITS: dict[int, tuple[tuple[int, Cause], ...]] = {
    1: ((0x08, Cause.OFFLINE),),
    2: ((0x04, Cause.COVER_OPEN), (0x20, Cause.PAPER_END), (0x40, Cause.OFFLINE)),
    3: (
        (0x08, Cause.CUTTER),
        (0x20, Cause.UNRECOVERABLE),
        (0x40, Cause.AUTO_RECOVERABLE),
    ),
    4: ((0x0C, Cause.PAPER_NEAR_END), (0x60, Cause.PAPER_END)),
}
STATUS_NUMBERS = (1, 2, 3, 4)


def is_status_byte(byte: int) -> bool:
    """Answers to DLE EOT have bits 1 and 4 set, 0 and 7 clear: that is how junk is told apart."""
    return byte & 0x93 == 0x12


def is_sync_byte(byte: int) -> bool:
    """Answers to GS r 1: bits come in equal pairs (near end, end), the rest clear.

    No answer to DLE EOT looks like that.
    """
    return byte in (0x00, 0x03, 0x0C, 0x0F)


def decode(number: int, byte: int) -> frozenset[Cause]:
    """Causes in the answer to `DLE EOT number`. Only for bytes that `is_status_byte` accepts."""
    assert is_status_byte(byte), "not a status byte"
    return frozenset(cause for mask, cause in _BITS[number] if byte & mask)


def encode(number: int, causes: frozenset[Cause]) -> int:
    """The answer byte of a printer in that condition: the simulator's side of `decode`."""
    bits = 0x12
    for mask, cause in _BITS[number]:
        if cause in causes:
            bits |= mask
    return bits


_REPORT_BITS: tuple[tuple[tuple[int, Cause], ...], ...] = (
    ((0x08, Cause.OFFLINE), (0x20, Cause.COVER_OPEN)),
    ((0x08, Cause.CUTTER), (0x20, Cause.UNRECOVERABLE), (0x40, Cause.AUTO_RECOVERABLE)),
    ((0x03, Cause.PAPER_NEAR_END), (0x0C, Cause.PAPER_END)),
    (),
)
"""ASB: the four bytes that GS a switches on."""


def is_report_head(byte: int) -> bool:
    """First byte of an ASB report: bit 4 set, bits 0, 1 and 7 clear."""
    return byte & 0x93 == 0x10


def decode_report(report: bytes) -> frozenset[Cause]:
    """Causes in the four bytes of an ASB report."""
    return frozenset(
        cause
        for byte, bits in zip(report, _REPORT_BITS, strict=True)
        for mask, cause in bits
        if byte & mask
    )


def encode_report(causes: frozenset[Cause]) -> bytes:
    """The report of a printer in that condition: the simulator's side of `decode_report`."""
    report = [0x10, 0x00, 0x00, 0x0F]
    for at, bits in enumerate(_REPORT_BITS):
        for mask, cause in bits:
            if cause in causes:
                report[at] |= mask
    return bytes(report)


def first(causes: frozenset[Cause]) -> Cause | None:
    """The one that a person must be told, or None when there is nothing to tell."""
    return next((c for c in PRECEDENCE if c in causes), None)


def blocking(causes: frozenset[Cause]) -> Cause | None:
    return first(causes & BLOCKING)


_STATES = {
    Cause.NO_ANSWER: DeviceState.UNKNOWN,
    Cause.OFFLINE: DeviceState.ATTENTION,
    Cause.COVER_OPEN: DeviceState.ATTENTION,
    Cause.PAPER_END: DeviceState.ATTENTION,
    Cause.PAPER_NEAR_END: DeviceState.READY,
    Cause.CUTTER: DeviceState.FAULT,
    Cause.AUTO_RECOVERABLE: DeviceState.BUSY,
    Cause.UNRECOVERABLE: DeviceState.FAULT,
    Cause.HOST_BLOCKED: DeviceState.ATTENTION,
}


def device_status(causes: frozenset[Cause]) -> DeviceStatus:
    """State for the rest of the node. Near end is READY with a warning: it still prints."""
    cause = first(causes)
    if cause is None:
        return DeviceStatus(DeviceState.READY)
    return DeviceStatus(_STATES[cause], cause.value)
