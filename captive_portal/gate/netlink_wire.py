"""Netfilter's netlink messages as bytes: what the gate says to the kernel for one visit. No I/O here.

`nft` 1.0.6 has no words for a quota of one set element, and libnftables reads every named object
before it changes one (68 ms beside 10,000 visits, measured); the kernel itself takes the element with
its own quota in microseconds. So tables are text and visits are these messages.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct("!BBH")
_ATTR = struct.Struct("=HH")
_U32, _U64 = struct.Struct("!I"), struct.Struct("!Q")
HEADERS = _HEADER.size + _FAMILY.size

_REQUEST, _ACK, _DUMP, _CREATE = 0x1, 0x4, 0x300, 0x400
_ERROR, _DONE = 2, 3
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTABLES, _CONNTRACK = 10, 1
_NEW_ELEMENTS, _GET_ELEMENTS, _DELETE_ELEMENTS = 12, 13, 14
_GET_TABLE, _GET_CHAINS, _GET_RULES = 1, 4, 7
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


_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


def attr(kind: int, value: bytes) -> bytes:
    size = len(value)
    return _ATTR.pack(4 + size, kind) + value + _PADDING[size & 3]


def nest(kind: int, value: bytes) -> bytes:
    return attr(kind | 0x8000, value)


def _text(text: str) -> bytes:
    return text.encode("ascii") + b"\0"


# A restore spells ten thousand of these: what never changes is spelt once, from the general form.
_KEY_HEAD = nest(_KEY, attr(_VALUE, bytes(6)))[:-8]
_TIMEOUT_HEAD = attr(_TIMEOUT, bytes(8))[:-8]
_DATA_HEAD = nest(_DATA, attr(_VALUE, bytes(4)))[:-4]
_MARK = struct.Struct("=I")


def key(raw: bytes) -> bytes:
    """Six bytes of a hardware address as a set's key."""
    return _KEY_HEAD + raw + b"\0\0" if len(raw) == 6 else nest(_KEY, attr(_VALUE, raw))


def timeout(left_ms: int) -> bytes:
    return _TIMEOUT_HEAD + _U64.pack(left_ms)


def data(mark: int) -> bytes:
    """What a map holds for a key. A mark has the byte order of the machine."""
    return _DATA_HEAD + _MARK.pack(mark)


def element(*parts: bytes) -> bytes:
    """One element from its key and what else it has; for `delete` the key alone."""
    body = b"".join(parts)
    return _ATTR.pack(4 + len(body), _ELEMENT | 0x8000) + body


def _quota(total: bytes, used: bytes) -> bytes:
    inner = attr(_QUOTA_BYTES, total) + attr(_QUOTA_FLAGS, bytes(4)) + attr(_QUOTA_USED, used)
    name = attr(_EXPR_NAME, _text("quota"))
    return nest(_EXPRESSION, name + nest(_EXPR_DATA, inner))


_QUOTA_HEAD, _, _QUOTA_MIDDLE = _quota(b"T" * 8, b"U" * 8)[:-8].partition(b"T" * 8)


def quota_until(total: int, used: int) -> bytes:
    """An expression that matches until so many bytes passed; the kernel adds each packet to `used`."""
    return _QUOTA_HEAD + _U64.pack(total) + _QUOTA_MIDDLE + _U64.pack(used)


@lru_cache(maxsize=64)
def limit_over(bytes_a_second: int, burst: int) -> bytes:
    """An expression that matches only what is over the rate."""
    inner = attr(_LIMIT_RATE, _U64.pack(bytes_a_second))
    inner += attr(_LIMIT_UNIT, _U64.pack(1)) + attr(_LIMIT_BURST, _U32.pack(burst))
    inner += attr(_LIMIT_TYPE, _U32.pack(_LIMIT_OF_BYTES))
    inner += attr(_LIMIT_FLAGS, _U32.pack(_LIMIT_OVER))
    return nest(_EXPRESSION, attr(_EXPR_NAME, _text("limit")) + nest(_EXPR_DATA, inner))


def add(place: Place, elements: Iterable[bytes]) -> Iterator[Message]:
    """As many messages as the elements need: one netlink attribute holds 64 KiB."""
    return _changes(_NEW_ELEMENTS, _CREATE, place, elements)


def delete(place: Place, elements: Iterable[bytes]) -> Iterator[Message]:
    return _changes(_DELETE_ELEMENTS, 0, place, elements)


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


def encode_get(place: Place, raw_key: bytes, seq: int) -> bytes:
    """A question for one element."""
    body = _which(place) + nest(_LIST_ELEMENTS, element(key(raw_key)))
    return _spell(_nf(_GET_ELEMENTS), _REQUEST, seq, place.family, body)


def encode_dump(place: Place, seq: int) -> bytes:
    return _spell(_nf(_GET_ELEMENTS), _REQUEST | _DUMP, seq, place.family, _which(place))


def encode_shape(family: int, table: str, seq: int) -> list[bytes]:
    """Questions for the table itself, all chains of its family, and its rules."""
    name = attr(1, _text(table))
    return [
        _spell(_nf(_GET_TABLE), _REQUEST, seq, family, name),
        _spell(_nf(_GET_CHAINS), _REQUEST | _DUMP, seq + 1, family, b""),
        _spell(_nf(_GET_RULES), _REQUEST | _DUMP, seq + 2, family, name),
    ]


def owner(body: bytes) -> str:
    """The table that a chain or rule belongs to."""
    return attributes(body).get(1, b"").rstrip(b"\0").decode("ascii", "replace")


def encode_forget_flows(mark: int, seq: int) -> bytes:
    """Delete every tracked connection with this mark, of both address families."""
    body = attr(_CT_MARK, _U32.pack(mark)) + attr(_CT_MARK_MASK, _U32.pack(0xFFFFFFFF))
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


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes of a body by kind, flags removed; of several the last, of what is cut short nothing."""
    return dict(each(data))


def each(data: bytes) -> list[tuple[int, bytes]]:
    """All attributes in their order: a list has many of one kind."""
    found, at, end = [], 0, len(data)
    unpack = _ATTR.unpack_from
    while at + 4 <= end:
        size, kind = unpack(data, at)
        if size < 4 or at + size > end:
            break
        found.append((kind & _TYPE_MASK, data[at + 4 : at + size]))
        at += (size + 3) & ~3
    return found


def items(body: bytes) -> list[Item]:
    """The elements in the body of an answer to `encode_get` or `encode_dump`.

    The kernel spells all elements of a set alike, so what the first one showed is tried for the others.
    """
    found: list[Item] = []
    for kind, value in each(body):
        if kind == _LIST_ELEMENTS:
            ones = [one for _, one in each(value)]
            alike = _alike(ones[0]) if ones else None
            found += [(alike and alike(one)) or _item(attributes(one)) for one in ones]
    return found


def _alike(first: bytes) -> Callable[[bytes], Item | None] | None:
    """A quick reader for elements that are laid out as this one, None when it has no time."""
    end, size = len(first), len(first)
    raw = _find(first, 0, end, (_KEY, _VALUE))
    left = _find(first, 0, end, (_EXPIRATION,))
    used = _find(first, 0, end, (_EXPRESSION, _EXPR_DATA, _QUOTA_USED))
    if raw is None or left is None:
        return None
    heads = [(at - 4, first[at - 4 : at]) for at, _ in (p for p in (raw, left, used) if p)]
    key_at, key_end, left_at = raw[0], sum(raw), left[0]
    used_at, u64 = used[0] if used else 0, _U64.unpack_from

    def read(one: bytes) -> Item | None:
        if len(one) != size or any(one[at : at + 4] != head for at, head in heads):
            return None
        count = u64(one, used_at)[0] if used_at else 0
        return Item(one[key_at:key_end], u64(one, left_at)[0], count)

    return read


def _find(data: bytes, at: int, end: int, path: tuple[int, ...]) -> tuple[int, int] | None:
    """Where the value of an inner attribute begins and how long it is."""
    while at + 4 <= end:
        size, kind = _ATTR.unpack_from(data, at)
        if size < 4 or at + size > end:
            return None
        if kind & _TYPE_MASK == path[0]:
            inner = (at + 4, size - 4)
            return inner if len(path) == 1 else _find(data, at + 4, at + size, path[1:])
        at += (size + 3) & ~3
    return None


def _item(parts: dict[int, bytes]) -> Item:
    raw = attributes(parts.get(_KEY, b"")).get(_VALUE, b"")
    counted: dict[int, bytes] = {}
    if _EXPRESSION in parts:
        counted = attributes(attributes(parts[_EXPRESSION]).get(_EXPR_DATA, b""))
    left = parts.get(_EXPIRATION, parts.get(_TIMEOUT, b""))
    return Item(raw, _u64(left), _u64(counted.get(_QUOTA_USED, b"")))


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
    parts = attributes(message.body)
    elements: dict[bytes, tuple[int, int, int | None]] = {}
    for _, one in each(parts.get(_LIST_ELEMENTS, b"")):
        inner = attributes(one)
        item = _item(inner)
        value = attributes(inner.get(_DATA, b"")).get(_VALUE)
        elements[item.key] = (item.left_ms, item.used, None if value is None else _u32(value))
    name = parts.get(_LIST_SET, b"").rstrip(b"\0").decode("ascii", "replace")
    return Change(name, message.kind == _nf(_DELETE_ELEMENTS), elements)


def _u32(raw: bytes) -> int:
    return int.from_bytes(raw, sys.byteorder)
