"""VE.Direct blocks: told whole and right, or not at all, however the bytes come."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.power import vedirect
from hardware.power.vedirect import Block, Damage, Damaged, Event, HexFrame, Parser, encode
from hardware.power.victron import reading

DUMPS = Path(__file__).parents[1] / "golden" / "vedirect"
FIELDS = {"PID": "0xA053", "V": "12800", "I": "-250", "CS": "0", "LOAD": "ON", "IL": "300"}


def blocks(events: list[Event]) -> list[Block]:
    return [e for e in events if isinstance(e, Block)]


def damage(events: list[Event]) -> list[Damage]:
    return [e.why for e in events if isinstance(e, Damaged)]


def volts(events: list[Event]) -> list[str]:
    return [b.fields["V"] for b in blocks(events) if "V" in b.fields]


def dump(name: str) -> bytes:
    return (DUMPS / f"{name}.bin").read_bytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mppt_75_15_morning", [str(13190 + 10 * n) for n in range(8)]),
        ("mppt_75_15_night", ["12480"] * 3 + ["12470"] * 3),
        ("mppt_joined_late_one_bad", ["13200", "13220", "13230"]),
        ("mppt_hex_interleaved", [str(13190 + 10 * n) for n in range(5)]),
        ("bmv_700_shunt", ["12710", "12700", "12690", "12680"]),
    ],
)
def test_a_dump_tells_its_whole_blocks_in_pieces_of_any_size(
    name: str, expected: list[str]
) -> None:
    raw = dump(name)
    for size in (1, 2, 3, 7, 64, len(raw)):
        parser = Parser()
        events = [e for at in range(0, len(raw), size) for e in parser.feed(raw[at : at + size])]

        assert volts(events) == expected, size


def test_hex_frames_between_any_two_bytes_are_told_and_change_no_sum() -> None:
    events = Parser().feed(dump("mppt_hex_interleaved"))

    assert len([e for e in events if isinstance(e, HexFrame)]) == 5
    assert damage(events) == []


@pytest.mark.parametrize("at", range(len(encode(FIELDS))))
def test_a_hex_frame_may_stand_anywhere_but_before_the_checksum_byte(at: int) -> None:
    block = encode(FIELDS)
    at = min(at, len(block) - 2)
    events = Parser().feed(block[:at] + b":7F0ED00711600B2\n" + block[at:])

    assert [b.fields for b in blocks(events)] == [FIELDS]


def test_the_checksum_byte_may_be_the_colon_of_a_hex_frame() -> None:
    events = Parser().feed(dump("mppt_checksum_is_a_colon"))

    assert len(blocks(events)) == 2
    assert not [e for e in events if isinstance(e, HexFrame)]


def test_a_stream_joined_in_the_middle_never_tells_the_tail() -> None:
    """Once in 256 joins the tail sums to zero by chance: its beginning was not seen, so it is nothing."""
    block = encode(FIELDS)
    for at in range(1, len(block)):
        told = blocks(Parser().feed(block[at:] + block))
        assert [b.fields for b in told] in ([FIELDS], [FIELDS, FIELDS])
        assert all(b.fields == FIELDS for b in told)


@pytest.mark.parametrize("bit", range(8))
def test_no_flipped_bit_is_ever_told_and_the_stream_is_found_again(bit: int) -> None:
    block = encode(FIELDS)
    for at in range(len(block)):
        wrong = block[:at] + bytes((block[at] ^ 1 << bit,)) + block[at + 1 :]
        told = blocks(Parser().feed(block + wrong + block + block + block))

        assert all(b.fields == FIELDS for b in told), at
        assert len(told) >= 3, at


def test_a_lost_byte_costs_at_most_two_blocks() -> None:
    block = encode(FIELDS)
    for at in range(len(block)):
        told = blocks(Parser().feed(block + block[:at] + block[at + 1 :] + block + block + block))

        assert all(b.fields == FIELDS for b in told), at
        assert len(told) >= 3, at


def test_a_bad_sum_leaves_nothing_of_its_block_for_the_next() -> None:
    wrong = bytearray(encode({**FIELDS, "SOC": "900"}))
    wrong[-1] ^= 1
    events = Parser().feed(encode(FIELDS) + bytes(wrong) + encode(FIELDS))

    assert damage(events) == [Damage.BAD_SUM]
    assert [b.fields for b in blocks(events)] == [FIELDS, FIELDS]


@pytest.mark.parametrize(
    "bad",
    [
        {"PID": "1", "LABELTOOLONG": "1"},
        {"PID": "1", "V": "9" * (vedirect.VALUE_MAX + 1)},
        {"PID": "1", **{f"X{n}": "1" for n in range(vedirect.FIELDS_MAX)}},
        {"PID": "1", "V": "1\x002"},
        {"PID": "1", "": "2"},
    ],
)
def test_what_no_product_sends_is_damage_even_with_a_right_sum(bad: dict[str, str]) -> None:
    assert damage(Parser().feed(encode(bad))) == [Damage.BAD_FIELD]


def test_a_field_said_twice_is_damage() -> None:
    twice = encode({"PID": "1", "V": "1"})[: -len("\r\nChecksum\tx")] + b"\r\nV\t2\r\nChecksum\t"
    twice += bytes((-sum(twice) & 0xFF,))

    assert damage(Parser().feed(twice)) == [Damage.BAD_FIELD]


def test_a_flood_is_never_kept() -> None:
    parser = Parser()
    noise = random.Random(5)
    for piece in (
        b":" * 100_000,
        b"\n" + b"A" * 100_000,
        noise.randbytes(200_000),
        b"\n\t" * 50_000,
    ):
        parser.feed(piece)
    held = sum(len(b) for b in (parser._label, parser._value, parser._hex)) + len(parser._fields)

    assert held < 400


@settings(max_examples=150, deadline=None)
@given(noise=st.binary(max_size=120), size=st.integers(1, 40))
def test_after_any_noise_whole_blocks_are_told_again(noise: bytes, size: int) -> None:
    raw = noise + encode(FIELDS) * 3
    parser = Parser()
    events = [e for at in range(0, len(raw), size) for e in parser.feed(raw[at : at + size])]

    assert FIELDS in [b.fields for b in blocks(events)]


def test_a_solar_charger_says_everything_but_its_charge() -> None:
    first = blocks(Parser().feed(dump("mppt_75_15_morning")))[0]
    said = reading(first.fields)

    assert said is not None
    assert (said.battery_mv, said.battery_ma, said.solar_w, said.load_w) == (13190, 4100, 69, 15)
    assert said.soc_percent is None
    assert said.is_charging


def test_a_shunt_states_its_charge_and_its_history_is_no_reading() -> None:
    one, two = blocks(Parser().feed(dump("bmv_700_shunt")))[:2]
    said = reading(one.fields)

    assert said is not None
    assert (said.soc_percent, said.temperature_c, said.battery_ma) == (86, 29, -1200)
    assert reading(two.fields) is None


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({}, None),
        ({"ERR": "2"}, "battery_overvoltage"),
        ({"ERR": "17"}, "controller_hot"),
        ({"ERR": "33"}, "panel_fault"),
        ({"ERR": "119"}, "controller_fault"),
        ({"CS": "2"}, "controller_fault"),
        ({"LOAD": "OFF"}, "load_off"),
        ({"AR": "1"}, "battery_low"),
        ({"AR": "64"}, "battery_temperature"),
    ],
)
def test_codes_become_causes(changed: dict[str, str], cause: str | None) -> None:
    said = reading({**FIELDS, **changed})

    assert said is not None
    assert said.cause == cause


@pytest.mark.parametrize(
    "changed",
    [{"V": "x"}, {"V": "-5"}, {"V": "999999"}, {"SOC": "1001"}, {"PPV": "1e9"}, {"V": "---"}],
)
def test_a_figure_that_cannot_be_makes_no_reading(changed: dict[str, str]) -> None:
    assert reading({**FIELDS, **changed}) is None


def test_dashes_are_a_figure_that_the_product_does_not_know() -> None:
    said = reading({**FIELDS, "SOC": "---", "T": "---"})

    assert said is not None
    assert (said.soc_percent, said.temperature_c) == (None, None)
