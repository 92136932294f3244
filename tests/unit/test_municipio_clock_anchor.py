"""The city's time between two counts of a boot: written, read back, and refused when it is odd."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from municipio.clock_anchor import Anchor, read_anchor

NOON = datetime(2026, 11, 21, 18, tzinfo=UTC)


def test_what_is_written_is_read_back() -> None:
    anchor = Anchor("b", NOON, 5, 905)
    assert read_anchor("b", anchor.document()) == anchor


@pytest.mark.parametrize("data", [
    {}, {"city_time": "now", "asked_ms": "1", "heard_ms": "2"},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": 1, "heard_ms": 2},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": "9", "heard_ms": "2"},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": "-1", "heard_ms": "2"},
    {"city_time": "9999-11-21T18:00:00.000Z", "asked_ms": "1", "heard_ms": "2"},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": "1", "heard_ms": "9" * 14},
])  # fmt: skip
def test_what_is_no_anchor_is_refused(data: dict[str, object]) -> None:
    assert read_anchor("b", data) is None
