"""Real hostapd reads what we write: with driver "none" it parses the whole file and needs no radio."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.sections import SectionProblem
from captive_portal.wifi.control import AirStatus
from captive_portal.wifi.hostapd_conf import render_hostapd
from captive_portal.wifi.plan import Network, WifiPlan, make_plan
from captive_portal.wifi.profile import Band, parse_wifi
from captive_portal.wifi.radio import parse_radios
from captive_portal.wifi.system import HostapdCli, Silent

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
RADIO = (Path(__file__).parents[1] / "golden/iw/mac80211_hwsim.txt").read_text()

pytestmark = [
    pytest.mark.skipif(
        shutil.which("hostapd", path=PATH) is None, reason="NOT RUN: hostapd is missing"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: hostapd wants root"),
]


def _plan(**keys: object) -> WifiPlan:
    profile = parse_wifi(keys)
    assert not isinstance(profile, SectionProblem), profile
    plan = make_plan(profile, parse_radios(RADIO)[0], "br-guest")
    assert isinstance(plan, WifiPlan)
    return plan


@contextmanager
def _hostapd(text: str) -> Iterator[tuple[HostapdCli, subprocess.Popen[str]]]:
    """hostapd with this file on no radio at all."""
    with tempfile.TemporaryDirectory(prefix="plaza-hostapd-") as folder:
        conf = Path(folder) / "hostapd.conf"
        conf.write_text(text.replace("CONTROL", f"{folder}/control"))
        process = subprocess.Popen(
            ["hostapd", str(conf)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": PATH},
        )  # fmt: skip
        try:
            yield HostapdCli("lo", Path(folder) / "control"), process
        finally:
            process.terminate()
            process.communicate(timeout=20)


def _without_radio(plan: WifiPlan) -> str:
    """The same file for the loop-back interface and no driver."""
    text = render_hostapd(plan, Path("CONTROL"))
    text = text.replace("interface=wlan0\n", "interface=lo\n", 1).replace(
        "driver=nl80211", "driver=none"
    )
    return text.replace("bridge=br-guest\n", "").replace("ifname=wlan0", "ifname=lo")


def _status(cli: HostapdCli, process: subprocess.Popen[str]) -> AirStatus:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(
                f"hostapd refused the file: {process.stdout.read() if process.stdout else ''}"
            )
        status = cli.status()
        if not isinstance(status, Silent):
            return status
        time.sleep(0.02)
    pytest.fail("hostapd did not answer")


ssids = (
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=32)
    | st.text("ab \"'#=\\$`;|&<>%{}\n".replace("\n", ""), min_size=1, max_size=32)
    | st.sampled_from(["$(reboot)", "a;b|c&d", '"', "#", "x=y", "P\"a\\x00\"", "ñandú ☀", "%n%s"])
).map(str.strip)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(ssids)
def test_any_name_that_is_taken_reaches_the_air_as_it_is(ssid: str) -> None:
    profile = parse_wifi({"ssid": ssid})
    if isinstance(profile, SectionProblem):
        return
    with _hostapd(_without_radio(_plan(ssid=ssid))) as (cli, process):
        status = _status(cli, process)

        assert [n.ssid for n in status.networks] == [ssid]


@settings(max_examples=15, deadline=None)
@given(
    st.text("".join(chr(c) for c in range(0x21, 0x7F) if chr(c) != "|"), min_size=12, max_size=63)
)
def test_any_passphrase_that_is_taken_is_one_value_of_one_line(secret: str) -> None:
    plan = _plan(ssid="Plaza", security="owe", staff={"ssid": "Tec", "passphrase": secret})
    text = _without_radio(plan)
    assert text.count("\n") == render_hostapd(_plan(
        ssid="Plaza", security="owe", staff={"ssid": "Tec", "passphrase": "correcto-caballo"},
    )).count("\n") - 2  # fmt: skip
    with _hostapd(text) as (cli, process):
        status = _status(cli, process)

        assert [n.interface for n in status.networks] == ["lo", "plaza-owe", "plaza-staff"]
        assert status.networks[2].ssid == "Tec"


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"band": "5", "channel": 149, "width_mhz": 40},
        {"band": "5", "channel": 40, "width_mhz": 40},
        {"max_stations": 8, "security": "owe"},
        {
            "security": "owe",
            "staff": {"ssid": "T", "passphrase": "correcto-caballo", "bridge": "br-tec"},
        },
    ],
)
def test_every_kind_of_site_is_a_file_that_hostapd_takes(keys: dict[str, object]) -> None:
    with _hostapd(_without_radio(_plan(**keys))) as (cli, process):
        assert _status(cli, process).networks[0].ssid == "Plaza-Demo"


def test_a_kick_of_nobody_is_told_as_such() -> None:
    with _hostapd(_without_radio(_plan())) as (cli, process):
        _status(cli, process)

        assert cli.kick("02:00:00:00:01:00") == 0


def test_without_hostapd_every_question_is_answered_with_why(tmp_path: Path) -> None:
    cli = HostapdCli("lo", tmp_path / "control")

    assert isinstance(cli.status(), Silent)
    assert isinstance(cli.kick("02:00:00:00:01:00"), Silent)
    assert isinstance(HostapdCli("-h", tmp_path).status(), Silent)


def test_a_value_that_slipped_past_the_checks_stops_the_file() -> None:
    plan = WifiPlan(6, Band.GHZ_2_4, "MX", 0, False, 0, (Network("wlan0\nssid=x", "p", "open"),))
    with pytest.raises(AssertionError, match="interface has an unexpected value"):
        render_hostapd(plan)
