"""The boot loader's rule as the proof applies it: it must never call a machine saved that is not."""

from __future__ import annotations

import pytest
from rig.slots import ENV_BYTES, FIRST, SIGNATURE, first_whole, parse_environment, started


def block(**values: str) -> bytes:
    lines = "".join(f"{name}={value}\n" for name, value in values.items()).encode()
    return (SIGNATURE + lines).ljust(ENV_BYTES, b"#")


def test_an_environment_block_is_read() -> None:
    assert parse_environment(block(**FIRST)) == FIRST


@pytest.mark.parametrize("raw", [None, b"", bytes(ENV_BYTES), block(**FIRST)[:-1], block() + b"#"])
def test_what_grub_refuses_is_refused(raw: bytes | None) -> None:
    assert parse_environment(raw) is None


def test_of_two_copies_the_first_that_is_whole_counts() -> None:
    after = FIRST | {"B_OK": "1"}
    assert first_whole([block(**FIRST), block(**after)]) == FIRST
    for lost in (None, b"", block(**FIRST)[:512], block()):
        assert first_whole([lost, block(**after)]) == after
        assert first_whole([lost, lost]) is None


@pytest.mark.parametrize(
    ("changed", "whole", "slot"),
    [
        ({}, "AB", "A"),
        ({"ORDER": "B A", "B_OK": "1"}, "AB", "B"),
        ({"ORDER": "B A", "B_OK": "1"}, "A", "A"),
        ({"ORDER": "B A", "B_OK": "1", "B_TRY": "3"}, "AB", "A"),
        ({"A_OK": "0", "B_OK": "1"}, "B", "B"),
        ({"A_TRY": "3"}, "A", "A"),
        ({"ORDER": "B A", "B_OK": "0"}, "AB", "A"),
    ],
)
def test_the_first_slot_that_is_whole_and_has_a_try_comes_up(
    changed: dict[str, str], whole: str, slot: str
) -> None:
    assert started(FIRST | changed, lambda name: name in whole) == slot


def test_without_its_environment_grub_can_only_start_the_first_slot() -> None:
    assert started(None, lambda name: name == "A") == "A"
    assert started(None, lambda name: name == "B") is None


def test_a_card_with_nothing_whole_never_comes_up() -> None:
    assert started(FIRST | {"B_OK": "1"}, lambda _: False) is None
