"""What radios say of themselves, and what the site gets out of each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.wifi.plan import (
    CAUSE_TEXT,
    NOTE_TEXT,
    Cause,
    NoPlan,
    Note,
    WifiPlan,
    make_plan,
)
from captive_portal.wifi.profile import WifiProfile, parse_wifi
from captive_portal.wifi.radio import Radio, parse_radios

SAMPLES = Path(__file__).parents[1] / "golden/iw"
STAFF = {"ssid": "Tec", "passphrase": "correcto-caballo"}


def _radio(name: str) -> Radio:
    (radio,) = parse_radios((SAMPLES / f"{name}.txt").read_text())
    return radio


def _profile(**keys: object) -> WifiProfile:
    profile = parse_wifi(keys)
    assert isinstance(profile, WifiProfile)
    return profile


@pytest.mark.parametrize(
    ("name", "networks", "sae", "protects", "wide", "bands"),
    [
        ("brcmfmac_pi4", 1, False, True, {"2.4", "5"}, {"2.4", "5"}),
        ("mt7612u", 2, True, True, {"2.4", "5"}, {"2.4", "5"}),
        ("ar9271", 2, True, True, {"2.4"}, {"2.4"}),
        ("mac80211_hwsim", 2048, True, True, {"2.4", "5"}, {"2.4", "5"}),
    ],
)
def test_each_radio_is_read_for_what_it_is(
    name: str, networks: int, sae: bool, protects: bool, wide: set[str], bands: set[str]
) -> None:
    radio = _radio(name)

    assert radio.access_points == networks
    assert (radio.sae, radio.protects_management) == (sae, protects)
    assert radio.wide_bands == wide
    assert {f.band for f in radio.frequencies if f.band} == bands


def test_channels_keep_what_the_kernel_says_of_them() -> None:
    radio = _radio("brcmfmac_pi4")
    seen = {c: radio.frequency("5", c) for c in (36, 52, 149)}

    assert [f and (f.disabled, f.listen_only, f.radar) for f in seen.values()] == [
        (False, False, False), (False, True, True), (False, True, False),
    ]  # fmt: skip
    unused = radio.frequency("2.4", 14)
    assert unused is not None
    assert unused.disabled
    assert radio.frequency("5", 14) is None


def test_newer_versions_print_tenths_of_a_megahertz_and_the_most_stations() -> None:
    (radio,) = parse_radios(
        "Wiphy phy0\n\tBand 1:\n\t\tFrequencies:\n\t\t\t* 2412.0 MHz [1] (20.0 dBm)\n"
        "\tMaximum associated stations in AP mode: 32\n"
    )

    assert [f.channel for f in radio.frequencies] == [1]
    assert radio.max_stations == 32


def test_several_radios_come_in_their_order() -> None:
    text = "".join(
        (SAMPLES / f"{n}.txt").read_text() for n in ("brcmfmac_pi4", "mt7612u", "ar9271")
    )

    assert [r.phy for r in parse_radios(text)] == ["phy0", "phy1", "phy2"]


def test_a_station_only_radio_is_no_access_point() -> None:
    (radio,) = parse_radios("Wiphy phy0\n\tSupported interface modes:\n\t\t * managed\n")

    assert radio.access_points == 0
    assert make_plan(WifiProfile(), radio, "br-guest") == NoPlan(Cause.NO_ACCESS_POINT, "phy0")


def test_without_combinations_there_is_room_for_one_network() -> None:
    (radio,) = parse_radios(
        "Wiphy phy0\n\tSupported interface modes:\n\t\t * AP\n"
        "\tinterface combinations are not supported\n"
    )

    assert radio.access_points == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_output_never_raises(data: st.DataObject) -> None:
    lines = _SAMPLE.split("\n")
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(
            st.sampled_from(
                [lines[at][: len(lines[at]) // 2], lines[at] * 2, "", "\t\t\t* 99999 MHz"]
            )
            | st.text(max_size=60)
        )
    for radio in parse_radios("\n".join(lines)):
        plan = make_plan(_profile(security="owe", staff=STAFF), radio, "br-guest")
        assert isinstance(plan, WifiPlan | NoPlan)


_SAMPLE = (SAMPLES / "mt7612u.txt").read_text()


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(parse_radios(text), tuple)
    assert isinstance(parse_radios(f"Wiphy phy0\n{text}"), tuple)


def test_a_huge_output_is_cut() -> None:
    assert len(parse_radios("Wiphy phy0\n" * 100_000)) == 16


def _kinds(plan: WifiPlan | NoPlan) -> list[str]:
    assert isinstance(plan, WifiPlan)
    return [n.kind for n in plan.networks]


@pytest.mark.parametrize(
    ("name", "kinds", "notes"),
    [
        # The board's own radio makes one network and shows no SAE: visitors come first.
        ("brcmfmac_pi4", ["open"], {Note.OWE_LEFT_OUT, Note.STAFF_LEFT_OUT}),
        # Two networks: the encrypted twin of the visitors before the staff.
        ("mt7612u", ["open", "owe"], {Note.STAFF_LEFT_OUT}),
        ("ar9271", ["open", "owe"], {Note.STAFF_LEFT_OUT}),
        ("mac80211_hwsim", ["open", "owe", "staff"], set()),
    ],
)
def test_a_network_is_made_only_where_the_radio_can(
    name: str, kinds: list[str], notes: set[Note]
) -> None:
    plan = make_plan(_profile(security="owe", staff=STAFF), _radio(name), "br-guest")

    assert _kinds(plan) == kinds
    assert isinstance(plan, WifiPlan)
    assert set(plan.notes) == notes


def test_without_the_twin_there_is_room_for_the_staff() -> None:
    plan = make_plan(_profile(staff=STAFF), _radio("mt7612u"), "br-guest")

    assert _kinds(plan) == ["open", "staff"]


def test_a_radio_without_management_protection_gets_neither_twin_nor_staff() -> None:
    (radio,) = parse_radios(_SAMPLE.replace("\t\t* CMAC (00-0f-ac:6)\n", ""))

    assert _kinds(make_plan(_profile(security="owe", staff=STAFF), radio, "br-guest")) == ["open"]


def test_the_two_ends_of_the_transition_name_each_other_and_share_the_bridge() -> None:
    plan = make_plan(_profile(security="owe"), _radio("mt7612u"), "br-guest")
    assert isinstance(plan, WifiPlan)
    seen, hidden = plan.networks

    assert (seen.twin, hidden.twin) == (hidden.interface, seen.interface)
    assert seen.bridge == hidden.bridge == "br-guest"
    assert seen.ssid != hidden.ssid


def test_without_a_bridge_there_is_no_twin() -> None:
    plan = make_plan(_profile(security="owe"), _radio("mt7612u"), "wlan0")
    assert isinstance(plan, WifiPlan)

    assert _kinds(plan) == ["open"]
    assert plan.networks[0].bridge == ""
    assert Note.OWE_LEFT_OUT in plan.notes


@pytest.mark.parametrize(
    ("keys", "channel"),
    [
        ({}, 6),
        ({"channel": 11}, 11),
        ({"band": "5"}, 149),
        ({"band": "5", "width_mhz": 40}, 149),
        ({"band": "5", "channel": 44}, 44),
    ],
)
def test_the_channel_is_the_sites_or_the_best_that_the_radio_has(
    keys: dict[str, object], channel: int
) -> None:
    plan = make_plan(_profile(**keys), _radio("mt7612u"), "br-guest")
    assert isinstance(plan, WifiPlan)

    assert plan.channel == channel


def test_a_channel_that_may_be_sent_on_is_better_than_one_that_may_only_be_heard() -> None:
    plan = make_plan(_profile(band="5"), _radio("brcmfmac_pi4"), "br-guest")
    assert isinstance(plan, WifiPlan)

    assert plan.channel == 36
    assert Note.LISTEN_ONLY not in plan.notes
    forced = make_plan(_profile(band="5", channel=149), _radio("brcmfmac_pi4"), "br-guest")
    assert isinstance(forced, WifiPlan)
    assert Note.LISTEN_ONLY in forced.notes


def test_a_band_that_the_radio_lacks_makes_no_plan() -> None:
    plan = make_plan(_profile(band="5"), _radio("ar9271"), "br-guest")

    assert plan == NoPlan(Cause.NO_CHANNEL, "5 GHz, any")


def test_the_boards_own_radio_is_limited_and_says_so() -> None:
    plan = make_plan(_profile(max_stations=50), _radio("brcmfmac_pi4"), "br-guest", "brcmfmac")
    assert isinstance(plan, WifiPlan)

    assert plan.max_stations == 8
    assert {Note.SMALL_RADIO, Note.FEWER_STATIONS} <= set(plan.notes)
    assert "about 8 devices" in NOTE_TEXT[Note.SMALL_RADIO]


def test_what_the_driver_says_is_the_limit() -> None:
    (radio,) = parse_radios(_SAMPLE + "\tMaximum associated stations in AP mode: 32\n")
    plans = [make_plan(_profile(max_stations=n), radio, "br-guest") for n in (0, 20, 40)]

    assert [p.max_stations for p in plans if isinstance(p, WifiPlan)] == [32, 20, 32]


@pytest.mark.parametrize(
    ("keys", "cause"),
    [
        ({"mode": "wired"}, Cause.WIRED),
        ({"staff": {**STAFF, "bridge": "br-guest"}}, Cause.SAME_BRIDGE),
    ],
)
def test_what_cannot_be_made_has_its_cause(keys: dict[str, object], cause: Cause) -> None:
    plan = make_plan(_profile(**keys), _radio("mt7612u"), "br-guest")

    assert isinstance(plan, NoPlan)
    assert plan.cause is cause
    assert CAUSE_TEXT[cause] in str(plan)


def test_a_missing_radio_is_named() -> None:
    assert "wlan0" in str(make_plan(WifiProfile(), None, "br-guest"))


def test_every_note_and_cause_has_its_words() -> None:
    assert set(NOTE_TEXT) == set(Note)
    assert set(CAUSE_TEXT) == set(Cause)
