"""The `[wifi]` section: what is taken, what is refused and why, and that no value can be more than itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.sections import SectionProblem
from captive_portal.wifi.channels import LEGAL, PREFERRED, channel_problem, frequency_mhz
from captive_portal.wifi.profile import (
    Band,
    Mode,
    Security,
    StaffNetwork,
    WifiProfile,
    parse_wifi,
)

STAFF = {"ssid": "Plaza-Tec", "passphrase": "correcto-caballo"}


def test_an_empty_section_is_a_valid_small_site() -> None:
    assert parse_wifi({}) == WifiProfile()


def test_every_key_is_taken() -> None:
    profile = parse_wifi(
        {
            "ssid": "Plaza ñandú ☀", "mode": "radio", "interface": "wlx00c0caabcdef",
            "country": "MX", "band": "5", "channel": 149, "width_mhz": 40, "security": "owe",
            "max_stations": 60, "staff": {**STAFF, "bridge": "br-staff"},
        }
    )  # fmt: skip

    assert profile == WifiProfile(
        "Plaza ñandú ☀", Mode.RADIO, "wlx00c0caabcdef", "MX", Band.GHZ_5, 149, 40,
        Security.OWE, 60, StaffNetwork("Plaza-Tec", "correcto-caballo", "br-staff"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("doc", "key", "words"),
    [
        ({"sside": "x"}, "sside", "unknown key"),
        ({"ssid": ""}, "ssid", "1 to 32 bytes"),
        ({"ssid": "ñ" * 17}, "ssid", "1 to 32 bytes"),
        ({"ssid": "a\nssid=b"}, "ssid", "printable"),
        ({"ssid": "a\u202eb"}, "ssid", "printable"),
        ({"ssid": " a"}, "ssid", "space at its ends"),
        ({"ssid": 5}, "ssid", "printable"),
        ({"mode": "mesh"}, "mode", "radio, wired"),
        ({"interface": "wlan0\n"}, "interface", "network interface"),
        ({"interface": "-wlan0"}, "interface", "network interface"),
        ({"interface": "plaza-owe"}, "interface", "given by this program"),
        ({"interface": "wlan0;id"}, "interface", "network interface"),
        ({"country": "US"}, "country", "MX"),
        ({"band": 5}, "band", "2.4, 5"),
        ({"channel": True}, "channel", "whole number"),
        ({"channel": 12}, "channel", "many phones sold in Mexico"),
        ({"channel": 14}, "channel", "not a legal channel"),
        ({"channel": 36}, "channel", "not a legal channel of 2.4 GHz"),
        ({"band": "5", "channel": 52}, "channel", "radars"),
        ({"band": "5", "channel": 169}, "channel", "not a legal channel of 5 GHz"),
        ({"band": "5", "channel": 165, "width_mhz": 40}, "channel", "no neighbour"),
        ({"width_mhz": 40}, "width_mhz", "2.4 GHz"),
        ({"width_mhz": 80}, "width_mhz", "20 or 40"),
        ({"security": "wep"}, "security", "open, owe"),
        ({"max_stations": -1}, "max_stations", "0 to 2007"),
        ({"staff": "secret"}, "staff", "[wifi.staff]"),
        ({"staff": {"ssid": "x"}}, "staff.passphrase", "missing"),
        ({"staff": {**STAFF, "passphrase": "corta"}}, "staff.passphrase", "12 to 63"),
        ({"staff": {**STAFF, "passphrase": "larga|vlanid=1"}}, "staff.passphrase", "without |"),
        ({"staff": {**STAFF, "pasphrase": "x"}}, "staff.pasphrase", "unknown key"),
        ({"staff": {**STAFF, "ssid": "Plaza-Demo"}}, "staff.ssid", "differ"),
        ({"staff": STAFF, "mode": "wired"}, "staff", "access points"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_the_reason(
    doc: dict[str, Any], key: str, words: str
) -> None:
    problem = parse_wifi(doc)

    assert isinstance(problem, SectionProblem)
    assert problem.key == key
    assert words in problem.message


def test_a_misspelt_key_names_the_nearest_one() -> None:
    assert parse_wifi({"chanel": 6}) == SectionProblem("chanel", "unknown key", "wifi.channel")


@given(st.text(max_size=40))
def test_a_refused_passphrase_is_never_repeated_and_a_taken_one_never_shown(secret: str) -> None:
    result = parse_wifi({"staff": {"ssid": "T", "passphrase": f"#secreta#{secret}"}})

    assert "#secreta#" not in repr(result)


@given(
    st.dictionaries(
        st.sampled_from(["ssid", "mode", "interface", "band", "channel", "staff", "otro"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_any_section_gives_a_profile_or_a_problem(doc: dict[str, Any]) -> None:
    result = parse_wifi(doc)

    assert isinstance(result, WifiProfile | SectionProblem)
    if isinstance(result, WifiProfile):
        assert result.ssid.isprintable()
        assert len(result.ssid.encode()) <= 32


@pytest.mark.parametrize("band", ["2.4", "5"])
def test_the_preferred_channels_are_the_legal_ones_in_another_order(band: str) -> None:
    assert sorted(PREFERRED[band]) == sorted(LEGAL[band])
    assert all(channel_problem(band, c) == "" for c in PREFERRED[band])


def test_frequencies_are_those_of_the_standard() -> None:
    assert [frequency_mhz("2.4", c) for c in (1, 6, 11)] == [2412, 2437, 2462]
    assert [frequency_mhz("5", c) for c in (36, 149, 165)] == [5180, 5745, 5825]
