"""The ccTalk wire: frames in any pieces and any noise, one question at a time, and a ring never misread."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.cash import ring
from hardware.cash.bus import REPLY_S, TRIES, Answered, Bus, Refused, Request, Silent
from hardware.cash.frames import BUFFER_MAX, Frame, FrameReader, Header, encode
from hardware.cash.sim_bus import SimBus
from hardware.cash.status import COIN_CODES, NOTE_CODES, coin_named, note_named

POLL = Frame(2, 1, Header.SIMPLE_POLL)
READING = Frame(1, 2, Header.REPLY, bytes((3, 5, 1, 0, 20, 4, 1, 0, 0, 0, 0)))


def test_the_simple_poll_is_the_example_of_the_specification() -> None:
    assert encode(POLL) == bytes((2, 0, 1, 254, 255))


@pytest.mark.parametrize("junk", [b"", b"\0", b"\x01\x00\x02", b"\xff" * 7])
def test_frames_are_found_whole_byte_by_byte_and_after_junk(junk: bytes) -> None:
    wire = encode(POLL) + encode(READING)
    assert FrameReader().feed(wire) == [POLL, READING]
    reader = FrameReader()
    found = [f for byte in wire for f in reader.feed(bytes((byte,)))]
    assert found == [POLL, READING]
    reader = FrameReader()
    reader.feed(junk)
    reader.clear()
    assert reader.feed(wire) == [POLL, READING]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=60))
def test_hostile_bytes_end_in_nothing_and_the_buffer_stays_small(parts: list[bytes]) -> None:
    reader, bus, far = FrameReader(), Bus(), SimBus()
    bus.ask(Request(2, Header.SERIAL, length=3), 0.0)
    for part in parts:
        for frame in reader.feed(part):
            assert sum(encode(frame)) % 256 == 0
        bus.feed(part, 0.0)
        far.feed(part, 0.0)
    assert len(reader._buffer) <= BUFFER_MAX


@given(where=st.integers(0, 15), bit=st.integers(0, 7))
def test_one_flipped_bit_is_never_a_good_answer(where: int, bit: int) -> None:
    raw = bytearray(encode(READING))
    raw[where] ^= 1 << bit
    bus = Bus()
    bus.ask(Request(2, Header.COIN_EVENTS, length=11), 0.0)
    assert not isinstance(bus.feed(bytes(raw), 0.1), Answered)


def test_the_echo_of_the_single_wire_is_not_an_answer() -> None:
    bus = Bus()
    sent = bus.ask(Request(2, Header.SIMPLE_POLL), 0.0)
    assert bus.feed(sent, 0.01) is None
    reply = bus.feed(encode(Frame(1, 2, Header.REPLY)), 0.02)
    assert isinstance(reply, Answered)


def test_another_peripherals_late_answer_is_not_this_ones() -> None:
    bus = Bus()
    bus.ask(Request(40, Header.SIMPLE_POLL), 0.0)
    assert bus.feed(encode(Frame(1, 2, Header.REPLY)), 0.01) is None
    assert bus.feed(encode(Frame(1, 40, Header.REPLY, b"x")), 0.01) is None, "a wrong length"
    assert isinstance(bus.feed(encode(Frame(1, 40, Header.NAK)), 0.01), Refused)


def test_silence_is_three_tries_and_what_must_not_be_said_twice_is_said_once() -> None:
    for tries in (TRIES, 1):
        bus = Bus()
        said, now = 1, 0.0
        bus.ask(Request(3, Header.DISPENSE, tries=tries), now)
        reply = None
        while reply is None:
            now += REPLY_S
            out, reply = bus.tick(now)
            said += bool(out)
        assert (said, isinstance(reply, Silent)) == (tries, True)


@pytest.mark.parametrize(
    ("position", "counter", "behind"),
    [
        (0, 0, 0),
        (0, 3, 3),
        (7, 7, 0),
        (7, 9, 2),
        (255, 1, 1),
        (254, 2, 3),
        (1, 1, 0),
        (200, 199, 254),
    ],
)
def test_the_counter_runs_round_without_zero(position: int, counter: int, behind: int) -> None:
    assert ring.behind(position, counter) == behind


@settings(max_examples=200, deadline=None)
@given(position=st.integers(0, 255), events=st.integers(0, 12))
def test_a_reading_tells_the_newest_five_in_order_and_how_many_are_lost(
    position: int, events: int
) -> None:
    counter, pairs = position, [(0, 0)] * 5
    for n in range(events):
        counter = ring.next_counter(counter)
        pairs = [(n + 1, 1), *pairs][:5]
    told = ring.news(position, bytes((counter,)) + bytes(b for p in pairs for b in p))
    assert told.lost == max(0, events - 5)
    assert [e.a for e in told.events] == list(range(told.lost + 1, events + 1))
    assert not told.events or told.events[-1].counter == counter


def test_a_restart_is_zero_and_only_that() -> None:
    assert ring.has_reset(9, 0)
    assert not ring.has_reset(0, 0)
    assert not ring.has_reset(255, 1)


def test_pieces_are_named_in_centavos() -> None:
    assert [coin_named(t) for t in (b"MX050A", b"MX500A", b"MX1K0A", b"MX2K0B", b"......")] == [
        50,
        500,
        1000,
        2000,
        0,
    ]
    assert [note_named(t, 100) for t in (b"MX0020A", b"MX0500C", b".......")] == [2000, 50000, 0]


def test_every_code_of_the_appendix_is_known() -> None:
    assert set(range(1, 41)) <= set(COIN_CODES)
    assert set(range(22)) - {1, 10, 12, 21} == set(NOTE_CODES)
