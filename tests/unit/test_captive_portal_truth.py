"""The words for time, and the colours."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from captive_portal.service_note import STALE_MS, ServiceToday, read_service, service_file
from captive_portal.theme import DEFAULT_PRIMARY, contrast, primary_color, style_sheet
from captive_portal.truth import duration_words, tell
from municipio.clock import Instant, TimeQuality
from municipio.usecases.ports import LinkReport, LinkState

ZONE = ZoneInfo("America/Mexico_City")
NOW = Instant(datetime(2026, 1, 20, 18, 0, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("2026-01-20T15:05:00.000Z", "hoy, 09:05"),
        ("2026-01-20T05:59:00.000Z", "ayer, 23:59"),
        ("2026-01-02T18:00:00.000Z", "02/01/2026, 12:00"),
        ("", ""),
        ("no es fecha", ""),
    ],
)
def test_since_when_in_the_citys_own_time(since: str, words: str) -> None:
    told = tell(LinkReport(LinkState.OFFLINE, 0, since=since), NOW, ZONE, str)

    assert told.since == words


def test_without_a_believable_clock_no_time_is_claimed() -> None:
    unsure = Instant(NOW.time, TimeQuality.FLOOR, "boot", 1)
    link = LinkReport(LinkState.OFFLINE, 3, since="2026-01-20T15:05:00.000Z")

    assert tell(link, unsure, ZONE, str).since == ""


def test_an_unknown_link_is_neither_up_nor_down() -> None:
    told = tell(LinkReport(LinkState.UNKNOWN, 0), NOW, ZONE, str)

    assert (told.is_down, told.is_unknown) == (False, True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(7200, "2 horas"), (7199, "1 h 59 min"), (3600, "1 hora"), (59, "menos de un minuto")],
)
def test_time_left_is_never_rounded_up(seconds: int, words: str) -> None:
    assert duration_words(seconds, str) == words


def test_a_citys_colour_is_used_only_when_it_can_be_read() -> None:
    assert primary_color("#FFCC00") == DEFAULT_PRIMARY
    assert primary_color("red; } body {") == DEFAULT_PRIMARY
    assert primary_color("#5B2C83") == "#5B2C83"
    assert b"#5B2C83" in style_sheet("#5B2C83")
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("ground", ["#F6F4EF", "#FFFFFF", "#FFF1D0", "#FBE6E1", "#E2F2EA"])
@pytest.mark.parametrize("ink", ["#10243A", "#0B4F8A"])
def test_text_is_legible_on_every_ground(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 6.5
    assert contrast("#3D4F63", ground) >= 4.5


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (None, ""),
        (ServiceToday("", "21:00"), "Por la batería, hoy hay servicio hasta las 21:00."),
        (ServiceToday("07:00", "19:00"), "Por la batería, hoy hay servicio de 07:00 a 19:00."),
    ],
)
def test_the_hours_that_a_battery_leaves_are_said(today: ServiceToday | None, words: str) -> None:
    assert tell(LinkReport(LinkState.ONLINE, 0), NOW, ZONE, str, today=today).hours == words


def test_what_waits_is_what_people_asked_for_when_that_is_known() -> None:
    """Of 40 facts that wait, three are requests; the rest are acceptances and the node's own news."""
    told = tell(LinkReport(LinkState.OFFLINE, 40, requests=3), NOW, ZONE, str)
    old = tell(LinkReport(LinkState.OFFLINE, 40), NOW, ZONE, str)

    assert told.waiting == "3 solicitudes esperan aquí para enviarse."
    assert old.waiting == "40 solicitudes esperan aquí para enviarse."


def _note(**changes: object) -> bytes:
    note = {"since": "07:00", "until": "19:00", "boot": "b", "written_boot_ms": 1000}
    return json.dumps(note | changes).encode()


@pytest.mark.parametrize(
    ("note", "hours"),
    [
        (_note(), ServiceToday("07:00", "19:00")),
        (_note(since=""), ServiceToday("", "19:00")),
        (_note(boot="another"), None),
        (_note(written_boot_ms=-STALE_MS), None),
        (_note(written_boot_ms=10_000), None),
        (_note(until="25:00"), None),
        (_note(until="<b>"), None),
        (_note(since=7), None),
        (b"{", None),
        (b"\xff\xfe", None),
        (b"[" * 5000, None),
    ],
)
def test_hours_are_believed_only_from_a_whole_and_fresh_note(
    tmp_path: Path, note: bytes, hours: ServiceToday | None
) -> None:
    class Clock:
        def now(self) -> Instant:
            return Instant(NOW.time, TimeQuality.SYNCED, "b", 5000)

    file = service_file(tmp_path)
    ask = read_service(file, Clock())
    assert ask() is None

    file.write_bytes(note)
    assert ask() == hours
