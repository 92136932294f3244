"""Every part of a node has one name."""

from __future__ import annotations

from hardware.health.state import Item
from municipio.device_words import DEVICE_WORDS
from municipio.part_names import DEVICE_NAMES, HEALTH_NAMES


def test_every_device_and_everything_that_a_board_tells_has_a_name() -> None:
    assert {device for device, _ in DEVICE_WORDS} == DEVICE_NAMES.keys() | {"health"}
    assert HEALTH_NAMES.keys() == {item.value for item in Item}
