"""The street: runs as root inside the virtual node, on simulated radios. One result line a step.

The node is the real one: our systemd units, hostapd, dnsmasq, nftables and the portal. Phones are radios
of their own in network namespaces; the Internet is a namespace behind the uplink.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import tools
from steps import eventually, run, tell, tell_steps
from tools import Phone, plaza, write

SSID = 'Plaza ñ "$(id)" #1'
STAFF = ("Plaza-Tec", "correcto-caballo")
GATEWAY, INTERNET = "10.66.0.1", "203.0.113.10"
API = "https://plaza.example.org/captive-portal/api"
QUOTA = 1024 * 1024
SITE = f"""\
name = "Plaza virtual (demostración)"
url = "http://{GATEWAY}"
[visit]
session_s = 3600
session_bytes = {QUOTA}
[network]
guest = "br-guest"
uplink = "up0"
ipv4 = "10.66.0.0/22"
checks = ["{INTERNET}:80"]
[capport]
url = "{API}"
[wifi]
ssid = '{SSID}'
interface = "wlan0"
security = "owe"
channel = 11
max_stations = 20
[wifi.staff]
ssid = "{STAFF[0]}"
passphrase = "{STAFF[1]}"
"""
SETTINGS = """\
[portal]
gate = "nft"
listen = "10.66.0.1:8380"
public_url = "http://10.66.0.1"
interface = "br-guest"
uplink = "up0"
"""
NODE = (
    "plaza-firewall-open", "plaza-gate", "plaza-filter-config", "plaza-names", "plaza-filter",
    "plaza-portal",
)  # fmt: skip
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
phones: dict[str, Phone] = {}


def the_kernel_makes_four_radios() -> dict[str, Any]:
    run("modprobe", "mac80211_hwsim", "radios=4")
    eventually(lambda: Path("/sys/class/net/wlan3").exists())
    return {
        "kernel": run("uname", "-r").strip(),
        "uptime": Path("/proc/uptime").read_text().split()[0],
    }


def there_is_an_internet_behind_an_uplink() -> None:
    run("ip", "netns", "add", "net")
    run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", "net")
    run("ip", "addr", "add", "203.0.113.1/24", "dev", "up0")
    run("ip", "link", "set", "up0", "up")
    for words in (("addr", "add", f"{INTERNET}/24", "dev", "eth0"), ("link", "set", "eth0", "up"),
                  ("link", "set", "lo", "up")):  # fmt: skip
        run("ip", "-n", "net", *words)
    assert FORWARDING.read_text().strip() == "0", "it carries packets before the gate stands"
    assert "policy drop" in run("nft", "list", "chain", "inet", "plaza_node", "input")
    tools.netns_process("net", tools.PYTHON, str(tools.HERE / "internet.py"), INTERNET)
    names = Path("/run/street/net.dnsmasq")
    names.write_text(f"no-hosts\nno-resolv\nuser=root\npid-file=\naddress=/#/{INTERNET}\n")
    tools.netns_process("net", "dnsmasq", "--keep-in-foreground", f"--conf-file={names}")


def a_site_file_is_all_that_is_configured() -> dict[str, Any]:
    write("/var/lib/plaza/site.toml", SITE)
    write("/var/lib/plaza/settings.toml", SETTINGS)
    run("chgrp", "plaza", "/var/lib/plaza/site.toml", "/var/lib/plaza/settings.toml")
    shown = plaza("wifi", "config")
    assert STAFF[1] not in shown, "the passphrase is shown"
    return {"lines": len(shown.splitlines())}


def the_wifi_unit_puts_three_networks_on_the_air() -> dict[str, Any]:
    began = time.monotonic()
    tools.systemctl("start", "plaza-wifi.service")
    eventually(lambda: Path("/sys/class/net/plaza-staff").exists(), 180)
    air = eventually(tools.on_air, 180)
    seconds = round(time.monotonic() - began, 2)
    status = tools.wifi_status()
    assert [n["ssid"] for n in status["networks"]][::2] == [SSID, STAFF[0]], status
    return {"on_air_s": seconds, "air": air, "status": status}


def the_gate_the_names_and_the_portal_start() -> dict[str, Any]:
    write("/etc/resolv.conf", f"nameserver {INTERNET}\n")
    for unit in NODE:
        tools.systemctl("start", f"{unit}.service")
    eventually(lambda: "open" in plaza("gate", "stats"), 240)
    eventually(lambda: FORWARDING.read_text().strip() == "1")
    ports = eventually(
        lambda: (t := run("ss", "-ltnH")) and ":8380" in t and ":5300" in t and t, 90
    )
    return {"listening": sorted({line.split()[3] for line in ports.splitlines()})}


def a_phone_sees_the_name_and_the_country() -> dict[str, Any]:
    phone = phones["ana"] = Phone("ana", "wlan1")
    run("ip", "-n", "ana", "link", "set", "wlan1", "up")
    seen = eventually(
        lambda: (
            (t := run(*phone.inside, "iw", "dev", "wlan1", "scan", "freq", "2462"))
            and "SSID" in t
            and t
        )
    )
    names = [line.partition("SSID: ")[2] for line in seen.splitlines() if "\tSSID: " in line]
    assert "Country: MX" in seen, "no country in the beacon"
    assert any("OWE" in line for line in seen.splitlines()), "no transition element"
    return {"names": names}


def a_phone_associates() -> dict[str, Any]:
    return {"association_s": phones["ana"].join(SSID, "key_mgmt=NONE")}


def the_lease_names_the_portals_address_in_option_114() -> dict[str, Any]:
    lease = phones["ana"].dhcp()
    assert lease["portal"] == API, lease
    assert lease["router"] == GATEWAY, lease
    return lease


def before_acceptance_there_is_only_the_portal() -> dict[str, Any]:
    probe = phones["ana"].browse("get", "http://connectivitycheck.gstatic.com/generate_204")
    assert probe.get("status") == 302, probe
    assert GATEWAY in probe["location"], probe
    direct = phones["ana"].browse("get", f"http://{INTERNET}/hello")
    assert direct.get("status") != 200, direct
    return probe


def the_portal_is_accepted_by_its_form() -> dict[str, Any]:
    seen = phones["ana"].browse("join", "http://connectivitycheck.gstatic.com/generate_204")
    assert seen.get("accepted") == 303, seen
    visits = plaza("gate", "list", "--json")
    assert phones["ana"].ip in visits, visits
    return seen


def a_server_behind_the_uplink_is_reached() -> dict[str, Any]:
    page = eventually(
        lambda: (
            (p := phones["ana"].browse("get", f"http://{INTERNET}/hello")).get("status") == 200
            and p
        )
    )
    assert page["body"] == "this is the Internet", page
    return page


def devices_on_the_air_cannot_reach_each_other() -> dict[str, Any]:
    berta = phones["berta"] = Phone("berta", "wlan2")
    joined = berta.join(SSID, "key_mgmt=NONE")
    berta.dhcp()
    assert berta.pings(GATEWAY), "the node itself answers"
    assert not berta.pings(phones["ana"].ip), "one guest reached another"
    return {"association_s": joined}


def a_phone_that_knows_owe_is_encrypted_on_the_same_name() -> dict[str, Any]:
    berta = phones["berta"]
    berta.leave()
    seconds = berta.join(SSID, "key_mgmt=OWE", "ieee80211w=2", "owe_only=1")
    state = berta.state()
    assert state["key_mgmt"] == "OWE", state
    berta.dhcp()
    assert berta.pings(GATEWAY), "the node answers on the twin"
    assert not berta.pings(phones["ana"].ip), "the twin reaches the open network"
    return {"association_s": seconds, "cipher": state["pairwise_cipher"], "pmf": state.get("pmf")}


def the_staff_joins_with_wpa3_and_nobody_else() -> dict[str, Any]:
    carmen = phones["carmen"] = Phone("carmen", "wlan3")
    wanted = ("key_mgmt=SAE", "ieee80211w=2")
    carmen.ask_to_join(STAFF[0], *wanted, 'sae_password="otra-clave-larga"')
    time.sleep(12)
    wrong = carmen.state().get("wpa_state")
    assert wrong != "COMPLETED", "a wrong passphrase was taken"
    seconds = carmen.join(STAFF[0], *wanted, f'sae_password="{STAFF[1]}"')
    return {"association_s": seconds, "key_mgmt": carmen.state()["key_mgmt"], "wrong": wrong}


def status_counts_devices_and_names_none() -> dict[str, Any]:
    status = tools.wifi_status()
    text = plaza("wifi", "status")
    assert status["stations"] == 3, status
    assert not [m for m in tools.MAC.findall(text + str(status))], "an address is shown"
    return {"status": status, "text": text}


def a_quota_of_bytes_ends_the_visit() -> dict[str, Any]:
    seen = phones["ana"].browse("pull", f"http://{INTERNET}/large", timeout=120)
    assert seen.get("ended", "whole") != "whole", seen
    assert seen["bytes"] < 2 * QUOTA, seen
    after = phones["ana"].browse("get", f"http://{INTERNET}/hello")
    assert after.get("status") != 200, after
    return seen | {"gate": plaza("gate", "list", "--ip", phones["ana"].ip, "--json", check=False)}


def kick_sends_a_device_off_the_air() -> dict[str, Any]:
    ana = phones["ana"]
    before = ana.log.read_text().count("CTRL-EVENT-DISCONNECTED")
    said = plaza("wifi", "kick", ana.ip)
    eventually(lambda: ana.log.read_text().count("CTRL-EVENT-DISCONNECTED") > before)
    reason = re.findall(r"CTRL-EVENT-DISCONNECTED.*?(reason=\d+)", ana.log.read_text())[-1]
    ana.leave()
    eventually(lambda: tools.on_air().get("num_sta[0]") == "0", 120)
    again = plaza("wifi", "kick", ana.ip, check=False)
    return {"said": said.strip(), "reason": reason, "again": again.strip()}


def a_mistake_in_the_site_file_changes_nothing() -> dict[str, Any]:
    write("/var/lib/plaza/site.toml", SITE.replace("channel = 11", "channel = 14"))
    said = plaza("wifi", "reload", check=False)
    assert "not a legal channel" in said, said
    air = tools.on_air()
    write("/var/lib/plaza/site.toml", SITE)
    assert air["channel"] == "11", air
    return {"said": said.strip()}


def a_changed_name_and_channel_reach_the_air() -> dict[str, Any]:
    changed = SITE.replace(SSID, "Plaza nueva").replace("channel = 11", "channel = 1")
    write("/var/lib/plaza/site.toml", changed.replace("max_stations = 20", "max_stations = 1"))
    plaza("wifi", "reload")
    began = time.monotonic()
    eventually(
        lambda: (a := tools.on_air()).get("channel") == "1" and a["ssid[0]"] == "Plaza nueva"
    )
    applied = round(time.monotonic() - began, 2)
    seconds = phones["ana"].join("Plaza nueva", "key_mgmt=NONE")
    isolated = {
        p.parent.name: (p / "isolated").read_text().strip()
        for p in Path("/sys/class/net").glob("*/brport")
    }
    assert set(isolated.values()) == {"1"}, isolated
    return {"applied_s": applied, "association_s": seconds, "isolated": isolated}


def a_full_radio_refuses_the_next_device() -> dict[str, Any]:
    berta = phones["berta"]
    before = len(berta.log.read_text())
    berta.ask_to_join("Plaza nueva", "key_mgmt=NONE")
    said = eventually(
        lambda: re.findall(r"CTRL-EVENT-\w+-REJECT.*", berta.log.read_text()[before:])
    )
    assert berta.state().get("wpa_state") != "COMPLETED", "a device too many was taken"
    berta.leave()
    return {"said": tools.MAC.sub("(device)", said[0])}


def when_hostapd_dies_the_network_comes_back() -> dict[str, Any]:
    began = time.monotonic()
    old = tools.pids_of("hostapd")
    os.kill(old[0], signal.SIGKILL)
    eventually(lambda: (new := tools.pids_of("hostapd")) and new != old, 180)
    eventually(tools.on_air, 180)
    return {"back_s": round(time.monotonic() - began, 2)}


def no_log_names_a_device() -> dict[str, Any]:
    text = tools.journal("plaza-wifi.service", *(f"{unit}.service" for unit in NODE))
    named = [line for line in text.splitlines() if tools.MAC.search(line)]
    assert named == [], named[:3]
    assert "devices: " in text, "no summary of stations"
    return {"wifi": tools.journal("plaza-wifi.service").splitlines()[-40:]}


STEPS = [
    the_kernel_makes_four_radios,
    there_is_an_internet_behind_an_uplink,
    a_site_file_is_all_that_is_configured,
    the_wifi_unit_puts_three_networks_on_the_air,
    the_gate_the_names_and_the_portal_start,
    a_phone_sees_the_name_and_the_country,
    a_phone_associates,
    the_lease_names_the_portals_address_in_option_114,
    before_acceptance_there_is_only_the_portal,
    the_portal_is_accepted_by_its_form,
    a_server_behind_the_uplink_is_reached,
    devices_on_the_air_cannot_reach_each_other,
    a_phone_that_knows_owe_is_encrypted_on_the_same_name,
    the_staff_joins_with_wpa3_and_nobody_else,
    status_counts_devices_and_names_none,
    a_quota_of_bytes_ends_the_visit,
    kick_sends_a_device_off_the_air,
    a_mistake_in_the_site_file_changes_nothing,
    a_changed_name_and_channel_reach_the_air,
    a_full_radio_refuses_the_next_device,
    when_hostapd_dies_the_network_comes_back,
    no_log_names_a_device,
]


if __name__ == "__main__":
    Path("/run/street").mkdir()
    tell_steps(STEPS)
    tell(phones={name: phone.log.read_text()[-1500:] for name, phone in phones.items()})
    tell(journal=tools.journal("plaza-wifi.service", *(f"{unit}.service" for unit in NODE))[-8000:])
