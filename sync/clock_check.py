"""Once a boot and once a day, what the city's clock said: a fact from which it corrects all the others.

Taken from an acknowledgement that cleared facts, because nobody can have kept that one from before. The
boot and moment of the last one are in `run/clock_check.json`, so that a program that starts again and
again says it no oftener.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from municipio.clock import Instant
from municipio.clock_anchor import Anchor
from municipio.facts import FactDraft, FactType, parse_time
from municipio.usecases.ports import Recorded
from municipio.wire.ack import Ack
from sync.ledger import SqliteLedger

EVERY_MS = 24 * 3600 * 1000
"""A crystal wanders up to 9 s a day: an anchor a day keeps a corrected time within seconds."""
LONGEST_MS = 60_000
"""An answer that took longer says too little; a better one comes."""
NAME = "clock_check.json"


class _Last(msgspec.Struct, frozen=True):
    boot: str = ""
    heard_ms: int = 0


class ClockCheck:
    """`now` before a batch is sent, `heard` after its acknowledgement was stored."""

    def __init__(self, ledger: SqliteLedger, folder: Path) -> None:
        self._ledger = ledger
        self._file = folder / NAME
        self._last = self._read()

    def now(self) -> Instant:
        return self._ledger.clock.now()

    def heard(self, asked: Instant, ack: Ack, cleared: int) -> None:
        """`cleared` facts were not the city's before this answer. Recorded when it is time."""
        now = self.now()
        if not (cleared and ack.city_time) or now.boot != asked.boot:
            return
        is_due = now.boot != self._last.boot or now.boot_ms - self._last.heard_ms >= EVERY_MS
        if not is_due or now.boot_ms - asked.boot_ms > LONGEST_MS:
            return
        anchor = Anchor(now.boot, parse_time(ack.city_time), asked.boot_ms, now.boot_ms)
        done = self._ledger.record(FactDraft(FactType.NODE_CLOCK_CHECKED, anchor.document()))
        if isinstance(done, Recorded):
            self._last = _Last(now.boot, now.boot_ms)
            self._write()

    def _read(self) -> _Last:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Last)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return _Last()

    def _write(self) -> None:
        part = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            part.write_bytes(msgspec.json.encode(self._last))
            part.replace(self._file)
