"""What hostapd says, what may be logged of it, and what a technician sees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.sections import SectionProblem
from captive_portal.wifi.control import (
    AirStatus,
    OnAir,
    parse_stations,
    parse_status,
    plain_mac,
    unescape,
    without_devices,
)
from captive_portal.wifi.events import StationCounter
from captive_portal.wifi.plan import NOTE_TEXT, Cause, NoPlan, Note, make_plan
from captive_portal.wifi.profile import WifiProfile, parse_wifi
from captive_portal.wifi.radio import parse_radios
from captive_portal.wifi.report import report_lines, report_of
from captive_portal.wifi.system import Interface, Silent, ask, isolate_ports, look_at

MAC = "02:00:00:00:01:00"
ANY_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
STATUS = f"""\
state=ENABLED
phy=phy0
freq=2462
channel=11
bss[0]=wlan0
bssid[0]={MAC}
ssid[0]=Plaza \\xc3\\xb1 \\"$(id)\\" #1
num_sta[0]=2
bss[1]=plaza-owe
ssid[1]=owe-1a13
num_sta[1]=1
"""


def test_a_status_is_read_with_its_networks() -> None:
    status = parse_status(STATUS)

    assert status == AirStatus(
        "ENABLED",
        11,
        2462,
        (OnAir("wlan0", 'Plaza ñ "$(id)" #1', 2), OnAir("plaza-owe", "owe-1a13", 1)),
    )
    assert status.stations == 3


@pytest.mark.parametrize("text", ["", "FAIL\n", "UNKNOWN COMMAND\n", "channel=6\n"])
def test_what_is_no_status_is_none(text: str) -> None:
    assert parse_status(text) is None


@given(st.text(max_size=300))
def test_any_answer_is_read_without_an_error(text: str) -> None:
    parse_status(text)
    parse_status(f"state=ENABLED\n{text}")
    parse_stations(text)
    unescape(text)


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("plaza", "plaza"),
        ("\\xc3\\xb1", "ñ"),
        ('a\\"b\\\\c', 'a"b\\c'),
        ("\\e[31m", "\033[31m"),
        ("\\xff", "\N{REPLACEMENT CHARACTER}"),
        ("\\q", "\\q"),
    ],
)
def test_names_are_read_as_hostapd_prints_them(shown: str, name: str) -> None:
    assert unescape(shown) == name


def test_stations_are_the_lines_that_are_addresses() -> None:
    text = "02:00:00:00:01:00\n02:00:00:00:02:0A\nOK\n02:00:00:00:03\n"

    assert parse_stations(text) == ("02:00:00:00:01:00", "02:00:00:00:02:0a")


@pytest.mark.parametrize("bad", ["", "all", "02:00:00:00:01", f"{MAC} reason=1", f"{MAC}\n", "-h"])
def test_only_a_hardware_address_is_handed_to_the_program(bad: str) -> None:
    with pytest.raises(ValueError, match="not a hardware address"):
        plain_mac(bad)


def test_an_address_has_one_form() -> None:
    assert plain_mac("02-AB-00-00-01-00") == "02:ab:00:00:01:00"


LINES = [
    (f"wlan0: AP-STA-CONNECTED {MAC}", ""),
    (f"wlan0: AP-STA-DISCONNECTED {MAC}", ""),
    (f"wlan0: CTRL-EVENT-SAE-UNKNOWN-PASSWORD-IDENTIFIER {MAC}", ""),
    (f"plaza-staff: AP-STA-POSSIBLE-PSK-MISMATCH {MAC}", ""),
    (f"wlan0: AP-REJECTED-MAX-STA {MAC}", ""),
    ("wlan0: AP-ENABLED ", "wlan0: AP-ENABLED"),
    ("wlan0: interface state COUNTRY_UPDATE->ENABLED", "wlan0: interface state COUNTRY_UPDATE->ENABLED"),
    (f'Using interface wlan0 with hwaddr {MAC} and ssid "x"',
     'Using interface wlan0 with hwaddr (device) and ssid "x"'),
    ("Line 3: unknown configuration item 'x'\033[2J", "Line 3: unknown configuration item 'x' [2J"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "logged"), LINES)
def test_each_line_of_hostapd_is_logged_only_without_a_device(line: str, logged: str) -> None:
    assert StationCounter().feed(line + "\n") == logged


def test_stations_are_counted_and_summed_up() -> None:
    counter = StationCounter()
    for line, _ in [LINES[0], LINES[0], LINES[1], LINES[4]]:
        counter.feed(line)

    assert str(counter.take()) == "devices: 1 now, joined 2, left 1, refused 1"
    assert counter.take().is_quiet
    counter.restarted()
    assert str(counter.take()) == "devices: 0 now, joined 0, left 1"


def test_a_network_that_comes_on_the_air_is_noticed() -> None:
    counter = StationCounter()
    counter.feed("plaza-owe: AP-ENABLED ")

    assert counter.enabled == {"plaza-owe"}


@given(
    st.lists(st.text(max_size=30) | st.just(MAC) | st.just("wlan0: AP-"), max_size=8).map("".join)
)
def test_nothing_that_is_logged_holds_a_hardware_address(line: str) -> None:
    logged = StationCounter().feed(line)

    assert not ANY_MAC.search(logged)
    assert logged.isprintable() or logged == ""
    assert not ANY_MAC.search(without_devices(line))


def _sysfs(folder: Path, name: str, **files: str) -> Path:
    for path, text in files.items():
        file = folder / name / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    return folder


def test_an_interface_is_seen_with_its_radio_and_driver(tmp_path: Path) -> None:
    _sysfs(tmp_path, "wlan0", flags="0x1003", carrier="1", phy80211__name="phy0")
    (tmp_path / "drivers/brcmfmac").mkdir(parents=True)
    (tmp_path / "wlan0/device").mkdir()
    (tmp_path / "wlan0/device/driver").symlink_to(tmp_path / "drivers/brcmfmac")

    assert look_at("wlan0", tmp_path) == Interface(
        "wlan0", True, up=True, carrier=True, driver="brcmfmac", phy="phy0"
    )


@pytest.mark.parametrize("name", ["nada", "../wlan0", "wlan0/x", "", "."])
def test_what_is_no_interface_is_only_absent(name: str, tmp_path: Path) -> None:
    _sysfs(tmp_path, "wlan0", flags="zz")

    assert look_at(name, tmp_path) == Interface(name, exists=False)
    assert look_at("wlan0", tmp_path) == Interface("wlan0", exists=True)


def test_ports_that_are_isolated_already_are_left_alone(tmp_path: Path) -> None:
    _sysfs(tmp_path, "br-guest", brif__wlan0="", brif__eth1="")
    _sysfs(tmp_path, "wlan0", brport__isolated="1")
    _sysfs(tmp_path, "eth1", brport__isolated="1")

    assert isolate_ports("br-guest", tmp_path) == ("eth1", "wlan0")


def test_a_program_that_is_missing_or_fails_is_a_value() -> None:
    missing = ask(["plaza-no-such-program"])
    failed = ask(["ip", "link", "show", "dev", "no-such-dev"])

    assert missing == Silent("plaza-no-such-program is not installed")
    assert isinstance(failed, Silent)
    assert "ip ended with" in failed.why


def _profile(**keys: object) -> WifiProfile:
    profile = parse_wifi(keys)
    assert not isinstance(profile, SectionProblem)
    return profile


GUEST = Interface("br-guest", True, up=True, carrier=True, ports=("eth1",))
RADIO = Interface("wlan0", True, up=True, driver="brcmfmac", phy="phy0")
PI = parse_radios((Path(__file__).parents[1] / "golden/iw/brcmfmac_pi4.txt").read_text())[0]


def test_a_working_radio_shows_its_networks_its_capacity_and_the_warning() -> None:
    air = parse_status(STATUS)
    assert air is not None
    plan = make_plan(_profile(), PI, "br-guest", "brcmfmac")
    report = report_of(_profile(), GUEST, RADIO, PI, plan, air)

    assert report.works
    assert report_lines(report) == [
        "radio wlan0 (brcmfmac): ENABLED, channel 11",
        '  Plaza ñ "$(id)" #1\t2 devices\twlan0',
        "  owe-1a13\t1 devices\tplaza-owe",
        "devices: 3 of at most 8",
        f"note: {NOTE_TEXT[Note.SMALL_RADIO]}",
    ]
    assert report.plain()["capacity"] == 8
    assert not ANY_MAC.search(str(report.plain()))


@pytest.mark.parametrize(
    ("interface", "plan", "air", "words"),
    [
        (Interface("wlan0", False), NoPlan(Cause.NO_RADIO), Silent("x"), "no interface wlan0"),
        (RADIO, NoPlan(Cause.NO_ACCESS_POINT, "phy0"), Silent("x"), "cannot be an access point"),
        (RADIO, None, Silent("timed out"), "does not answer (timed out)"),
        (RADIO, None, AirStatus("DISABLED", 0, 0, ()), "not on the air yet (DISABLED)"),
    ],
)
def test_what_is_wrong_with_a_radio_is_said(
    interface: Interface, plan: NoPlan | None, air: AirStatus | Silent, words: str
) -> None:
    made = plan or make_plan(_profile(), PI, "br-guest")
    report = report_of(_profile(), GUEST, interface, PI, made, air)

    assert not report.works
    assert words in report.trouble
    assert report_lines(report)[-1].startswith("trouble: ")


@pytest.mark.parametrize(
    ("guest", "works", "words"),
    [
        (GUEST, True, "cable on br-guest, up"),
        (Interface("br-guest", True, up=True), False, "no carrier"),
        (Interface("br-guest", False), False, "no interface br-guest"),
    ],
)
def test_a_wired_site_is_judged_by_its_cable(guest: Interface, works: bool, words: str) -> None:
    report = report_of(
        _profile(mode="wired"),
        guest,
        Interface("", False),
        None,
        NoPlan(Cause.WIRED),
        Silent("none"),
    )

    assert report.works is works
    assert words in "\n".join(report_lines(report))
