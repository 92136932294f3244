"""A code reader's bytes: lines, frames, pieces and rubbish."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.scanner.driver import types_like_a_keyboard
from hardware.scanner.protocol import (
    CUT_S,
    NOISE_COUNT,
    NOISE_S,
    READINGS_MAX,
    REPEAT_S,
    TEXT_MAX,
    Alive,
    Reading,
    Scan,
    ScanReader,
    ScanTrouble,
    Unreadable,
)


def whole(data: bytes, reader: ScanReader | None = None) -> list[Reading]:
    return (reader or ScanReader()).feed(data, 10.0)


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"COA007\r", ["COA007"]),
        (b"COA007\n", ["COA007"]),
        (b"COA007\r\nB\r\n", ["COA007", "B"]),
        (b"\x02COA007\x03", ["COA007"]),
        (b"\x02COA007\r\n\x03", ["COA007"]),
        (b"\x02A\x03\x02B\x03", ["A", "B"]),
        (b"\r\n\n\r\x03", []),
        (b"]Q1COA007\r", ["COA007"]),
        ("Peña\r".encode(), ["Peña"]),
        ("Peña\r".encode("latin-1"), ["Peña"]),
        (b"   \r", []),
        (b"x" * TEXT_MAX + b"\r", ["x" * TEXT_MAX]),
    ],
)
def test_codes_come_out_whole_and_byte_by_byte(data: bytes, texts: list[str]) -> None:
    slow = ScanReader()
    one_by_one = [r for byte in data for r in slow.feed(bytes([byte]), 10.0)]

    assert whole(data) == [Scan(t) for t in texts]
    assert one_by_one == [Scan(t) for t in texts]


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"x" * (TEXT_MAX + 1) + b"\r", ScanTrouble.TOO_LONG),
        (b"x" * 100_000 + b"\r", ScanTrouble.TOO_LONG),
        (b"a\x1b[2Jb\r", ScanTrouble.CONTROL),
        (b"a\x00b\r", ScanTrouble.CONTROL),
        (b"a\x85b\r", ScanTrouble.CONTROL),
        ("a\u202eb\r".encode(), ScanTrouble.CONTROL),
    ],
)
def test_what_no_receipt_holds_is_refused_and_the_next_code_is_read(
    data: bytes, trouble: ScanTrouble
) -> None:
    assert whole(data + b"COA007\r") == [Unreadable(trouble), Scan("COA007")]


def test_a_code_that_stops_in_the_middle_is_dropped_and_never_joined_to_the_next() -> None:
    reader = ScanReader()
    reader.feed(b"30039", 10.0)

    assert reader.feed(b"COA007\r", 10.0 + CUT_S + 0.1) == [
        Unreadable(ScanTrouble.CUT),
        Scan("COA007"),
    ]


def test_a_new_frame_drops_the_unfinished_one() -> None:
    assert whole(b"\x02300\x02COA007\x03") == [Unreadable(ScanTrouble.CUT), Scan("COA007")]


def test_a_code_held_before_the_reader_is_one_scan_until_it_was_taken_away() -> None:
    reader = ScanReader()
    times = [0.0, 0.4, 0.8, 1.2, 1.2 + REPEAT_S + 0.1]
    heard = [reader.feed(b"COA007\r", t) for t in times]

    assert [len(h) for h in heard] == [1, 0, 0, 0, 1]


def test_after_a_wipe_the_same_code_is_a_new_persons() -> None:
    reader = ScanReader()
    reader.feed(b"COA007\r300", 0.0)
    reader.forget()

    assert reader.feed(b"COA007\r", 0.1) == [Scan("COA007")]


def test_a_greeting_reader_says_that_it_lives_between_codes_and_not_inside_them() -> None:
    assert whole(b"!A!B\r!", ScanReader(greets=True)) == [Alive(), Scan("A!B"), Alive()]
    assert whole(b"!A\r") == [Scan("!A")]


def test_rubbish_alone_is_noise_until_a_code_is_read_or_it_grows_old() -> None:
    reader = ScanReader()
    for _ in range(NOISE_COUNT):
        reader.feed(b"\x80\r", 10.0)

    assert reader.is_noisy(11.0)
    assert not reader.is_noisy(10.0 + NOISE_S + 1)
    reader.feed(b"COA007\r", 12.0)
    assert not reader.is_noisy(12.0)


def test_a_flood_of_codes_is_cut_off() -> None:
    flood = b"".join(b"%d\r" % n for n in range(1000))

    assert len(whole(flood)) == READINGS_MAX


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=300), max_size=12))
def test_no_bytes_break_it_and_every_text_is_printable_and_short(pieces: list[bytes]) -> None:
    reader = ScanReader(greets=True)
    for at, piece in enumerate(pieces):
        for reading in reader.feed(piece, at * 0.3):
            if isinstance(reading, Scan):
                assert reading.text.isprintable()
                assert 0 < len(reading.text) <= TEXT_MAX


@pytest.mark.parametrize("path", ["/dev/input/event3", "/dev/input/by-path/x", "/dev/hidraw0"])
def test_a_reader_that_types_is_told_by_its_path(path: str) -> None:
    assert types_like_a_keyboard(path)
    assert not types_like_a_keyboard("/dev/serial/by-path/x")


def test_a_scanned_text_is_not_in_a_programs_trace() -> None:
    assert "COA007" not in repr(Scan("COA007"))
