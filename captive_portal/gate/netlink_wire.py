"""Netfilter's netlink messages as bytes: what the gate says to the kernel for one visit. No I/O here.

`nft` 1.0.6 has no words for a quota of one set element, and libnftables reads every named object
before it changes one (68 ms beside 10,000 visits, measured); the kernel itself takes the element with
its own quota in microseconds. So tables are text and visits are these messages.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct("!BBH")
_ATTR = struct.Struct("=HH")
HEADERS = _HEADER.size + _FAMILY.size

_REQUEST, _ACK, _DUMP, _CREATE = 0x1, 0x4, 0x300, 0x400
_ERROR, _DONE = 2, 3
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTABLES, _CONNTRACK = 10, 1
_NEW_ELEMENTS, _GET_ELEMENTS, _DELETE_ELEMENTS = 12, 13, 14
_CONNTRACK_DELETE = 2
NFPROTO_INET, NFPROTO_NETDEV = 1, 5

_LIST_TABLE, _LIST_SET, _LIST_ELEMENTS = 1, 2, 3
_ELEMENT, _VALUE = 1, 1
_KEY, _DATA, _TIMEOUT, _EXPIRATION, _EXPRESSION = 1, 2, 4, 5, 7
_EXPR_NAME, _EXPR_DATA = 1, 2
_QUOTA_BYTES, _QUOTA_FLAGS, _QUOTA_USED = 1, 2, 4
_LIMIT_RATE, _LIMIT_UNIT, _LIMIT_BURST, _LIMIT_TYPE, _LIMIT_FLAGS = 1, 2, 3, 4, 5
_LIMIT_OF_BYTES, _LIMIT_OVER = 1, 1
_CT_MARK, _CT_MARK_MASK = 8, 21
_TYPE_MASK = 0x3FFF
ELEMENTS_A_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Place:
    """A set of one of the gate's tables."""

    family: int
    table: str
    set: str


@dataclass(frozen=True, slots=True)
class Item:
    """An element as the kernel tells it: key, milliseconds left, bytes that its quota counted."""

    key: bytes
    left_ms: int
    used: int


@dataclass(frozen=True, slots=True)
class Message:
    """One change inside a transaction."""

    kind: int
    flags: int
    family: int
    body: bytes


def attr(kind: int, value: bytes) -> bytes:
    return _ATTR.pack(_ATTR.size + len(value), kind) + value + b"\0" * (-len(value) % 4)


def nest(kind: int, value: bytes) -> bytes:
    return attr(kind | 0x8000, value)


def _text(text: str) -> bytes:
    return text.encode("ascii") + b"\0"


def element(
    key: bytes, *, timeout_ms: int = 0, mark: int | None = None, expression: bytes = b""
) -> bytes:
    """One element for `add` or, with the key alone, for `delete`."""
    body = nest(_KEY, attr(_VALUE, key))
    if mark is not None:
        body += nest(_DATA, attr(_VALUE, struct.pack("=I", mark)))
    if timeout_ms:
        body += attr(_TIMEOUT, struct.pack("!Q", timeout_ms))
    return nest(_ELEMENT, body + expression)


def quota_until(total: int, used: int) -> bytes:
    """An expression that matches until so many bytes passed; the kernel adds each packet to `used`."""
    data = attr(_QUOTA_BYTES, struct.pack("!Q", total)) + attr(_QUOTA_FLAGS, bytes(4))
    data += attr(_QUOTA_USED, struct.pack("!Q", used))
    return nest(_EXPRESSION, attr(_EXPR_NAME, _text("quota")) + nest(_EXPR_DATA, data))


def limit_over(bytes_a_second: int, burst: int) -> bytes:
    """An expression that matches only what is over the rate."""
    data = attr(_LIMIT_RATE, struct.pack("!Q", bytes_a_second))
    data += attr(_LIMIT_UNIT, struct.pack("!Q", 1)) + attr(_LIMIT_BURST, struct.pack("!I", burst))
    data += attr(_LIMIT_TYPE, struct.pack("!I", _LIMIT_OF_BYTES))
    data += attr(_LIMIT_FLAGS, struct.pack("!I", _LIMIT_OVER))
    return nest(_EXPRESSION, attr(_EXPR_NAME, _text("limit")) + nest(_EXPR_DATA, data))


def add(place: Place, elements: Iterable[bytes]) -> Iterator[Message]:
    """As many messages as the elements need: one netlink attribute holds 64 KiB."""
    return _changes(_NEW_ELEMENTS, _CREATE, place, elements)


def delete(place: Place, keys: Iterable[bytes]) -> Iterator[Message]:
    return _changes(_DELETE_ELEMENTS, 0, place, (element(key) for key in keys))


def flush(place: Place) -> Message:
    """Delete every element. A delete without elements is how the kernel spells it."""
    return Message(_nf(_DELETE_ELEMENTS), 0, place.family, _which(place))


def _changes(kind: int, flags: int, place: Place, elements: Iterable[bytes]) -> Iterator[Message]:
    rest = list(elements)
    for at in range(0, len(rest), ELEMENTS_A_MESSAGE):
        members = nest(_LIST_ELEMENTS, b"".join(rest[at : at + ELEMENTS_A_MESSAGE]))
        yield Message(_nf(kind), flags, place.family, _which(place) + members)


def _which(place: Place) -> bytes:
    return attr(_LIST_TABLE, _text(place.table)) + attr(_LIST_SET, _text(place.set))


def _nf(kind: int) -> int:
    return _NFTABLES << 8 | kind


def encode_batch(messages: list[Message], first: int) -> bytes:
    """A whole transaction; message n has sequence number `first + n`, the last asks for an answer."""
    parts = [_spell(_BATCH_BEGIN, _REQUEST, first, 0, b"", _NFTABLES)]
    for n, m in enumerate(messages):
        ack = _ACK if n == len(messages) - 1 else 0
        parts.append(_spell(m.kind, _REQUEST | m.flags | ack, first + n, m.family, m.body))
    parts.append(_spell(_BATCH_END, _REQUEST, first + len(messages), 0, b"", _NFTABLES))
    return b"".join(parts)


def encode_get(place: Place, key: bytes, seq: int) -> bytes:
    """A question for one element."""
    body = _which(place) + nest(_LIST_ELEMENTS, element(key))
    return _spell(_nf(_GET_ELEMENTS), _REQUEST, seq, place.family, body)


def encode_dump(place: Place, seq: int) -> bytes:
    return _spell(_nf(_GET_ELEMENTS), _REQUEST | _DUMP, seq, place.family, _which(place))


def encode_forget_flows(mark: int, seq: int) -> bytes:
    """Delete every tracked connection with this mark, of both address families."""
    body = attr(_CT_MARK, struct.pack("!I", mark))
    body += attr(_CT_MARK_MASK, struct.pack("!I", 0xFFFFFFFF))
    return _spell(_CONNTRACK << 8 | _CONNTRACK_DELETE, _REQUEST | _ACK, seq, 0, body)


def _spell(kind: int, flags: int, seq: int, family: int, body: bytes, resource: int = 0) -> bytes:
    head = _HEADER.pack(HEADERS + len(body), kind, flags, seq, 0)
    return head + _FAMILY.pack(family, 0, resource) + body


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the kernel: `error` is 0 for an acknowledgement, None for anything else."""

    seq: int
    error: int | None
    done: bool
    body: bytes


def decode(data: bytes) -> list[Answer]:
    """The messages in one datagram; what is cut short is left out."""
    answers, at = [], 0
    while at + _HEADER.size <= len(data):
        length, kind, _, seq, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            break
        error: int | None = None
        if kind == _ERROR and length >= _HEADER.size + 4:
            error = -struct.unpack_from("=i", data, at + _HEADER.size)[0]
        answers.append(Answer(seq, error, kind == _DONE, data[at + HEADERS : at + length]))
        at += (length + 3) & ~3
    return answers


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of a body, flags removed from their kinds; what is cut short is left out."""
    at = 0
    while at + _ATTR.size <= len(data):
        size, kind = _ATTR.unpack_from(data, at)
        if size < _ATTR.size or at + size > len(data):
            return
        yield kind & _TYPE_MASK, data[at + _ATTR.size : at + size]
        at += (size + 3) & ~3


def items(body: bytes) -> Iterator[Item]:
    """The elements in the body of an answer to `encode_get` or `encode_dump`."""
    for kind, value in attributes(body):
        if kind == _LIST_ELEMENTS:
            for _, one in attributes(value):
                yield _item(dict(attributes(one)))


def _item(parts: dict[int, bytes]) -> Item:
    key = dict(attributes(parts.get(_KEY, b""))).get(_VALUE, b"")
    expression = dict(attributes(parts.get(_EXPRESSION, b"")))
    counted = dict(attributes(expression.get(_EXPR_DATA, b"")))
    left = parts.get(_EXPIRATION, parts.get(_TIMEOUT, b""))
    return Item(key, _u64(left), _u64(counted.get(_QUOTA_USED, b"")))


def _u64(raw: bytes) -> int:
    return int.from_bytes(raw, "big") if len(raw) == 8 else 0


@dataclass(frozen=True, slots=True)
class Change:
    """What a message does to a set: per key the timeout in ms, the bytes used and the mark."""

    set: str
    deletes: bool
    elements: dict[bytes, tuple[int, int, int | None]]


def changed(message: Message) -> Change:
    """Read a message of `add`, `delete` or `flush` back, as a kernel would."""
    parts = dict(attributes(message.body))
    elements: dict[bytes, tuple[int, int, int | None]] = {}
    for _, one in attributes(parts.get(_LIST_ELEMENTS, b"")):
        inner = dict(attributes(one))
        item = _item(inner)
        data = dict(attributes(inner.get(_DATA, b""))).get(_VALUE)
        elements[item.key] = (item.left_ms, item.used, None if data is None else _u32(data))
    name = parts.get(_LIST_SET, b"").rstrip(b"\0").decode("ascii", "replace")
    return Change(name, message.kind == _nf(_DELETE_ELEMENTS), elements)


def _u32(raw: bytes) -> int:
    return int.from_bytes(raw, sys.byteorder)
