"""Frames between node and terminal: damage is noticed, and three tries are enough or never."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.terminal.wire import (
    ACK_S,
    NAK,
    PAYLOAD_MAX,
    TRIES,
    Delivered,
    Link,
    LinkEvent,
    Received,
    Undelivered,
    frame,
    lrc,
)

PAYLOADS = st.binary(min_size=1, max_size=PAYLOAD_MAX).filter(
    lambda p: not any(b in p for b in (2, 3, 6, 0x15))
)


def test_the_check_byte_follows_its_definition() -> None:
    assert lrc(b"") == 0x7F
    assert frame(b"Q") == b"\x02Q\x03" + bytes((0x7F ^ ord("Q") ^ 3,))


@settings(max_examples=100, deadline=None)
@given(PAYLOADS, st.binary(max_size=8).filter(lambda j: 2 not in j), st.booleans())
def test_a_frame_arrives_whole_byte_by_byte_and_after_junk(
    payload: bytes, junk: bytes, bytewise: bool
) -> None:
    link = Link()
    wire = junk + frame(payload)
    pieces = [bytes((b,)) for b in wire] if bytewise else [wire]
    events = [e for piece in pieces for e in link.feed(piece, 0)]

    assert events == [Received(payload)]


@settings(max_examples=100, deadline=None)
@given(PAYLOADS, st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_one_flipped_bit_never_delivers_another_payload(
    payload: bytes, where: int, bit: int
) -> None:
    wire = bytearray(frame(payload))
    wire[where % len(wire)] ^= 1 << bit
    events = Link().feed(bytes(wire), 0)

    assert Received(payload) not in events or bytes(wire) == frame(payload)
    assert all(isinstance(e, Received) and len(e.payload) < len(payload) for e in events)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_keep_the_buffer_bounded(data: bytes) -> None:
    link = Link()
    link.feed(data, 0)

    assert len(link._buffer) <= PAYLOAD_MAX


def test_a_damaged_frame_is_refused_and_its_sender_sends_it_again() -> None:
    ours, theirs = Link(), Link()
    ours.queue(b"Q")
    first, _ = ours.tick(0)
    theirs.feed(first[:-1] + b"\x00", 0)
    refusal, _ = theirs.tick(0)
    ours.feed(refusal, 0.1)
    again, _ = ours.tick(0.1)
    heard = theirs.feed(again, 0.1)
    accepted, _ = theirs.tick(0.1)

    assert refusal == bytes((NAK,))
    assert heard == [Received(b"Q")]
    assert ours.feed(accepted, 0.2) == [Delivered(b"Q")]


def test_silence_after_three_tries_is_told_and_the_next_message_goes_on() -> None:
    link = Link()
    link.queue(b"A")
    link.queue(b"B")
    now, sent, told = 0.0, b"", list[LinkEvent]()
    while not told:
        out, told = link.tick(now)
        sent += out
        now += ACK_S / 4

    assert told == [Undelivered(b"A")]
    assert sent == frame(b"A") * TRIES + frame(b"B")


@pytest.mark.parametrize("payload", [b"", b"x" * (PAYLOAD_MAX + 1), b"a\x03b"])
def test_a_payload_that_would_break_the_frame_is_our_own_error(payload: bytes) -> None:
    with pytest.raises(ValueError):
        frame(payload)
