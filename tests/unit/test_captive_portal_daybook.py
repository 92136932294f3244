"""A visitor's day by pseudonym: it outlives the portal's process, not the boot, and ends when it is over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from captive_portal.admission import Used
from captive_portal.day_use_file import LEAST_LINES, DayUseFile
from captive_portal.daybook import DayBook
from captive_portal.simulator import SimulatedClock
from captive_portal.wiring import _day_use
from municipio.clock import TimeQuality

ZONE = ZoneInfo("America/Mexico_City")
TOMORROW = datetime(2026, 1, 21, 6, 1, tzinfo=UTC)
PHONE = "0123456789"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


def book(path: Path, clock: SimulatedClock) -> DayBook:
    """As a process that just started."""
    return DayBook(clock, ZONE, DayUseFile(path))


def test_a_portal_that_starts_again_knows_the_day_and_the_pause(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    file = tmp_path / "day-use"
    before = book(file, clock)
    before.add(PHONE, 600, 5_000, rest_s=900)
    before.add(PHONE, 60, 500)
    clock.pass_seconds(30)

    after = book(file, clock)

    assert after.used(PHONE) == before.used(PHONE)
    assert after.used(PHONE).seconds == 660
    assert after.used(PHONE).rest_until_ms == 60_000 + 900_000
    after.add(PHONE, 40, 0)
    assert book(file, clock).used(PHONE).seconds == 700


def test_a_reboot_begins_everybody_anew(tmp_path: Path, clock: SimulatedClock) -> None:
    file = tmp_path / "day-use"
    book(file, clock).add(PHONE, 600, 5_000)
    clock.boot = "the next"

    assert book(file, clock).used(PHONE) == Used()
    assert not file.exists()


@pytest.mark.parametrize("trusted", [True, False])
def test_when_the_day_is_over_nothing_of_it_is_left_in_the_file(
    tmp_path: Path, clock: SimulatedClock, trusted: bool
) -> None:
    clock.quality = TimeQuality.SYNCED if trusted else TimeQuality.UNKNOWN
    file = tmp_path / "day-use"
    kept = book(file, clock)
    kept.add(PHONE, 600, 5_000)
    kept.forget_the_past()
    assert PHONE in file.read_text()
    if trusted:
        clock.moment = TOMORROW
    else:
        clock.pass_seconds(24 * 3600)

    kept.forget_the_past()

    assert list(tmp_path.iterdir()) == []
    assert len(kept) == 0


def test_a_pause_goes_on_over_midnight_and_the_ration_does_not(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    kept = book(tmp_path / "day-use", clock)
    kept.add(PHONE, 600, 5_000, rest_s=900)
    clock.moment = TOMORROW
    kept.forget_the_past()

    after = book(tmp_path / "day-use", clock).used(PHONE)

    assert (after.seconds, after.bytes, after.rest_until_ms) == (0, 0, 960_000)


def test_the_file_stays_short_and_private_and_holds_pseudonyms_alone(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    file = tmp_path / "day-use"
    kept = book(file, clock)
    for number in range(3 * LEAST_LINES):
        kept.add(f"{number % 10:010x}", 1, 1)

    assert len(file.read_bytes().splitlines()) <= LEAST_LINES + 22
    assert file.stat().st_mode & 0o777 == 0o600
    assert book(file, clock).used(f"{3:010x}").seconds == 3 * LEAST_LINES // 10


@pytest.mark.parametrize(
    "content", [b"", b"\xff\n", b'"boot-de-demostracion"\n["0123456789",null,6', b"[]\n"]
)
def test_a_damaged_file_keeps_nobody_out(
    tmp_path: Path, clock: SimulatedClock, content: bytes
) -> None:
    (tmp_path / "day-use").write_bytes(content)
    kept = book(tmp_path / "day-use", clock)
    kept.add(PHONE, 5, 5)

    assert book(tmp_path / "day-use", clock).used(PHONE).seconds == 5


def test_where_nothing_can_be_written_the_day_is_in_memory(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    kept = book(tmp_path / "nowhere" / "day-use", clock)
    kept.add(PHONE, 5, 5)

    assert kept.used(PHONE).seconds == 5


def test_only_a_gate_whose_names_outlive_the_portal_has_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert _day_use("nft") is None
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/run/other")
    assert _day_use("memory") is None
    made = _day_use("nft")
    assert made is not None
    made.load("b")
