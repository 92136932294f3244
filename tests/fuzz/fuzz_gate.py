"""Coverage-guided bytes for what the gate reads: its socket, the kernel's answers, its own journal (atheris).

    .venv/bin/python tests/fuzz/fuzz_gate.py -max_total_time=60

The first byte chooses the reader. Nothing may raise, and no request may open more than it asked for.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["captive_portal.gate"]):
    from captive_portal.gate.memory import MemoryGate
    from captive_portal.gate.neighbours import decode_all, decode_answer
    from captive_portal.gate.netlink_wire import decode, items
    from captive_portal.gate.protocol import (
        LineReader,
        answer,
        decode_ended,
        decode_reply,
        decode_request,
        decode_visit,
    )  # fmt: skip
    from captive_portal.gate.router import uri_in
    from captive_portal.gate.store import VisitStore
    from captive_portal.gate.visits import MAX_VISIT_S, GateTrouble
from captive_portal.pseudonym import DayKey

FOLDER = tempfile.TemporaryDirectory(prefix="plaza-fuzz-")
JOURNAL = Path(FOLDER.name) / "visits.ndjson"


def _now() -> int:
    return 1_000_000


def _conversation(data: bytes) -> None:
    """What a caller sends, cut where the fuzzer likes."""
    gate, reader = MemoryGate(_now, DayKey(_now)), LineReader()
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        lines = reader.feed(piece)
        if isinstance(lines, GateTrouble):
            return
        for line in lines:
            assert answer(gate, decode_request(line)).endswith(b"\n")
    visits = gate.visits()
    assert isinstance(visits, tuple)
    assert all(v.seconds_left <= MAX_VISIT_S for v in visits)


def _reply(data: bytes) -> None:
    decode_reply(data)
    decode_visit(data)
    decode_ended(data)


def _kernel(data: bytes) -> None:
    for one in decode(data):
        items(one.body)
    items(data)
    decode_answer(data)
    decode_all(data, 3)
    uri_in(data)


def _journal(data: bytes) -> None:
    JOURNAL.write_bytes(data)
    store = VisitStore(JOURNAL)
    visits = store.load()
    store.save(visits.values())
    assert store.load() == visits


READERS = (_conversation, _reply, _kernel, _journal)


def one_input(raw: bytes) -> None:
    if raw:
        READERS[raw[0] % len(READERS)](raw[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
