"""Which lines of a signed batch may enter a chain: pure, before any database is asked.

A line that is a fact must stand where the header says and continue the chain; otherwise the whole
batch is refused, because its sender is broken or lying. A line that is not a fact this city can read
(a newer node's type, damaged data) is set aside: it keeps its place in the chain and stops nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from central.problems import Problem, ProblemType
from municipio.facts import Fact, FactError, decode_fact, node_urn
from municipio.wire.batch import BatchHeader

UNREADABLE = "unreadable"
DUPLICATE_ID = "duplicate-id"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a batch at its place. Exactly one of `fact` and `trouble` says something."""

    seq: int
    raw: bytes
    hash: str
    fact: Fact | None
    trouble: str = ""


def admit(inegi: str, header: BatchHeader, raws: Sequence[bytes]) -> tuple[Line, ...] | Problem:
    """Hash every line, decode it once, and check place and chain from `header.prev` on."""
    source = node_urn(inegi, header.node)
    chain = header.prev
    lines: list[Line] = []
    for seq, raw in enumerate(raws, start=header.first):
        line = _read(seq, raw)
        if line.fact is not None:
            broken = _misplaced(line.fact, header, source, seq, chain)
            if broken:
                return Problem(ProblemType.BAD_BATCH, f"fact at seq {seq}: {broken}", {"seq": seq})
        chain = line.hash
        lines.append(line)
    return tuple(lines)


def _read(seq: int, raw: bytes) -> Line:
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return Line(seq, raw, digest, decode_fact(raw))
    except FactError as e:
        return Line(seq, raw, digest, None, _plain(str(e)))


def _plain(text: str) -> str:
    """Short and printable: the text may quote hostile bytes."""
    return "".join(c if c.isprintable() else "�" for c in text[:200])


def _misplaced(fact: Fact, header: BatchHeader, source: str, seq: int, chain: str) -> str:
    """Why a fact does not belong at this place of this batch; empty when it does."""
    if fact.source != source:
        return "its source is not this node of this municipality"
    if (fact.epoch, fact.lane, fact.seq) != (header.epoch, header.lane, seq):
        return "its epoch, lane or seq is not what the header says"
    if fact.prev != chain:
        return "prev is not the hash of the fact before it"
    return ""
