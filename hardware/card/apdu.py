"""Commands to a card and its answers (ISO/IEC 7816-4), in short form only. Sans-IO.

An exchange is a generator: it yields the bytes for the card, is sent the card's bytes, and returns
what came of it. Long data goes out in a chain (CLA bit 5), long answers come in by GET RESPONSE.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

MAX_DATA = 255
MAX_ANSWER = 258
"""256 bytes and the status word: the longest answer that short form knows."""
MAX_REPLY = 8192
MAX_ROUNDS = 64

_T = TypeVar("_T")
Dialogue = Generator[bytes, bytes, _T]

OK = 0x9000


@dataclass(frozen=True, slots=True)
class Reply:
    """What a whole exchange brought: data of all rounds and the last status word."""

    data: bytes
    sw: int


@dataclass(frozen=True, slots=True)
class Nonsense:
    """Bytes that no card sends: too short, too long, or without an end."""


def run(dialogue: Dialogue[_T], transmit: Callable[[bytes], bytes]) -> _T:
    """Carry a dialogue over `transmit`. What `transmit` raises goes through."""
    try:
        command = next(dialogue)
        while True:
            command = dialogue.send(transmit(command))
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        dialogue.close()


def exchange(
    ins: int, p1: int, p2: int, data: bytes = b"", *, answers: bool = True
) -> Dialogue[Reply | Nonsense]:
    """One command of class 00. `answers` is False when no data is expected (case 1 or 3)."""
    pieces = [data[i : i + MAX_DATA] for i in range(0, len(data), MAX_DATA)] or [b""]
    for piece in pieces[:-1]:
        reply = _parsed((yield _bytes(0x10, ins, p1, p2, piece, None)))
        if reply is None:
            return Nonsense()
        if reply.sw != OK:
            return reply
    last = _bytes(0x00, ins, p1, p2, pieces[-1], 0 if answers else None)
    reply = _parsed((yield last))
    if reply is not None and reply.sw >> 8 == 0x6C and answers:
        reply = _parsed((yield last[:-1] + bytes([reply.sw & 0xFF])))
    return (yield from _rest(reply))


def _rest(reply: Reply | None) -> Dialogue[Reply | Nonsense]:
    """Fetch what the card still has (61xx), within bounds."""
    data = b""
    for _ in range(MAX_ROUNDS):
        if reply is None or len(data) + len(reply.data) > MAX_REPLY:
            return Nonsense()
        data += reply.data
        if reply.sw >> 8 != 0x61:
            return Reply(data, reply.sw)
        reply = _parsed((yield _bytes(0x00, 0xC0, 0, 0, b"", reply.sw & 0xFF)))
    return Nonsense()


def _bytes(cla: int, ins: int, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    command = bytes([cla, ins, p1, p2])
    if data:
        command += bytes([len(data)]) + data
    return command if le is None else command + bytes([le])


def _parsed(raw: bytes) -> Reply | None:
    if not 2 <= len(raw) <= MAX_ANSWER:
        return None
    return Reply(raw[:-2], int.from_bytes(raw[-2:], "big"))
