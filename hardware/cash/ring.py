"""The event ring of coin acceptors (header 229) and bill validators (159): a counter and five events.

The counter is 0 after a reset and then runs 1..255, 1..255: zero never comes again by counting. Five
pairs follow, newest first. More than five new events means that some were never seen.
"""

from __future__ import annotations

from dataclasses import dataclass

DEPTH = 5
READING_BYTES = 1 + 2 * DEPTH


@dataclass(frozen=True, slots=True)
class RingEvent:
    counter: int
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class News:
    """`events` oldest first; `lost` older ones were overwritten before anybody read them."""

    events: tuple[RingEvent, ...]
    lost: int


def next_counter(counter: int) -> int:
    return counter % 255 + 1


def behind(position: int, counter: int) -> int:
    """Events between a position and the peripheral's counter, without a reset between them."""
    return counter if position == 0 else (counter - position) % 255


def has_reset(position: int, counter: int) -> bool:
    """Surely restarted. A restart that has counted on since is only seen by other marks."""
    return counter == 0 and position != 0


def news(position: int, reading: bytes) -> News:
    """What a reading of `READING_BYTES` tells beyond `position`, with no reset between."""
    assert len(reading) == READING_BYTES, "the bus checked the length"
    new = behind(position, reading[0])
    shown = min(new, DEPTH)
    counter = position
    for _ in range(new - shown):
        counter = next_counter(counter)
    events = []
    for age in range(shown - 1, -1, -1):
        counter = next_counter(counter)
        events.append(RingEvent(counter, reading[1 + 2 * age], reading[2 + 2 * age]))
    return News(tuple(events), new - shown)
