"""Coming in by the site's rules, and carrying the rest of a visit to another device."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from captive_portal.admission import Closed, DayUsedUp, Full, Resting, Spent
from captive_portal.day_use_file import DayUseFile
from captive_portal.door import (
    TRIES_ALL,
    TRIES_EACH,
    Connected,
    Door,
    NoTerms,
    TooManyTries,
    WrongCode,
)
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.visits import Visit
from captive_portal.hours import parse_hours
from captive_portal.pseudonym import DayKey
from captive_portal.resume import ResumeBook
from captive_portal.simulator import SimulatedCatalogue, SimulatedClock, SimulatedLedger
from captive_portal.site import SiteProfile
from municipio.clock import TimeQuality
from municipio.usecases.ports import NotRecorded, NotRecordedCause

PHONE, OTHER, THIRD = "10.66.0.10", "10.66.0.11", "10.66.0.12"


@dataclass
class Park:
    clock: SimulatedClock
    gate: MemoryGate
    ledger: SimulatedLedger
    door: Door
    sha256: str

    def enter(self, ip: str = PHONE) -> Any:
        return self.door.enter(ip, "es", self.sha256)

    def resume(self, ip: str, typed: str) -> Any:
        return self.door.resume(ip, "es", self.sha256, typed)

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(fact) for fact in self.ledger.facts]


def park(day_use: Path | None = None, former: Park | None = None, **rules: Any) -> Park:
    """With `former` its portal starts again: the clock, the gate and the file of the day go on."""
    clock = former.clock if former else SimulatedClock()
    profile = replace(SiteProfile(), **rules)
    gate = former.gate if former else MemoryGate(clock.ms, DayKey(clock.ms), profile.max_devices)
    ledger, catalogue = SimulatedLedger(clock), SimulatedCatalogue()
    door = Door(
        profile=profile,
        gate=gate,
        ledger=ledger,
        catalogue=catalogue,
        clock=clock,
        zone=ZoneInfo("America/Mexico_City"),
        codes=ResumeBook(None, clock),
        day_use=DayUseFile(day_use) if day_use else None,
    )
    terms = catalogue.terms("es")
    assert terms is not None
    return Park(clock, gate, ledger, door, terms.sha256)


def test_a_visit_has_the_sites_time_and_bytes() -> None:
    here = park(session_s=600, session_bytes=5_000_000)

    entered = here.enter()

    assert isinstance(entered, Connected)
    assert (entered.visit.seconds_left, entered.visit.bytes_left) == (600, 5_000_000)
    assert [f["type"] for f in here.facts()] == ["terms.accepted"]


def test_terms_that_were_not_shown_let_nobody_in() -> None:
    here = park()

    assert here.door.enter(PHONE, "es", "0" * 64) == NoTerms()
    assert here.gate.visits() == ()


def test_what_is_not_on_disk_opens_nothing() -> None:
    here = park()
    here.ledger.refuse = NotRecorded(NotRecordedCause.DISK_FULL, "full")

    assert isinstance(here.enter(), NotRecorded)
    assert here.gate.visits() == ()


def test_the_day_ends_by_time_used_and_begins_again_at_midnight() -> None:
    here = park(session_s=600, daily_s=900)
    here.enter()
    here.clock.pass_seconds(600)
    second = here.enter()
    assert second.visit.seconds_left == 300
    here.clock.pass_seconds(300)

    refused = here.enter()

    assert isinstance(refused, DayUsedUp)
    assert refused.what is Spent.TIME
    assert 0 < refused.resets_in_s <= 24 * 3600
    here.clock.moment = datetime(2026, 1, 21, 6, 1, tzinfo=UTC)
    assert isinstance(here.enter(), Connected)


def test_the_day_ends_by_bytes_used() -> None:
    here = park(session_s=600, daily_bytes=1_000_000)
    assert here.enter().visit.bytes_left == 1_000_000
    here.gate.spend(PHONE, 600_000)
    here.clock.pass_seconds(600)
    assert here.enter().visit.bytes_left == 400_000
    here.gate.spend(PHONE, 400_000)

    refused = here.enter()

    assert isinstance(refused, DayUsedUp)
    assert refused.what is Spent.BYTES


def test_a_portal_that_starts_again_gives_nobody_another_day(tmp_path: Path) -> None:
    rules = {"session_s": 600, "daily_s": 900, "cool_down_s": 300}
    here = park(tmp_path / "day-use", **rules)
    here.enter()
    here.clock.pass_seconds(600)
    here.door.settle()

    again = park(tmp_path / "day-use", here, **rules)

    assert isinstance(again.enter(), Resting)
    again.clock.pass_seconds(300)
    assert again.enter().visit.seconds_left == 300
    again.clock.pass_seconds(600)
    assert isinstance(park(tmp_path / "day-use", again, **rules).enter(), DayUsedUp)


def test_an_unbelieved_clock_still_ends_the_day_after_24_hours() -> None:
    here = park(session_s=600, daily_s=600)
    here.clock.quality = TimeQuality.UNKNOWN
    here.enter()
    here.clock.pass_seconds(600)
    refused = here.enter()
    assert isinstance(refused, DayUsedUp)

    here.clock.pass_seconds(refused.resets_in_s)

    assert isinstance(here.enter(), Connected)


def test_after_a_visit_one_rests_but_not_after_a_technician_ended_it() -> None:
    here = park(session_s=600, cool_down_s=300)
    here.enter()
    here.clock.pass_seconds(600)
    assert here.enter() == Resting(300)
    here.clock.pass_seconds(299)
    assert here.enter() == Resting(1)
    here.clock.pass_seconds(1)
    assert isinstance(here.enter(), Connected)

    here.enter(OTHER)
    here.gate.revoke(OTHER)
    assert isinstance(here.enter(OTHER), Connected)


def test_a_full_network_says_so_and_a_place_that_is_free_is_given() -> None:
    here = park(session_s=600, max_devices=2)
    here.enter(PHONE)
    here.enter(OTHER)

    assert here.enter(THIRD) == Full(2)
    assert isinstance(here.enter(PHONE), Connected), "who is inside stays inside"
    here.gate.revoke(OTHER)
    assert isinstance(here.enter(THIRD), Connected)
    assert here.door.counters.read()["refused_full"] == 1


def test_a_gate_that_is_full_by_its_own_count_is_a_full_network() -> None:
    here = park(session_s=600)
    small = MemoryGate(here.clock.ms, DayKey(here.clock.ms), 1)
    here.door._gate = small
    small.grant(OTHER, 600)

    assert isinstance(here.enter(), Full)


def test_outside_open_hours_nobody_comes_in_and_a_visit_ends_at_closing_time() -> None:
    here = park(open_hours=parse_hours(["06:00-12:30"]), session_s=7200)
    assert here.enter().visit.seconds_left == 30 * 60  # 12:00 in Mexico City
    here.clock.moment = datetime(2026, 1, 20, 18, 30, tzinfo=UTC)

    refused = here.enter(OTHER)

    assert isinstance(refused, Closed)
    assert refused.opens is not None
    assert refused.opens.strftime("%a %H:%M") == "Wed 06:00"


def test_a_clock_that_nobody_believes_closes_nothing() -> None:
    here = park(open_hours=parse_hours(["03:00-04:00"]))
    here.clock.quality = TimeQuality.FLOOR

    assert isinstance(here.enter(), Connected)


def test_near_its_end_a_visit_can_be_begun_anew() -> None:
    here = park(session_s=3600)
    here.enter()
    here.clock.pass_seconds(2000)
    assert here.enter().visit.seconds_left == 1600
    code = here.door.code_for(PHONE)
    here.clock.pass_seconds(1100)
    assert here.enter().visit.seconds_left == 3600
    assert len(here.facts()) == 2
    here.door.settle()
    here.door.checkpoint()
    assert here.resume(OTHER, code).visit.seconds_left == 3600, "its code is good for the new visit"


def test_nobody_goes_around_the_rest_or_the_day_by_extending() -> None:
    rests = park(session_s=3600, cool_down_s=600)
    rests.enter()
    rests.clock.pass_seconds(3500)
    assert rests.enter().visit.seconds_left == 100

    limited = park(session_s=3600, daily_s=3600)
    limited.enter()
    limited.clock.pass_seconds(3500)
    assert limited.enter().visit.seconds_left == 100
    limited.clock.pass_seconds(110)
    assert isinstance(limited.enter(), DayUsedUp)


def test_a_code_moves_the_rest_and_leaves_nothing_behind() -> None:
    here = park(session_s=600, session_bytes=1_000_000)
    here.enter(PHONE)
    here.gate.spend(PHONE, 300_000)
    code = here.door.code_for(PHONE)
    here.clock.pass_seconds(100)

    moved = here.resume(OTHER, code)

    assert isinstance(moved, Connected)
    assert (moved.visit.seconds_left, moved.visit.bytes_left) == (500, 700_000)
    assert not here.gate.look(PHONE).is_open
    back = here.resume(PHONE, code)
    assert (back.visit.seconds_left, back.visit.bytes_left) == (500, 700_000)
    assert [f["data"].get("resumed") for f in here.facts()] == [None, True, True]


def test_a_code_needs_the_terms_too() -> None:
    here = park()
    here.enter(PHONE)
    code = here.door.code_for(PHONE)

    assert here.door.resume(OTHER, "es", "0" * 64, code) == NoTerms()
    assert here.gate.look(PHONE).is_open


def test_after_a_power_cut_the_code_brings_back_what_was_last_written() -> None:
    here = park(session_s=600)
    here.enter(PHONE)
    code = here.door.code_for(PHONE)
    here.clock.pass_seconds(60)
    here.door.checkpoint()
    here.clock.boot, here.clock.boot_ms = "after the cut", 1000
    here.door._gate = MemoryGate(here.clock.ms, DayKey(here.clock.ms))

    again = here.resume(OTHER, code)

    assert again.visit.seconds_left == 540


def test_a_visit_that_is_over_leaves_its_code_empty() -> None:
    here = park(session_s=600, session_bytes=1000)
    here.enter(PHONE)
    code = here.door.code_for(PHONE)
    here.gate.spend(PHONE, 1000)

    assert here.resume(OTHER, code) == WrongCode()


def test_a_device_that_moves_here_gives_up_its_own_visit_and_code() -> None:
    here = park(session_s=600)
    here.enter(PHONE)
    mine = here.door.code_for(PHONE)
    here.clock.pass_seconds(100)
    here.enter(OTHER)
    its_own = here.door.code_for(OTHER)

    moved = here.resume(OTHER, mine)

    assert moved.visit.seconds_left == 500
    assert len(here.gate.visits()) == 1
    assert here.resume(THIRD, its_own) == WrongCode()
    assert isinstance(here.resume(THIRD, mine), Connected)


def test_guessing_is_slow_for_one_device_and_for_all_of_them() -> None:
    here = park()
    here.enter(PHONE)
    code = here.door.code_for(PHONE)
    for _ in range(TRIES_EACH):
        assert here.resume(OTHER, "luna luna luna luna") == WrongCode()
    assert here.resume(OTHER, code) == TooManyTries()
    for n in range(TRIES_ALL - TRIES_EACH):
        assert here.resume(f"10.66.1.{n // 5}", "no words") == WrongCode()
    assert here.resume(THIRD, code) == TooManyTries()
    here.clock.pass_seconds(TooManyTries().wait_s)
    assert isinstance(here.resume(THIRD, code), Connected)


def test_closed_and_full_hold_for_codes_too() -> None:
    full = park(session_s=600, max_devices=1)
    full.enter(PHONE)
    code = full.door.code_for(PHONE)
    assert isinstance(full.resume(OTHER, code), Connected), "moving takes no other place"
    full.clock.boot = "after a cut"
    full.door._gate = MemoryGate(full.clock.ms, DayKey(full.clock.ms), 1)
    full.door._gate.grant(THIRD, 600)
    assert isinstance(full.resume(PHONE, code), Full)

    shut = park(open_hours=parse_hours(["06:00-12:30"]))
    shut.enter(PHONE)
    code = shut.door.code_for(PHONE)
    shut.clock.moment = datetime(2026, 1, 20, 19, 0, tzinfo=UTC)
    assert isinstance(shut.resume(OTHER, code), Closed)


def test_who_has_no_visit_gets_no_code() -> None:
    assert park().door.code_for(PHONE) == ""


@pytest.mark.parametrize(("visitors", "told"), [(4, None), (5, 5)])
def test_the_hours_totals_name_nobody_and_small_counts_are_left_unsaid(
    visitors: int, told: int | None
) -> None:
    here = park(session_s=600)
    for n in range(visitors):
        here.enter(f"10.66.2.{n + 1}")
    devices = [v.device for v in here.gate.visits() if isinstance(v, Visit)]
    here.clock.pass_seconds(600)
    here.door.settle()
    here.clock.moment = datetime(2026, 1, 20, 19, 0, tzinfo=UTC)

    here.door.tell_hour()

    counted, ended = here.facts()[visitors:]
    assert (counted["type"], ended["type"]) == ("visit.counted", "visit.ended")
    assert counted["data"]["hour"] == "2026-01-20T18"
    assert counted["data"]["accepted"] == counted["data"]["devices"] == told
    assert counted["data"]["languages"] == (None if told is None else {"es": 5})
    assert ended["data"]["visits"] == told
    assert ended["data"]["minutes"] == (None if told is None else 50)
    assert not any(device in json.dumps([counted, ended]) for device in devices)


def test_an_hour_in_which_nothing_happened_says_nothing() -> None:
    here = park()
    here.clock.moment = datetime(2026, 1, 20, 19, 0, tzinfo=UTC)

    here.door.tell_hour()

    assert here.facts() == []


def test_what_people_look_up_is_told_as_totals_once_five_did() -> None:
    here = park()
    for _ in range(5):
        here.door.consulted("acta-de-nacimiento")
    for _ in range(4):
        here.door.consulted("apoyo-por-violencia")
    here.clock.moment = datetime(2026, 1, 20, 19, 0, tzinfo=UTC)

    here.door.tell_hour()

    (told,) = here.facts()
    assert told["type"] == "tramite.consulted"
    assert (told["lane"], told["data"]["channel"]) == ("vit", "portal")
    assert told["data"]["consulted"] == {"acta-de-nacimiento": 5}
