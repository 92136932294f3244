"""A phone in the plaza of a virtual node made from the image; one result line a step.

The node is the image's own, started by its own units; here is only a radio of its own in a network
namespace, with wpa_supplicant and a DHCP client, and a person who taps.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import tools
from steps import eventually, run, step, tell
from tools import Phone, plaza

SSID, GATEWAY, INTERNET = "Plaza de prueba", "10.66.0.1", "203.0.113.1"
API = "https://plaza.example.org/captive-portal/api"
QUOTA = 1024 * 1024
SITE = Path("/var/lib/plaza/site.toml")
BLOCKED, OPEN = "apuestas.demostracion.example", "biblioteca.example.org"
phones: dict[str, Phone] = {}


def the_network_of_the_site_is_on_the_air() -> dict[str, Any]:
    air = eventually(tools.on_air, 300)
    return {"air": air}


def an_engineer_adds_a_quota_and_the_portals_address() -> None:
    """By hand, below what plaza.toml decides: the next start must keep it."""
    text = SITE.read_text()
    SITE.write_text(f'{text}\n[visit]\nsession_bytes = {QUOTA}\n[capport]\nurl = "{API}"\n')
    tools.systemctl(
        "restart", "plaza-filter-config.service", "plaza-names.service", "plaza-filter.service"
    )
    tools.systemctl("restart", "plaza-portal.service")
    eventually(lambda: ":8380" in run("ss", "-ltnH"), 180)


def a_phone_associates() -> dict[str, Any]:
    phone = phones["ana"] = Phone("ana", "wlan1")
    run("ip", "-n", "ana", "link", "set", "wlan1", "up")
    return {"association_s": phone.join(SSID, "key_mgmt=NONE")}


def the_lease_names_the_portals_address_in_option_114() -> dict[str, Any]:
    lease = phones["ana"].dhcp()
    assert lease["portal"] == API, lease
    assert lease["router"] == GATEWAY, lease
    return lease


def before_acceptance_there_is_only_the_portal() -> dict[str, Any]:
    probe = phones["ana"].browse("get", f"http://{INTERNET}/generate_204")
    assert probe.get("status") == 302, probe
    assert GATEWAY in probe["location"], probe
    return probe


def the_portal_is_accepted_by_its_form() -> dict[str, Any]:
    seen = phones["ana"].browse("join", f"http://{INTERNET}/generate_204")
    assert seen.get("accepted") == 303, seen
    assert phones["ana"].ip in plaza("gate", "list", "--json")
    return seen


def a_server_behind_the_uplink_is_reached() -> dict[str, Any]:
    def page() -> Any:
        seen = phones["ana"].browse("get", f"http://{INTERNET}/hello")
        return seen.get("status") == 200 and seen

    seen = eventually(page)
    assert seen["body"] == "this is the Internet", seen
    return dict(seen)


def ask_name(name: str) -> list[str]:
    """The A records of a name, asked of the node from the phone; [] when it has none."""
    script = f"import station; print(station.resolve({name!r}))"
    inside = phones["ana"].inside
    return list(json.loads(run(*inside, tools.PYTHON, "-c", script).replace("'", '"')))


def resolve(name: str) -> list[str]:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(10)
        peer.connect((GATEWAY, 53))
        peer.send(struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")
        answer = peer.recv(4096)
    count = struct.unpack(">H", answer[6:8])[0]
    at, found = 12 + len(labels) + 5, []
    for _ in range(count):
        while answer[at] and answer[at] < 0xC0:
            at += answer[at] + 1
        at += 2 if answer[at] else 1
        kind, _, _, length = struct.unpack(">HHIH", answer[at : at + 10])
        at += 10 + length
        if kind == 1:
            found.append(socket.inet_ntoa(answer[at - 4 : at]))
    return found


def a_blocked_name_leads_to_the_node_and_others_where_they_are() -> dict[str, Any]:
    seen = {name: eventually(lambda n=name: ask_name(n)) for name in (OPEN, BLOCKED)}
    assert seen[OPEN] == [INTERNET], seen
    assert seen[BLOCKED] == [GATEWAY], seen
    return seen


def a_quota_of_bytes_ends_the_visit() -> dict[str, Any]:
    seen = phones["ana"].browse("pull", f"http://{INTERNET}/large", timeout=120)
    assert seen.get("ended", "whole") != "whole", seen
    assert seen["bytes"] < 2 * QUOTA, seen
    after = phones["ana"].browse("get", f"http://{INTERNET}/hello")
    assert after.get("status") != 200, after
    return seen


STEPS = [
    the_network_of_the_site_is_on_the_air,
    an_engineer_adds_a_quota_and_the_portals_address,
    a_phone_associates,
    the_lease_names_the_portals_address_in_option_114,
    before_acceptance_there_is_only_the_portal,
    the_portal_is_accepted_by_its_form,
    a_server_behind_the_uplink_is_reached,
    a_blocked_name_leads_to_the_node_and_others_where_they_are,
    a_quota_of_bytes_ends_the_visit,
]


if __name__ == "__main__":
    Path("/run/street").mkdir(exist_ok=True)
    os.chdir("/run/street")
    for each in STEPS:
        step(each)
    tell(phones={name: phone.log.read_text()[-1500:] for name, phone in phones.items()})
    sys.exit(0)
