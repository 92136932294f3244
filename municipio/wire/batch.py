"""Batches: how facts travel, by HTTP or on a USB stick, signed by the node that made them.

Line 1 is a header (RFC 8785 JSON), then each fact's own canonical bytes on a line, and the last line
is the base64 Ed25519 signature over everything before it. On the wire the whole may be gzip.
Whatever arrives is hostile until `decode_batch` and `verify_batch` have both agreed; sizes are
bounded before anything is unpacked. Whether each fact is a good fact is the receiver's next question:
one bad fact must not refuse its neighbours.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import rfc8785

from municipio.facts import MAX_FACT_BYTES, ZERO_HASH, Lane, fact_hash
from municipio.wire import keys

BATCH_TYPE = "application/vnd.plaza.batch"
MAX_FACTS = 500
MAX_PACKED_BYTES = 256 * 1024
"""Largest body of one POST, after gzip."""
MAX_UNPACKED_BYTES = 2 * 1024 * 1024
MAX_SEQ = 2**53 - 1
_GZIP_MAGIC = b"\x1f\x8b"
_NODE = re.compile(r"[A-Z0-9]{4,12}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """Which stretch of which chain a batch carries; `prev` is the hash before fact `first`."""

    node: str
    epoch: int
    lane: Lane
    first: int
    last: int
    prev: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A well-formed batch. `signed` are the exact bytes under `signature`; not yet verified."""

    header: BatchHeader
    facts: tuple[bytes, ...]
    signature: bytes
    signed: bytes

    @property
    def head(self) -> str:
        """Chain hash after the last fact: what an acknowledgement of all of it must name."""
        return fact_hash(self.facts[-1])


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """Bytes that are not a batch; `detail` says which rule they break."""

    detail: str


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    node: str
    epoch: int
    lane: Lane
    first: int
    last: int
    prev: str


def encode_batch(header: BatchHeader, facts: Sequence[bytes], sign: keys.Sign) -> bytes:
    """Sign a stretch of facts. ValueError when header and facts do not agree (a caller's error)."""
    if len(facts) != header.last - header.first + 1 or not 1 <= len(facts) <= MAX_FACTS:
        raise ValueError(f"{len(facts)} facts do not fill {header.first}..{header.last}")
    if any(b"\n" in fact for fact in facts):
        raise ValueError("canonical facts have no line breaks")
    signed = b"\n".join((_header_line(header), *facts)) + b"\n"
    if len(signed) > MAX_UNPACKED_BYTES - 128:
        raise ValueError(f"batch of {len(signed)} bytes is over the limit")
    return signed + keys.signature_text(sign(signed)).encode() + b"\n"


def pack(raw: bytes) -> bytes:
    """gzip a batch for the wire; the same bytes always give the same bytes."""
    return gzip.compress(raw, compresslevel=6, mtime=0)


def decode_batch(raw: bytes) -> Batch | BatchProblem:
    """Parse hostile bytes, plain or gzip. Checks form and bounds, not the signature."""
    unpacked = _unpack(raw)
    if isinstance(unpacked, BatchProblem):
        return unpacked
    lines = unpacked.split(b"\n")
    if len(lines) < 4 or lines[-1] != b"":
        return BatchProblem("a batch is a header, facts and a signature, a line each")
    header = _parse_header(lines[0])
    if isinstance(header, BatchProblem):
        return header
    facts = tuple(lines[1:-2])
    if len(facts) != header.last - header.first + 1:
        return BatchProblem(f"{len(facts)} facts do not fill {header.first}..{header.last}")
    if any(not 2 <= len(fact) <= MAX_FACT_BYTES for fact in facts):
        return BatchProblem(f"a fact is empty or over {MAX_FACT_BYTES} bytes")
    signature = keys.parse_base64(lines[-2], keys.SIGNATURE_BYTES)
    if signature is None:
        return BatchProblem("the last line is not an Ed25519 signature in base64")
    signed = unpacked[: len(unpacked) - len(lines[-2]) - 1]
    return Batch(header, facts, signature, signed)


def verify_batch(batch: Batch, public: keys.PublicKey) -> bool:
    """True when the node that owns `public` signed exactly these bytes."""
    return keys.verify(public, batch.signature, batch.signed)


def _header_line(header: BatchHeader) -> bytes:
    document: dict[str, Any] = {
        "v": 1,
        "node": header.node,
        "epoch": header.epoch,
        "lane": header.lane.value,
        "first": header.first,
        "last": header.last,
        "prev": header.prev,
    }
    return rfc8785.dumps(document)


def _parse_header(line: bytes) -> BatchHeader | BatchProblem:
    if len(line) > 512:
        return BatchProblem("the header is too long")
    try:
        wire = msgspec.json.decode(line, type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        return BatchProblem(f"not a batch header: {e}")
    header = BatchHeader(wire.node, wire.epoch, wire.lane, wire.first, wire.last, wire.prev)
    problem = _header_problem(wire, header)
    if problem:
        return BatchProblem(problem)
    if _header_line(header) != line:
        return BatchProblem("the header is not canonical RFC 8785")
    return header


def _header_problem(wire: _Header, header: BatchHeader) -> str:
    if wire.v != 1:
        return f"batch version {wire.v} is not 1"
    if not _NODE.fullmatch(header.node):
        return "node is not a node code"
    if not 1 <= header.epoch <= MAX_SEQ or not 1 <= header.first <= header.last <= MAX_SEQ:
        return "epoch, first and last start at 1 and do not run backwards"
    if header.last - header.first >= MAX_FACTS:
        return f"more than {MAX_FACTS} facts"
    if not _HASH.fullmatch(header.prev):
        return "prev is not a lower-case hex SHA-256"
    if (header.first == 1) != (header.prev == ZERO_HASH):
        return "prev is 64 zeros exactly when first is 1"
    return ""


def _unpack(raw: bytes) -> bytes | BatchProblem:
    if not raw.startswith(_GZIP_MAGIC):
        if len(raw) > MAX_UNPACKED_BYTES:
            return BatchProblem(f"over {MAX_UNPACKED_BYTES} bytes")
        return raw
    if len(raw) > MAX_PACKED_BYTES:
        return BatchProblem(f"over {MAX_PACKED_BYTES} packed bytes")
    machine = zlib.decompressobj(wbits=31)
    try:
        unpacked = machine.decompress(raw, MAX_UNPACKED_BYTES)
    except zlib.error:
        return BatchProblem("gzip is damaged")
    if machine.unconsumed_tail:
        return BatchProblem(f"over {MAX_UNPACKED_BYTES} bytes unpacked")
    if not machine.eof or machine.unused_data:
        return BatchProblem("gzip is cut short or followed by other bytes")
    return unpacked
