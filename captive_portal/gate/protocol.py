"""The gate's wire: one JSON object per line each way, at most 4 KiB a line. No I/O here.

Request: `{"verb":"grant","ip":"10.66.0.5","seconds":7200,"bytes":500000000}`; verbs grant, revoke,
list, restore, stats. `list` with `"ended":true` takes what ended since it was last asked.
Reply: `{"ok":true,...}` or `{"ok":false,"cause":"...","detail":"..."}`; a list's first line holds
`count` and that many lines follow, one visit each. Rule: everything read from the socket is hostile
until `decode_request` returned one of the five verbs.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Any, TypeVar, assert_never

import msgspec

from captive_portal.gate.visits import (
    MAX_VISIT_S,
    NO_LIMITS,
    EndedVisit,
    Gate,
    GateCause,
    GateStats,
    GateTrouble,
    Limits,
    Visit,
)

MAX_LINE = 4096
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Grant:
    ip: str
    seconds: int
    limits: Limits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Revoke:
    ip: str


@dataclass(frozen=True, slots=True)
class ListVisits:
    ip: str = ""


@dataclass(frozen=True, slots=True)
class ListEnded:
    """`list` of ended visits, each once."""


@dataclass(frozen=True, slots=True)
class Restore:
    pass


@dataclass(frozen=True, slots=True)
class Stats:
    pass


Request = Grant | Revoke | ListVisits | ListEnded | Restore | Stats


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    verb: str
    ip: str = ""
    seconds: int = 0
    bytes: int = 0
    rate_down_kib_s: int = 0
    rate_up_kib_s: int = 0
    ended: bool = False


class LineReader:
    """Cuts a stream into lines; a line over `MAX_LINE` bytes ends the conversation."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes] | GateTrouble:
        """Whole lines so far, without their newline."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > MAX_LINE or any(len(line) > MAX_LINE for line in lines):
            return GateTrouble(GateCause.BAD_REQUEST, f"line over {MAX_LINE} bytes")
        return lines


def clean_ip(text: str) -> str | None:
    """The canonical spelling of a unicast address without a zone, or None."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_multicast or address.is_unspecified or "%" in text:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def encode_request(request: Request) -> bytes:
    match request:
        case Grant(ip, seconds, limits):
            wire: dict[str, Any] = {"verb": "grant", "ip": ip, "seconds": seconds}
            wire |= {name: n for name, n in msgspec.to_builtins(limits).items() if n}
        case Revoke(ip):
            wire = {"verb": "revoke", "ip": ip}
        case ListVisits(ip):
            wire = {"verb": "list", "ip": ip} if ip else {"verb": "list"}
        case ListEnded():
            wire = {"verb": "list", "ended": True}
        case Restore():
            wire = {"verb": "restore"}
        case Stats():
            wire = {"verb": "stats"}
        case _:
            assert_never(request)
    return json.dumps(wire).encode() + b"\n"


def decode_request(line: bytes) -> Request | GateTrouble:
    """One of the five verbs, or why not. Never raises."""
    try:
        wire = msgspec.json.decode(line, type=_Wire)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        return _bad(f"not a request: {e}")
    ip = clean_ip(wire.ip) if wire.ip else ""
    if ip is None:
        return _bad("ip is not a unicast address")
    match wire.verb:
        case "grant" if ip and 0 < wire.seconds <= MAX_VISIT_S:
            return _grant(ip, wire)
        case "grant":
            return _bad(f"grant needs ip and seconds from 1 to {MAX_VISIT_S}")
        case "revoke":
            return Revoke(ip) if ip else _bad("revoke needs ip")
        case "list":
            return _list(ip, wire.ended)
        case "restore":
            return Restore()
        case "stats":
            return Stats()
    return _bad("verb is not grant, revoke, list, restore or stats")


def _list(ip: str, ended: bool) -> ListVisits | ListEnded | GateTrouble:
    if ip and ended:
        return _bad("list takes ip or ended, not both")
    return ListEnded() if ended else ListVisits(ip)


def _grant(ip: str, wire: _Wire) -> Grant | GateTrouble:
    try:
        return Grant(ip, wire.seconds, Limits(wire.bytes, wire.rate_down_kib_s, wire.rate_up_kib_s))
    except ValueError as e:
        return _bad(str(e))


def _bad(detail: str) -> GateTrouble:
    return GateTrouble(GateCause.BAD_REQUEST, detail[:200])


def answer(gate: Gate, request: Request | GateTrouble) -> bytes:
    """Carry out a decoded request and spell the reply."""
    match request:
        case GateTrouble():
            return _reply(request)
        case Grant(ip, seconds, limits):
            return _reply(gate.grant(ip, seconds, limits))
        case Revoke(ip):
            return _reply(gate.revoke(ip))
        case ListVisits(ip):
            return _reply(gate.look(ip) if ip else gate.visits())
        case ListEnded():
            return _reply(gate.ended())
        case Restore():
            return _reply(gate.restore())
        case Stats():
            return _reply(gate.stats())
        case _:
            assert_never(request)


_Result = Visit | tuple[Visit, ...] | tuple[EndedVisit, ...] | GateStats | int | GateTrouble


def _reply(result: _Result) -> bytes:
    match result:
        case GateTrouble(cause, detail):
            return _line({"ok": False, "cause": cause.value, "detail": detail})
        case Visit():
            return _line({"ok": True, "visit": msgspec.to_builtins(result)})
        case GateStats():
            return _line({"ok": True, "stats": msgspec.to_builtins(result)})
        case int():
            return _line({"ok": True, "open": result})
        case _:
            head = _line({"ok": True, "count": len(result)})
            return head + b"".join(_line(msgspec.to_builtins(v)) for v in result)


def _line(wire: dict[str, Any]) -> bytes:
    return json.dumps(wire).encode() + b"\n"


class _ReplyWire(msgspec.Struct):
    ok: bool
    visit: Visit | None = None
    stats: GateStats | None = None
    open: int | None = None
    count: int | None = None
    cause: GateCause = GateCause.BAD_REQUEST
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """That many visit lines follow."""

    lines: int


Reply = Visit | GateStats | int | Count | GateTrouble


def decode_reply(line: bytes) -> Reply:
    """The client's half: what the first line of a reply says."""
    try:
        wire = msgspec.json.decode(line, type=_ReplyWire)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        return GateTrouble(GateCause.NO_ANSWER, f"not a reply: {e}")
    if not wire.ok:
        return GateTrouble(wire.cause, wire.detail)
    if wire.count is not None:
        return Count(wire.count)
    for value in (wire.visit, wire.stats, wire.open):
        if value is not None:
            return value
    return GateTrouble(GateCause.NO_ANSWER, "empty reply")


def decode_visit(line: bytes) -> Visit | GateTrouble:
    """One of the lines that follow a `Count`."""
    return _decode_row(line, Visit)


def decode_ended(line: bytes) -> EndedVisit | GateTrouble:
    """One of the lines that follow the `Count` of ended visits."""
    return _decode_row(line, EndedVisit)


def _decode_row(line: bytes, kind: type[_Row]) -> _Row | GateTrouble:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        return GateTrouble(GateCause.NO_ANSWER, f"not a visit: {e}")
