"""Open hours of a site: which moments they hold, when they end, when they come again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from captive_portal.hours import parse_hours

ZONE = ZoneInfo("America/Mexico_City")


def _at(text: str) -> datetime:
    """20 January 2026 is a Tuesday."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("ranges", "moment", "is_open"),
    [
        ([], "2026-01-20 03:00", True),
        (["06:00-22:00"], "2026-01-20 06:00", True),
        (["06:00-22:00"], "2026-01-20 21:59:59", True),
        (["06:00-22:00"], "2026-01-20 22:00", False),
        (["lun-vie 06:00-22:00"], "2026-01-24 12:00", False),
        (["lun-vie 06:00-22:00", "sab,dom 08:00-14:00"], "2026-01-24 12:00", True),
        (["vie 20:00-02:00"], "2026-01-24 01:59", True),
        (["vie 20:00-02:00"], "2026-01-23 01:59", False),
        (["sab-lun 08:00-09:00"], "2026-01-25 08:30", True),
        (["mié 00:00-24:00"], "2026-01-21 23:59", True),
        (["mon 08:00-09:00"], "2026-01-26 08:30", True),
    ],
)
def test_a_moment_is_inside_or_outside(ranges: list[str], moment: str, is_open: bool) -> None:
    assert parse_hours(ranges).is_open(_at(moment)) is is_open


def test_the_end_and_the_next_beginning_are_known() -> None:
    hours = parse_hours(["lun-vie 06:00-22:00"])

    assert hours.seconds_left(_at("2026-01-20 21:58:30")) == 90
    assert hours.next_opening(_at("2026-01-23 22:00")) == _at("2026-01-26 06:00")
    assert hours.next_opening(_at("2026-01-20 05:00")) == _at("2026-01-20 06:00")
    assert parse_hours([]).next_opening(_at("2026-01-20 05:00")) is None
    assert parse_hours([]).seconds_left(_at("2026-01-20 05:00")) == 0


@pytest.mark.parametrize(
    "text", ["", "6-22", "06:00", "25:00-26:00", "24:30-02:00", "08:00-08:00", "xyz 08:00-09:00",
             "lun- 08:00-09:00", "lun 08:60-09:00"],
)  # fmt: skip
def test_what_is_not_hours_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="«"):
        parse_hours([text])
