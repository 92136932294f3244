"""hostapd's configuration file from a checked plan. No I/O here.

Each line is made of a fixed word and a value that is a number, a name of the interface alphabet, hex
digits, or the staff's passphrase, whose alphabet has no space, no line end and no `|`. A network's name
goes as hex (`ssid2`), so that it has no syntax at all.
"""

from __future__ import annotations

import re
from pathlib import Path

from captive_portal.wifi.plan import Network, WifiPlan
from captive_portal.wifi.profile import Band

CONTROL_DIR = Path("/run/plaza-wifi/control")

_LINE = re.compile(r"[a-z0-9_]{1,40}=[!-~]{1,128}")


def render_hostapd(plan: WifiPlan, control: Path = CONTROL_DIR) -> str:
    """The whole file; it holds the staff's passphrase, so only root may read it."""
    first, *others = plan.networks
    lines = [f"interface={first.interface}", *_radio(plan), *_network(first, plan, control)]
    for network in others:
        lines += [f"bss={network.interface}", *_network(network, plan, control)]
    for line in lines:
        # A second lock on the same door: no value brings a space or a line end with it.
        assert _LINE.fullmatch(line), f"{line.partition('=')[0]} has an unexpected value"
    return "# Written by `plaza wifi`: edit the site file instead.\n" + "\n".join(lines) + "\n"


def _radio(plan: WifiPlan) -> list[str]:
    five = plan.band is Band.GHZ_5
    lines = [
        "driver=nl80211",
        f"country_code={plan.country}",
        "ieee80211d=1",
        f"hw_mode={'a' if five else 'g'}",
        f"channel={plan.channel}",
        "ieee80211n=1",
        "wmm_enabled=1",
    ]
    if plan.wide:
        lines.append(f"ht_capab=[HT40{'+' if plan.wide > 0 else '-'}]")
    if plan.vht:
        lines += ["ieee80211ac=1", "vht_oper_chwidth=0"]
    return lines


def _network(network: Network, plan: WifiPlan, control: Path) -> list[str]:
    lines = [
        f"ctrl_interface={control}",
        # Its own log names devices by their address; what is worth telling comes as events.
        "logger_syslog=0",
        "logger_stdout=0",
        f"ssid2={network.ssid.encode().hex()}",
        "utf8_ssid=1",
        "auth_algs=1",
        "ap_isolate=1",
        "ap_max_inactivity=300",
        "disassoc_low_ack=1",
    ]
    if network.bridge:
        lines.insert(0, f"bridge={network.bridge}")
    if plan.max_stations:
        lines.append(f"max_num_sta={plan.max_stations}")
    if network.twin:
        lines.append(f"owe_transition_ifname={network.twin}")
    if network.kind == "owe":
        lines += ["ignore_broadcast_ssid=1", *_protected("OWE")]
    if network.kind == "staff":
        lines += [*_protected("SAE"), "sae_require_mfp=1", "sae_pwe=2"]
        lines.append(f"sae_password={network.passphrase}")
    return lines


def _protected(key_management: str) -> list[str]:
    return ["wpa=2", f"wpa_key_mgmt={key_management}", "rsn_pairwise=CCMP", "ieee80211w=2"]
