"""Nine days of a node in an ejido, without signal and on the sun. Each docstring is a promise."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from municipio.energy import Band
from plaza.demo.journal import Journal
from plaza.demo.processes import python_m, run_once
from plaza.demo.solar_stage import SUNNY, SolarStage
from plaza.demo.tour import Step, StepFailed, Walk
from plaza.demo.tour_steps import (
    back_home,
    collect,
    open_debt,
    the_node_starts,
    third_clave,
    waiting,
    without_network_a_pase_is_printed,
    without_network_a_report_gets_its_folio,
    without_network_a_visitor_accepts_and_reports,
)
from plaza.demo.world import StageWorld

DAYS = 9
STICK = "memoria"


def the_ejido_starts(walk: Walk) -> None:
    """A node on the sun starts with a charged battery: full band, everything on."""
    the_node_starts(walk)
    _reach(walk, Band.FULL, timeout_s=20)
    walk.expect(_stage(walk).wanted.screen_percent == 100, "the screen is at full light")


def the_signal_goes(walk: Walk) -> None:
    """Two days of sun without signal: a report and a visitor are served, and nothing is lost."""
    walk.stage.cut_network()
    walk.wait_text("Sin conexión", timeout_s=30)
    _pass_days(walk, 2)
    without_network_a_report_gets_its_folio(walk)
    without_network_a_visitor_accepts_and_reports(walk)
    walk.expect(waiting(walk) > 0, "what was said waits for the signal")


def clouds_come(walk: Walk) -> None:
    """Clouds: below 60 % the node saves, the screen dims, and a pase is still printed."""
    _sink(walk, Band.SAVE)
    walk.until(lambda: _stage(walk).wanted.screen_percent == 40, "the screen dims to 40 %", 20)
    open_debt(walk, third_clave(walk))
    without_network_a_pase_is_printed(walk)
    walk.picture("ahorro")


def the_reserve_takes_no_money(walk: Walk) -> None:
    """Below 35 % no payment is begun and the screen says why; a report still gets its folio."""
    _sink(walk, Band.RESERVE)
    asked = len(walk.stage.terminal.charges())
    open_debt(walk, third_clave(walk))
    walk.wait_text("poca energía", "Poca energía", timeout_s=15)
    card = next(t for t in walk.kiosk.targets()["targets"] if t["id"] == "pay.card")
    walk.expect(not card["enabled"], "the card cannot be chosen")
    walk.picture("reserva")
    without_network_a_report_gets_its_folio(walk)
    walk.expect(len(walk.stage.terminal.charges()) == asked, "the terminal was never asked")


def the_guard_rests(walk: Walk) -> None:
    """Below 15 % everything is off before the controller cuts, the ledger is whole, and nothing halts."""
    stage, before = _stage(walk), len(_facts(walk))
    _sink(walk, Band.GUARD)
    programs = (stage.kiosk, stage.portal, stage.sync)
    walk.until(lambda: not any(p.running for p in programs), "screen, portal and queue are off", 30)
    walk.until(lambda: not stage.wanted.antennas, "the radios are off", 20)
    walk.expect(stage.wanted.screen_percent == 0, "the screen is dark")
    walk.expect(stage.halts == 0, "the node did not halt: only a cut would wake it")
    walk.expect(not stage.was_cut, "the controller has not cut")
    _whole_ledger(walk)
    walk.expect(len(_facts(walk)) >= before, "no fact is gone")


def the_sun_returns(walk: Walk) -> None:
    """The sun returns before the cut, and the node serves again although nobody came."""
    stage = _stage(walk)
    stage.let_sun("clear")
    walk.expect(stage.wait_band(Band.SAVE, Band.FULL, timeout_s=60), "the battery recovers")
    stage.hold_sun()
    walk.until(lambda: stage.kiosk.running and stage.portal.running, "kiosk and portal are on", 30)
    stage.wait_kiosk()
    walk.wait_screen("home", timeout_s=30)
    walk.expect(not stage.was_cut, "no cut was needed to wake it")
    walk.picture("otra-vez")


def a_cold_boot_without_time(walk: Walk) -> None:
    """After a power cut nobody knows the time: debts are shown but not charged, reports are taken."""
    stage = _stage(walk)
    stage.power_cut()
    stage.lose_the_time()
    stage.power_up()
    walk.wait_screen("home", timeout_s=30)
    known = {f["id"] for f in _facts(walk)}
    _see_debt_without_time(walk)
    without_network_a_report_gets_its_folio(walk)
    fresh = [f for f in _facts(walk) if f["id"] not in known and f["lane"] == "rep"]
    walk.expect(bool(fresh), "the report is in the ledger")
    sure = {"synced", "rtc"}
    walk.expect(all(f["timequality"] not in sure for f in fresh), "no time is sworn to")


def a_stick_makes_the_trip(walk: Walk) -> None:
    """A stick takes everything to the city and brings its answers: the queue is empty without a signal."""
    stick = walk.stage.plan.home / STICK
    stick.mkdir()
    db = f"--db={walk.stage.plan.database_url}"
    run_once(python_m("central", "stick", str(stick), "--serial=USB-001", db))
    node = [*python_m("plaza", "sync", "stick", str(stick)), f"--data={walk.stage.plan.node}"]
    run_once(node)
    run_once(python_m("central", "import", str(stick), db))
    run_once(node)
    walk.until(lambda: waiting(walk) <= 1, "the city's answers empty the queue", timeout_s=20)
    _at_the_city_once(walk, but=1)
    walk.notes["stick_files"] = sum(1 for f in stick.rglob("*") if f.is_file())


def nine_days_have_passed(walk: Walk) -> None:
    """Nine days without signal have passed, and citizens are still served."""
    _pass_days(walk, max(0, DAYS - _stage(walk).day))
    walk.expect(_stage(walk).day >= DAYS, f"day {_stage(walk).day} of {DAYS}")
    back_home(walk)
    without_network_a_report_gets_its_folio(walk)
    walk.expect(waiting(walk) > 0, "it waits for the signal")


def the_signal_returns(walk: Walk) -> None:
    """The signal returns: what came after the stick arrives, every fact once, and the audit holds."""
    walk.stage.restore_network()
    walk.wait_text("En línea", timeout_s=60)
    walk.until(lambda: waiting(walk) == 0, "the queue empties", timeout_s=60)
    _at_the_city_once(walk)
    types = Counter(f["type"] for f in collect(walk))
    walk.expect(types["report.filed"] == 5, f"5 reports at the city, not {types['report.filed']}")
    walk.expect(types["payment.pase_issued"] == 1, "one pase at the city")
    walk.expect(types["terms.accepted"] == 1, "one acceptance at the city")
    walk.expect(types["payment.intended"] == 0, "no payment was begun")
    levels = [f["data"]["level"] for f in _facts(walk) if f["type"] == "energy.changed"]
    for band in (Band.SAVE, Band.RESERVE, Band.GUARD):
        walk.expect(band.value in levels, f"the city knows that the node was in {band.value}")
    _whole_ledger(walk)
    complaint = StageWorld(walk.stage, walk).audit()
    walk.expect(not complaint, complaint)
    walk.notes["facts"] = dict(types)
    walk.picture("en-linea")


EJIDO: tuple[Step, ...] = (
    the_ejido_starts,
    the_signal_goes,
    clouds_come,
    the_reserve_takes_no_money,
    the_guard_rests,
    the_sun_returns,
    a_cold_boot_without_time,
    a_stick_makes_the_trip,
    nine_days_have_passed,
    the_signal_returns,
)


def _stage(walk: Walk) -> SolarStage:
    stage = walk.stage
    assert isinstance(stage, SolarStage), "this tour is played on the sun"
    return stage


def _reach(walk: Walk, *bands: Band, timeout_s: float) -> None:
    stage = _stage(walk)
    if not stage.wait_band(*bands, timeout_s=timeout_s):
        truth = stage.sun.truth()
        raise StepFailed(
            f"the node is in {stage.band} on day {truth.day} at {truth.soc_percent} %,"
            f" not in {' or '.join(bands)}\n{stage.energy.tail()}"
        )


def _sink(walk: Walk, band: Band) -> None:
    """Clouds until the node is in this band; then the sun stands still for the person."""
    stage = _stage(walk)
    stage.let_sun("cloudy")
    try:
        _reach(walk, band, timeout_s=90)
        walk.notes[f"day_of_{band}"] = stage.day
    finally:
        stage.hold_sun()


def _pass_days(walk: Walk, days: int) -> None:
    stage = _stage(walk)
    goal = stage.day + days
    stage.let_sun("clear", SUNNY)
    try:
        walk.until(lambda: stage.day >= goal, f"day {goal} comes", timeout_s=30 + days * 20)
    finally:
        stage.hold_sun()


def _see_debt_without_time(walk: Walk) -> None:
    walk.tap_to("home.predial", "predial_clave")
    walk.type("predial.key", third_clave(walk))
    walk.tap("predial.continue")
    if walk.wait_screen("predial_beneficio", "predial_adeudo") == "predial_beneficio":
        walk.tap_to("beneficio.no", "predial_adeudo")
    walk.wait_text("no está seguro de la fecha", timeout_s=15)
    offered = {t["id"] for t in walk.kiosk.targets()["targets"]}
    walk.expect("pay.card" not in offered, "no payment is offered while the date is not sure")
    walk.picture("sin-hora")
    back_home(walk)


def _facts(walk: Walk) -> list[dict[str, Any]]:
    return Journal.of(walk.stage).facts()


def _whole_ledger(walk: Walk) -> None:
    argv = [*python_m("plaza", "sync", "verify", "--json"), f"--data={walk.stage.plan.node}"]
    found = json.loads(run_once(argv))
    walk.expect(not found["problems"], f"the ledger is whole, not {found['problems']}")


def _at_the_city_once(walk: Walk, but: int = 0) -> None:
    """Every fact of the node is at the city, once; `but`: so many newest vitals may be on their way."""
    at_city = Counter(f["id"] for f in collect(walk))
    doubled = [i for i, times in at_city.items() if times > 1]
    walk.expect(not doubled, f"{len(doubled)} facts are twice at the city")
    missing = [f for f in _facts(walk) if f["id"] not in at_city]
    vital = all(f["lane"] == "vit" for f in missing)
    walk.expect(len(missing) <= but and vital, f"{[f['type'] for f in missing]} did not arrive")
