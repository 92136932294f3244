"""The way out as the system's own files: a cable is systemd-networkd's, what has a radio NetworkManager's.

See systemd.network(5) and nm-settings-keyfile(5). The same plan is always the same text.
"""

from __future__ import annotations

import uuid

from municipio.site_file.plan import SitePlan

CABLE_FILE = "network/10-plaza-uplink.network"
RADIO_FILE = "networkmanager/plaza-uplink.nmconnection"
UNMANAGED_FILE = "networkmanager.conf"
_NAMESPACE = uuid.UUID("6f9d3c1e-0d53-4a7e-9a41-7c2d8f3b5a10")
_DEFAULT_INTERFACE = {"ethernet": "eth0", "wifi-client": "wlan1", "lte": "wwan0"}


def uplink_interface(plan: SitePlan) -> str:
    """The interface that carries packets to the Internet."""
    return plan.text("uplink.interface") or _DEFAULT_INTERFACE[plan.text("uplink.kind")]


def is_cable(plan: SitePlan) -> bool:
    return plan.text("uplink.kind") == "ethernet"


def cable_profile(plan: SitePlan) -> str:
    """systemd.network(5)."""
    network = {"DHCP": "yes", "LLMNR": "no", "MulticastDNS": "no", "IPv6AcceptRA": "yes"}
    address = plan.text("uplink.address")
    if address:
        gateway = plan.text("uplink.gateway")
        network |= {
            "DHCP": "no",
            "Address": address,
            "Gateway": gateway,
            "DNS": plan.text("uplink.dns") or gateway,
        }
    sections = [("Match", {"Name": uplink_interface(plan)}), ("Network", network)]
    sections += [] if address else [("DHCPv4", {"UseDomains": "no"})]
    return "\n".join(_section(name, values) for name, values in sections)


def radio_profile(plan: SitePlan) -> str:
    """nm-settings-keyfile(5): one connection that always tries again."""
    kind = plan.text("uplink.kind")
    sections = [_connection(plan, kind)]
    sections += _wifi(plan) if kind == "wifi-client" else [_gsm(plan)]
    sections += [("ipv4", {"method": "auto"})]
    sections += [("ipv6", {"method": "auto", "addr-gen-mode": "eui64"})]
    return "\n".join(_section(name, values) for name, values in sections)


def unmanaged(plan: SitePlan) -> str:
    """What NetworkManager leaves alone: cables, and the visitors' side, which is hostapd's and the gate's."""
    visitors = plan.text("wifi.interface" if plan.text("wifi.mode") == "radio" else "wifi.cable")
    left = ("br-*", "plaza-*", "eth*", "en*", visitors)
    names = ";".join(f"interface-name:{n}" for n in left)
    return _section("keyfile", {"unmanaged-devices": names})


def _connection(plan: SitePlan, kind: str) -> tuple[str, dict[str, str]]:
    values = {
        "id": "plaza-uplink",
        "uuid": str(uuid.uuid5(_NAMESPACE, f"{plan.node_code} {kind}")),
        "type": "gsm" if kind == "lte" else "wifi",
        "autoconnect": "true",
        # 0: for ever. Nobody is there to press a button.
        "autoconnect-retries": "0",
    }
    if kind != "lte":  # a modem's profile is bound to its control port, which the kernel names
        values["interface-name"] = uplink_interface(plan)
    return "connection", values


def _wifi(plan: SitePlan) -> list[tuple[str, dict[str, str]]]:
    # As bytes: no sign in a network's name can mean something to the reader of the file.
    ssid = "".join(f"{byte};" for byte in plan.text("uplink.ssid").encode())
    security = {"key-mgmt": "wpa-psk", "psk": _escaped(plan.text("uplink.password"))}
    return [
        ("wifi", {"mode": "infrastructure", "ssid": ssid, "powersave": "2"}),
        ("wifi-security", security),
    ]


def _gsm(plan: SitePlan) -> tuple[str, dict[str, str]]:
    said = {
        "apn": plan.text("uplink.apn"),
        "username": plan.text("uplink.user"),
        "password": plan.text("uplink.apn_password"),
        "pin": plan.text("uplink.pin"),
    }
    return "gsm", {name: _escaped(value) for name, value in said.items() if value}


def _escaped(text: str) -> str:
    """As GKeyFile reads it back: a backslash doubled, a blank as \\s."""
    return text.replace("\\", "\\\\").replace(" ", "\\s")


def _section(name: str, values: dict[str, str]) -> str:
    return "".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in values.items())])
