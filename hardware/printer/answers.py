"""What a printer says, told apart: its answers carry no name and share one wire.

    status   DLE EOT n      one byte, xx1x xx10: bits 1 and 4 set, 0 and 7 clear
    token    GS r 1         one byte, only bits 0-3, in equal pairs
    report   ASB (GS a)     four bytes: 0xx1 xx00, then three with bits 4 and 7 clear
    echo     GS ( H fn 48   37h 22h, the four letters that were sent, 00h

Sources: Epson ESC/POS command reference. Bytes that fit nothing are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware.printer import status
from hardware.printer.status import Cause

_REPORT_BYTES = 4
_ECHO_BYTES = 7
_ECHO_HEAD = b"\x37\x22"


@dataclass(frozen=True, slots=True)
class StatusByte:
    """An answer to one of the DLE EOT: which one, only the asker knows."""

    byte: int


@dataclass(frozen=True, slots=True)
class TokenByte:
    """An answer to GS r 1."""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole condition, sent by the printer when it changed."""

    causes: frozenset[Cause]


@dataclass(frozen=True, slots=True)
class Echo:
    letters: bytes


Answer = StatusByte | TokenByte | Report | Echo


class AnswerReader:
    """Bytes in, answers out; at most six bytes wait for the rest of theirs."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> list[Answer]:
        answers: list[Answer] = []
        for value in data:
            answers += self._byte(value)
        return answers

    def _byte(self, value: int) -> list[Answer]:
        if self._waiting:
            grown = self._waiting + bytes((value,))
            if _may_be_report(grown) or _may_be_echo(grown):
                self._waiting = grown
                return self._whole()
            self._waiting = b""  # what began there broke off; this byte begins anew
        if status.is_status_byte(value):
            return [StatusByte(value)]
        if status.is_sync_byte(value):
            return [TokenByte()]
        if status.is_report_head(value) or value == _ECHO_HEAD[0]:
            self._waiting = bytes((value,))
        return []

    def _whole(self) -> list[Answer]:
        got = self._waiting
        if got[0] == _ECHO_HEAD[0]:
            if len(got) < _ECHO_BYTES:
                return []
            self._waiting = b""
            return [Echo(got[2:6])]
        if len(got) < _REPORT_BYTES:
            return []
        self._waiting = b""
        return [Report(status.decode_report(got))]


def _may_be_report(got: bytes) -> bool:
    return status.is_report_head(got[0]) and not any(b & 0x90 for b in got[1:])


def _may_be_echo(got: bytes) -> bool:
    fits = got[:2] == _ECHO_HEAD and all(0x20 <= b < 0x7F for b in got[2:6])
    return fits and (len(got) < _ECHO_BYTES or got[6] == 0)


def encode_echo(letters: bytes) -> bytes:
    """The simulator's side of `Echo`."""
    return _ECHO_HEAD + letters + b"\x00"
