"""A keypad's events: only allowed keys, only going down, and nothing made up after rubbish."""

from __future__ import annotations

import random
from pathlib import Path

import evdev
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.keypad.keys import (
    CODES,
    NUMERIC,
    TACTILE,
    Key,
    KeyMap,
    KeyMapProblem,
    parse_key_map,
)
from hardware.keypad.protocol import BOUNCE_S, CALM_S, STUCK_S, KeyReader, KeyTrouble
from hardware.transport.event_port import (
    WrongDevice,
    is_allowed_place,
    is_device_id,
    open_evdev,
    open_events,
)
from hardware.transport.event_stream import (
    EV_KEY,
    EV_MSC,
    EV_SYN,
    EVENT,
    SYN_DROPPED,
    SYN_REPORT,
    InputEvent,
    pack,
)
from hardware.transport.port import PortCause, PortProblem
from municipio.settings import SETTINGS

DEFAULTS = {s.name: str(s.default) for s in SETTINGS}
UP, DOWN, ENTER = CODES["KEY_UP"], CODES["KEY_DOWN"], CODES["KEY_ENTER"]
AT_S = 1_768_900_000.123457


def event(type_: int, code: int, value: int, at_s: float = 0.0) -> bytes:
    return pack(InputEvent(type_, code, value), AT_S + at_s)


SYN = event(EV_SYN, SYN_REPORT, 0)
DROPPED = event(EV_SYN, SYN_DROPPED, 0)


def five() -> KeyMap:
    keys = parse_key_map(DEFAULTS["keypad.keys"], TACTILE)
    assert not isinstance(keys, KeyMapProblem)
    return keys


def key(code: int, value: int, at_s: float = 0.0) -> bytes:
    return event(EV_MSC, 4, 458792, at_s) + event(EV_KEY, code, value, at_s) + SYN


def press(code: int, at_s: float = 0.0) -> bytes:
    return key(code, 1, at_s) + key(code, 0, at_s)


def test_our_numbers_are_the_kernels() -> None:
    assert {name: evdev.ecodes.ecodes[name] for name in CODES} == dict(CODES)


def test_no_letter_modifier_or_function_key_can_be_named() -> None:
    forbidden = {"KEY_A", "KEY_ESC", "KEY_LEFTCTRL", "KEY_LEFTALT", "KEY_SYSRQ", "KEY_F1", "KEY_F4"}

    assert not forbidden & set(CODES)


def test_the_settings_as_delivered_name_every_key() -> None:
    digits = parse_key_map(DEFAULTS["numpad.keys"], NUMERIC)

    assert set(five().values()) == TACTILE
    assert not isinstance(digits, KeyMapProblem)
    assert set(digits.values()) == NUMERIC


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("up=KEY_UP up=KEY_HOME", "up=KEY_HOME"),
        ("up=KEY_UP down=KEY_UP", "down=KEY_UP"),
        ("up=KEY_A", "up=KEY_A"),
        ("up=103", "up=103"),
        ("7=KEY_KP7", "7=KEY_KP7"),
        ("up", "up"),
        ("", "down="),
    ],
)
def test_a_key_map_that_cannot_be_used_names_the_word(text: str, word: str) -> None:
    assert parse_key_map(text, TACTILE) == KeyMapProblem(word)


def test_a_press_is_one_press_whole_and_byte_by_byte() -> None:
    data = press(UP) + press(ENTER)
    slow = KeyReader(five())

    assert KeyReader(five()).feed(data, 1.0) == [Key.UP, Key.SELECT]
    assert [k for b in data for k in slow.feed(bytes([b]), 1.0)] == [Key.UP, Key.SELECT]


def test_a_key_that_is_not_in_the_map_never_passes() -> None:
    reader = KeyReader(five())
    every = b"".join(press(code) for code in range(1, 0x300) if code not in five())

    assert reader.feed(every, 1.0) == []


def test_auto_repeat_is_not_a_press() -> None:
    data = key(UP, 1) + key(UP, 2) * 20 + key(UP, 0)

    assert KeyReader(five()).feed(data, 1.0) == [Key.UP]


def test_a_bouncing_contact_is_one_press_and_two_quick_ones_are_two() -> None:
    reader = KeyReader(five())

    assert reader.feed(press(UP) * 4, 1.0) == [Key.UP]
    assert reader.feed(press(UP, BOUNCE_S * 2), 1.0 + BOUNCE_S * 2) == [Key.UP]


def test_two_quick_presses_that_are_read_late_and_together_are_two() -> None:
    data = press(UP, 0.0) + press(UP, BOUNCE_S * 2)

    assert KeyReader(five()).feed(data, 1.0) == [Key.UP, Key.UP]


def test_a_bounce_that_is_read_late_is_still_a_bounce() -> None:
    reader = KeyReader(five())

    assert reader.feed(press(UP, 0.0), 1.0) == [Key.UP]
    assert reader.feed(press(UP, BOUNCE_S / 2), 9.0) == []


def test_a_press_after_the_clock_was_set_back_counts() -> None:
    reader = KeyReader(five())
    reader.feed(press(UP, 3600.0), 1.0)

    assert reader.feed(press(UP, 0.0), 2.0) == [Key.UP]


def test_after_the_kernel_lost_events_nothing_counts_until_a_whole_report() -> None:
    reader = KeyReader(five())
    reader.feed(key(DOWN, 1), 1.0)
    lost = DROPPED + event(EV_KEY, UP, 1)

    assert reader.feed(lost, 2.0) == []
    assert reader.feed(SYN + press(ENTER), 2.1) == [Key.SELECT]
    assert reader.trouble(2.1 + STUCK_S * 2) is None


def test_a_key_that_stays_down_is_told() -> None:
    reader = KeyReader(five())
    reader.feed(key(UP, 1), 1.0)

    assert reader.trouble(1.0 + STUCK_S) is None
    assert reader.trouble(1.1 + STUCK_S) is KeyTrouble.STUCK_KEY
    reader.feed(key(UP, 0), 30.0)
    assert reader.trouble(31.0) is None


def test_a_shower_of_presses_is_noise_and_then_calm_again() -> None:
    reader = KeyReader(five())
    for at in range(100):
        reader.feed(press(UP if at % 2 else DOWN, at * 0.02), 1.0 + at * 0.02)

    assert reader.trouble(3.0) is KeyTrouble.NOISE
    assert reader.trouble(3.1 + CALM_S) is None
    assert reader.feed(press(ENTER), 3.1 + CALM_S) == [Key.SELECT]


@pytest.mark.parametrize("at", range(1, EVENT.size * 3))
def test_a_lost_byte_loses_a_press_at_most_and_invents_none(at: int) -> None:
    data = press(UP) + press(DOWN)
    heard = KeyReader(five()).feed(data[:at] + data[at + 1 :], 1.0)

    assert heard in ([Key.UP, Key.DOWN], [Key.UP], [Key.DOWN])


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    reader = KeyReader(five())
    for at, piece in enumerate(pieces):
        assert set(reader.feed(piece, at * 0.1)) <= TACTILE


def test_rubbish_is_followed_by_a_press_that_is_heard() -> None:
    reader = KeyReader(five())
    reader.feed(random.Random(7).randbytes(5000), 1.0)

    assert reader.feed(press(UP) * 2, 9.0)[-1:] == [Key.UP]


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("2047:09d0", True),
        ("2047:09D0", False),
        ("2047", False),
        ("", False),
        ("2047:09d0 ", False),
    ],
)
def test_a_device_number_is_written_as_lsusb_does(text: str, fine: bool) -> None:
    assert is_device_id(text) is fine


@pytest.mark.parametrize("path", ["/dev/input/event3", "/dev/input/by-id/x", "/dev/null", "/etc"])
def test_only_a_place_in_the_machine_is_opened(path: str) -> None:
    assert not is_allowed_place(path)
    missing = not Path(path).exists()
    assert isinstance(open_events(path, "2047:09d0"), PortProblem if missing else WrongDevice)


def test_a_file_that_is_no_input_device_is_a_problem_and_no_exception() -> None:
    assert open_events("/dev/null", "2047:09d0") == WrongDevice("/dev/null")
    opened = open_evdev("/dev/null", "2047:09d0")
    missing = open_events("/dev/input/by-path/nothing", "2047:09d0")

    assert isinstance(opened, PortProblem)
    assert isinstance(missing, PortProblem)
    assert missing.cause is PortCause.MISSING
