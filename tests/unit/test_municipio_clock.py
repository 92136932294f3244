"""What a node knows about time, and when a deadline may be judged by it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from municipio.clock import Instant, TimeQuality

MEXICO = ZoneInfo("America/Mexico_City")
EVENING = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quality", "trusted"),
    [
        (TimeQuality.SYNCED, True),
        (TimeQuality.RTC, True),
        (TimeQuality.FLOOR, False),
        (TimeQuality.UNKNOWN, False),
    ],
)
def test_only_a_disciplined_or_battery_backed_clock_is_trusted(
    quality: TimeQuality, trusted: bool
) -> None:
    assert Instant(EVENING, quality, "boot", 1).is_trusted is trusted
    assert not Instant(None, quality, "boot", 1).is_trusted


def test_the_citys_date_is_not_the_utc_date() -> None:
    """At nine in the evening of 31 January the January discount still holds."""
    assert Instant(EVENING, TimeQuality.SYNCED, "boot", 1).local_date(MEXICO) == date(2026, 1, 31)
    assert Instant(None, TimeQuality.UNKNOWN, "boot", 1).local_date(MEXICO) is None
