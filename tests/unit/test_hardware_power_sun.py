"""The simulated plant behaves like a node in a park, and our estimate of its charge errs low."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.power import epever, victron
from hardware.power.far_words import mppt_fields, tracer_registers
from hardware.power.sag import SagWatch
from hardware.power.soc import TABLES, at_rest, blocks_of_12v, estimate_soc, power_state
from hardware.power.state import Cause, Confidence, Reading
from hardware.power.sun import SolarPlant


def from_registers(plant: SolarPlant) -> Reading:
    registers = tracer_registers(plant.truth())
    said = epever.reading(
        {
            first: [registers[first + n] for n in range(count)]
            for first, count in epever.ROUND.items()
        }
    )
    assert said is not None
    return said


def from_fields(plant: SolarPlant) -> Reading:
    said = victron.reading(mppt_fields(plant.truth()))
    assert said is not None
    return said


def test_a_clear_day_fills_the_battery_and_a_night_takes_some_back() -> None:
    plant = SolarPlant(soc=0.6, hour=5)
    plant.advance(12)
    at_dusk = plant.soc
    plant.advance(12)

    assert at_dusk > 0.95
    assert 0.7 < plant.soc < at_dusk


def test_a_dark_week_cuts_the_load_and_the_sun_returns_it() -> None:
    plant = SolarPlant(soc=0.9, load_w=14)
    plant.weather = "storm"
    seen = set()
    for _ in range(7 * 24):
        plant.advance(1)
        seen.add(plant.truth().load_on)
    assert seen == {True, False}

    plant.weather = "clear"
    plant.advance(30)
    assert plant.truth().load_on
    assert plant.soc > 0.3


def test_a_broken_battery_sags_under_a_small_load_and_holds_nothing() -> None:
    plant = SolarPlant(soc=0.8, hour=21)
    rested = plant.truth().battery_mv
    plant.break_battery()
    sagged = plant.truth().battery_mv
    plant.advance(6)

    assert rested - sagged > 800
    assert not plant.truth().load_on
    plant.new_battery()
    assert plant.truth().battery_mv > 12_400


def test_a_faded_battery_is_empty_sooner() -> None:
    new, old = SolarPlant(hour=20), SolarPlant(hour=20)
    old.fade(0.5)
    for plant in (new, old):
        plant.advance(9)

    assert (0.75 - old.soc) == pytest.approx(2 * (0.75 - new.soc), rel=0.15)


def test_the_same_seed_is_the_same_sky() -> None:
    one, two, other = SolarPlant(seed=4), SolarPlant(seed=4), SolarPlant(seed=5)
    for plant in (one, two, other):
        plant.weather = "cloudy"
        plant.advance(30)

    assert one.truth() == two.truth() != other.truth()


def test_the_estimate_follows_a_week_of_mixed_weather_within_fifteen_points_or_errs_low() -> None:
    plant = SolarPlant(hour=0)
    high, low = [], []
    for hour in range(7 * 24):
        plant.weather = ("clear", "cloudy", "clear", "storm")[hour // 30 % 4]  # type: ignore[assignment]  # a tuple of the right words
        plant.advance(1)
        estimate = estimate_soc(from_fields(plant), "agm")
        assert estimate is not None
        high.append(estimate - plant.truth().soc_percent)
        low.append(plant.truth().soc_percent - estimate)

    assert max(high) <= 10
    assert max(low) <= 22


def test_at_night_the_estimate_is_right_within_five_points() -> None:
    for soc in (0.1, 0.3, 0.5, 0.7, 0.9):
        plant = SolarPlant(soc=soc, hour=22)
        estimate = estimate_soc(from_fields(plant), "agm")
        assert estimate is not None
        assert abs(estimate - soc * 100) <= 5


@pytest.mark.parametrize("battery", TABLES)
def test_the_tables_rise_from_nothing_to_full(battery: str) -> None:
    table = TABLES[battery]

    assert table[0][1] == 0
    assert table[-1][1] == 100
    assert [at_rest(mv, battery) for mv, _ in table] == [percent for _, percent in table]
    assert list(table) == sorted(table)
    assert at_rest(0, battery) == 0
    assert at_rest(99_999, battery) == 100


@pytest.mark.parametrize(
    ("battery_mv", "blocks"), [(12_600, 1), (25_200, 2), (50_400, 4), (3_700, None), (90_000, None)]
)
def test_a_battery_of_24_or_48_volts_is_the_same_in_series(
    battery_mv: int, blocks: int | None
) -> None:
    assert blocks_of_12v(battery_mv) == blocks
    expected = None if blocks is None else at_rest(12_600, "agm")
    assert estimate_soc(Reading(battery_mv), "agm") == expected


def test_what_says_nothing_is_unknown_and_what_is_stated_is_measured() -> None:
    assert power_state(Reading(3_000), 0.1, "agm").confidence is Confidence.UNKNOWN
    assert power_state(Reading(12_600), 0.1, "agm").confidence is Confidence.ESTIMATED
    stated = power_state(Reading(12_600, soc_percent=41), 0.1, "agm")
    assert (stated.soc_percent, stated.confidence) == (41, Confidence.MEASURED)


def test_a_charging_battery_is_never_called_full_before_it_floats() -> None:
    charging = Reading(14_300, battery_ma=2_000, is_charging=True)

    assert estimate_soc(charging, "agm") == 90
    assert estimate_soc(Reading(13_200, battery_ma=6_000, is_charging=True), "agm") == 80
    assert estimate_soc(Reading(13_650, is_floating=True), "agm") == 100


def test_registers_carry_the_plant_both_ways_of_the_sign() -> None:
    plant = SolarPlant(hour=22)
    night = from_registers(plant)
    plant.hour = 12
    plant.advance(0)
    noon = from_registers(plant)

    assert night.battery_ma is not None
    assert night.battery_ma < 0 == night.solar_w
    assert noon.battery_ma is not None
    assert noon.battery_ma > 4_000
    assert (noon.battery_mv, noon.soc_percent) == (plant.truth().battery_mv, 75)


@pytest.mark.parametrize(
    ("battery", "charging", "cause"),
    [
        (0, 0, None),
        (1, 0, Cause.BATTERY_OVERVOLTAGE),
        (2, 0, Cause.BATTERY_LOW),
        (3, 0, Cause.LOAD_OFF),
        (4, 0, Cause.BATTERY_FAILING),
        (0x0100, 0, Cause.BATTERY_FAILING),
        (0x10, 0, Cause.BATTERY_TEMPERATURE),
        (0, 0x0100, Cause.LOAD_SHORT),
        (0, 0x0010, Cause.PANEL_FAULT),
        (0, 0x8000, Cause.PANEL_FAULT),
        (0, 0x4000, None),
        (0, 0x1000, Cause.CONTROLLER_FAULT),
        (0, 0x0002, None),
    ],
)
def test_status_bits_of_a_tracer_become_causes(
    battery: int, charging: int, cause: Cause | None
) -> None:
    registers = tracer_registers(SolarPlant().truth())
    registers[epever.STATUS], registers[epever.STATUS + 1] = battery, charging
    said = epever.reading(
        {
            first: [registers[first + n] for n in range(count)]
            for first, count in epever.ROUND.items()
        }
    )

    assert said is not None
    assert said.cause == cause


def test_no_two_questions_of_a_round_have_answers_of_one_length() -> None:
    lengths = list(epever.ROUND.values())

    assert len(set(lengths)) == len(lengths)


def test_a_collapse_is_a_failing_battery_and_a_slow_night_is_not() -> None:
    slow, sudden = SagWatch(), SagWatch()
    for second in range(600):
        assert not slow.see(Reading(12_400 - 2 * second), float(second))
    assert not sudden.see(Reading(12_450), 0.0)
    assert sudden.see(Reading(11_300), 1.0)
    assert sudden.see(Reading(12_450), 300.0)
    assert not sudden.see(Reading(12_450), 700.0)


def test_a_battery_that_says_it_is_charged_at_a_voltage_that_is_empty_is_failing() -> None:
    assert SagWatch().see(Reading(11_500, soc_percent=80), 0.0)
    assert not SagWatch().see(Reading(11_500, soc_percent=9), 0.0)
    assert SagWatch().see(Reading(23_000, soc_percent=80), 0.0)


@pytest.mark.parametrize("battery", TABLES)
def test_the_technicians_page_holds_the_table_of_the_program(battery: str) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/controlador-solar.md").read_text()
    rows = "\n".join(f"| {percent} | {mv} |" for mv, percent in TABLES[battery])

    assert f"| % | {battery} (mV) |\n|---|---|\n{rows}\n" in page
