"""What changed in the padrón between two versions of the content, so that a node need not fetch it all.

The first line is the header, then each changed or new row as it stands in padron.ndjson, then each clave
that is gone as `{"gone":"CLAVE"}`. A delta travels as a signed target; it says what it starts from, what
it ends in, and how many properties there are then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

VERSION = 1


@dataclass(frozen=True, slots=True)
class DeltaProblem:
    detail: str


class DeltaHeader(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`start` and `end` are content versions; `accounts` is the count after the delta."""

    v: int
    start: str
    end: str
    accounts: int


@dataclass(frozen=True, slots=True)
class Delta:
    header: DeltaHeader
    rows: bytes
    """Changed and new rows, lines of padron.ndjson."""
    gone: tuple[str, ...]


class _Row(msgspec.Struct):
    clave: str


class _Gone(msgspec.Struct, forbid_unknown_fields=True):
    gone: str


_ROW = msgspec.json.Decoder(_Row)
_GONE = msgspec.json.Decoder(_Gone)
_HEADER = msgspec.json.Decoder(DeltaHeader)


def make_delta(old: bytes, new: bytes, start: str, end: str) -> bytes:
    """The delta between two padron.ndjson. ValueError (msgspec's) when a line is not a row."""
    before = dict(_lines(old))
    after = dict(_lines(new))
    changed = [line for clave, line in after.items() if before.get(clave) != line]
    gone = [msgspec.json.encode(_Gone(clave)) for clave in before if clave not in after]
    header = msgspec.json.encode(DeltaHeader(VERSION, start, end, len(after)))
    return b"\n".join([header, *changed, *gone]) + b"\n"


def read_delta(raw: bytes) -> Delta | DeltaProblem:
    """Header, rows and what is gone; the rows are judged where all rows are (`municipio.padron`)."""
    first, _, rest = raw.partition(b"\n")
    try:
        header = _HEADER.decode(first)
        if header.v != VERSION:
            return DeltaProblem(f"format {header.v} is not {VERSION}")
        lines = rest.splitlines()
        cut = next((i for i, line in enumerate(lines) if line.startswith(b'{"gone"')), len(lines))
        gone = tuple(_GONE.decode(line).gone for line in lines[cut:])
    except (msgspec.MsgspecError, RecursionError) as e:
        return DeltaProblem(f"not a delta of the padrón: {e}")
    return Delta(header, b"".join(line + b"\n" for line in lines[:cut]), gone)


def _lines(padron: bytes) -> Iterator[tuple[str, bytes]]:
    for line in padron.splitlines():
        yield _ROW.decode(line).clave, line
