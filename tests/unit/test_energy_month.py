"""A simulated month with the node's own policy: what it must show, and that it would show the contrary."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.energy import Band, Wake
from plaza.commands.energy import energy
from plaza.energy_mind import Rules
from plaza.energy_month import OPEN_HOURS, Month, Setting, simulate, sky_of
from plaza.energy_month_ledger import LedgerMemory
from plaza.energy_plan import Hours, wanted_now
from plaza.energy_promises import promises_of
from plaza.energy_site import ALL_ON, Loads, Site, drawn_w, site_of
from plaza.energy_wake import BRINGS_BACK, Proof


class Counter:
    """A memory that forgets nothing."""

    def __init__(self) -> None:
        self.kept = 0

    def record(self, minute: int) -> None:
        self.kept += 1

    def cut(self) -> None:
        pass


def rules(wake: Wake, *, proven: bool = True) -> Rules:
    proof = Proof(wake, 1, 1) if proven and wake in BRINGS_BACK else Proof()
    return Rules(wake, OPEN_HOURS, proof=proof)


def broken(month: Month) -> list[str]:
    return [p.said for p in promises_of(month, month.facts, "") if not p.held]


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["sunny", "mixed", "rainy"]),
    st.booleans(),
    st.sampled_from(list(Wake)),
    st.integers(0, 10_000),
)
def test_no_sky_and_no_battery_breaks_a_promise(
    weather: str, failing: bool, wake: Wake, seed: int
) -> None:
    month = simulate(Setting(9, weather, failing, seed, rules=rules(wake)), Counter())
    said = broken(month)
    if failing or wake in BRINGS_BACK or month.cuts:
        # With these the scripted dawn may find the node without current: nothing came before a cut.
        said = [s for s in said if "antes del corte" not in s]
    assert said == []


@pytest.mark.parametrize("wake", [Wake.NONE, Wake.CONTROLLER_VOLTAGE])
def test_the_sun_returns_before_the_cut_and_the_node_serves_without_a_visit(wake: Wake) -> None:
    month = simulate(Setting(6, "sunny", rules=rules(wake)), Counter())
    assert (month.returns_before_cut, month.cuts, month.halts) == (1, 0, 0)
    assert month.moments[-1].kiosk or month.moments[-1].band is not Band.GUARD
    assert broken(month) == []


def test_a_node_that_halts_where_only_a_cut_would_wake_it_is_dark_for_ever_and_the_month_says_so() -> (
    None
):
    lie = Setting(6, "sunny", rules=rules(Wake.RTC_ALARM), wake_is=Wake.CONTROLLER_VOLTAGE)
    month = simulate(lie, Counter())
    assert month.halts == 1
    assert month.halted_h > 26
    assert "Nunca se apagó sin algo que lo encendiera" in broken(month)


def test_a_declared_path_that_was_never_seen_to_work_does_not_fool_the_node() -> None:
    declared = rules(Wake.RTC_ALARM, proven=False)
    lie = Setting(6, "sunny", rules=declared, wake_is=Wake.CONTROLLER_VOLTAGE)
    month = simulate(lie, Counter())
    assert month.halts == 0
    assert broken(month) == []


def test_a_board_with_an_alarm_serves_longer_in_the_rain_than_one_that_must_rest_awake() -> None:
    awake = simulate(Setting(12, "rainy", seed=3, rules=rules(Wake.NONE)), Counter())
    alarm = simulate(Setting(12, "rainy", seed=3, rules=rules(Wake.RTC_ALARM)), Counter())
    assert alarm.halts > 0
    assert alarm.kiosk_h >= awake.kiosk_h


def test_every_fact_told_to_a_person_outlives_cuts_that_tear_the_last_write(tmp_path: Path) -> None:
    memory = LedgerMemory(tmp_path, seed=4)
    try:
        month = simulate(Setting(9, "rainy", True, 1, rules=rules(Wake.EXTERNAL_TIMER)), memory)
        kept, trouble = memory.check()
    finally:
        memory.close()
    assert month.cuts >= 9, "the timer takes the current away every night"
    assert (kept, trouble) == (month.facts, "")


def test_the_same_seed_is_the_same_month() -> None:
    one, other = (simulate(Setting(4, "mixed", seed=7), Counter()) for _ in range(2))
    assert one.moments == other.moments
    assert sky_of("rainy", 30, 7) == sky_of("rainy", 30, 7)
    assert sky_of("rainy", 30, 7) != sky_of("rainy", 30, 8)


def test_each_band_draws_less_than_the_one_above() -> None:
    loads = Loads()
    drawn = [drawn_w(wanted_now(b, Hours(), None, 0.0), loads) for b in Band]
    assert drawn == sorted(drawn, reverse=True)
    assert drawn_w(None, loads) == drawn_w(ALL_ON, loads)


def test_a_site_is_read_and_a_wrong_key_is_named() -> None:
    assert site_of({"panel_wp": 320, "loads": {"radio": 6}}) == Site(320.0, loads=Loads(radio=6.0))
    for document in ({"panel": 3}, {"loads": {"tv": 3}}, {"panel_wp": "much"}, {"soc": 0}):
        with pytest.raises(ValueError, match="«"):
            site_of(document)


def test_the_command_plays_a_month_draws_it_and_answers_by_its_exit_code(tmp_path: Path) -> None:
    chart = tmp_path / "month.svg"
    asked = CliRunner().invoke(
        energy, ["simulate", "--days", "4", "--weather", "sunny", "--chart", str(chart), "--json"]
    )
    assert asked.exit_code == 0, asked.output
    document = json.loads(asked.output)
    assert document["held"]
    assert document["facts"] == document["facts_kept"]
    drawn = ET.parse(chart).getroot()
    assert drawn.tag.endswith("svg")
    assert "mes de sol" in "".join(drawn.itertext())
