"""What a plan means for a node's own files: its settings and its site's rules, laid over what is there.

What a technician or the city's engineer wrote there by hand stays, comments too; only the keys that the
plan speaks of are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from municipio.site_file.network import uplink_interface
from municipio.site_file.plan import SitePlan

PORTAL_LISTEN = "0.0.0.0:8380"
GATEWAY_URL = "http://10.66.0.1"
"""The node's own address on the visitors' side, as `captive_portal.site.Network` has it."""
WAITING_SSID = "Plaza: revise la tarjeta"
"""What is on the air while the first file of a node is wrong."""

Tables = Mapping[str, Mapping[str, str | int | bool]]


_PROFILES = {"kiosk+portal": "kiosk", "portal": "portal", "information": "screen"}


def settings_of(plan: SitePlan, city_ca: str, token_file: str) -> Tables:
    """The settings that the plan decides. `city_ca` and `token_file`: where those files are, or empty."""
    return {
        "city": {
            "code": plan.text("city.letters"),
            "inegi": plan.text("city.inegi"),
            "timezone": plan.text("site.timezone"),
        },
        "node": {
            "number": plan.number("site.number"),
            "site": plan.text("site.name"),
            "address": plan.text("site.address"),
            "profile": _PROFILES[plan.text("site.profile")],
            "padron": plan.has_kiosk,
            "rtc": plan.text("site.clock") == "battery",
        },
        "central": {"url": plan.text("city.url").rstrip("/"), "ca_file": city_ca},
        "portal": {
            **WAITING_SETTINGS["portal"],
            "ssid": plan.text("wifi.ssid"),
            "uplink": uplink_interface(plan),
        },
        "energy": {
            "kind": plan.text("energy.kind"),
            "wake": plan.text("energy.wake") if _is_solar(plan) else "none",
            "radio_hours": plan.text("energy.radio_hours") if _is_solar(plan) else "",
            "kiosk_hours": plan.text("energy.kiosk_hours") if _is_solar(plan) else "",
            "usb_ports": plan.text("energy.usb_ports") if _is_solar(plan) else "",
        },
        "power": {
            "kind": plan.text("energy.controller") if _is_solar(plan) else "none",
            "port": plan.text("energy.port") if _is_solar(plan) else "",
            "battery": plan.text("energy.battery"),
        },
        **_devices(plan, token_file),
    }


def _is_solar(plan: SitePlan) -> bool:
    return plan.text("energy.kind") == "solar"


def _devices(plan: SitePlan, token_file: str) -> Tables:
    is_kiosk = plan.text("site.profile") == "kiosk+portal"
    printer = plan.text("printer.port") if is_kiosk else ""
    terminal = plan.text("terminal.kind") if is_kiosk else "none"
    point: dict[str, str | int | bool] = {"kind": "serial"}
    if terminal == "mercadopago":
        point = {"kind": terminal, "point_id": plan.text("terminal.point_id")}
        point |= {"token_file": token_file} if token_file else {}
    return {
        "printer": {
            "enabled": bool(printer),
            "port": printer,
            "profile": plan.text("printer.profile"),
        },
        "terminal": {
            "enabled": terminal != "none",
            "port": plan.text("terminal.port") if terminal == "serial" else "",
            **point,
        },
    }


WAITING_SETTINGS: Tables = {
    "node": {"site": "sin configurar"},
    "portal": {"gate": "nft", "listen": PORTAL_LISTEN, "public_url": GATEWAY_URL},
}
"""Of a node that has no plan yet: it explains itself and does nothing else."""


def site_rules_of(plan: SitePlan) -> Mapping[str, Any]:
    """What the plan decides of `site.toml`; the nested table replaces the one that is there."""
    is_radio = plan.text("wifi.mode") == "radio"
    wifi: dict[str, Any] = {"mode": plan.text("wifi.mode"), "ssid": plan.text("wifi.ssid")}
    wifi["country"] = plan.text("wifi.country")
    if is_radio:
        wifi |= {
            "interface": plan.text("wifi.interface"),
            "band": plan.text("wifi.band"),
            "channel": plan.number("wifi.channel"),
            "security": plan.text("wifi.security"),
        }
    if is_radio and plan.text("wifi.staff_ssid"):
        wifi["staff"] = {
            "ssid": plan.text("wifi.staff_ssid"),
            "passphrase": plan.text("wifi.staff_password"),
        }
    return {
        "name": plan.text("site.name"),
        "url": GATEWAY_URL,
        "languages": list(plan.texts("site.languages")),
        "network": {
            "guest": "br-guest" if is_radio else plan.text("wifi.cable"),
            "uplink": uplink_interface(plan),
        },
        "wifi": wifi,
    }


WAITING_RULES: Mapping[str, Any] = {
    "name": "Nodo sin configurar",
    "url": GATEWAY_URL,
    "wifi": {"ssid": WAITING_SSID},
}
_GONE_WITH = {"wifi": ("interface", "band", "channel", "security", "staff")}
"""Keys that only make sense with what the plan says beside them: they go when it does not say them."""


def lay_over(text: str, tables: Mapping[str, Any]) -> str:
    """TOML text with these values in it. A text that cannot be read is begun anew."""
    try:
        document: Any = tomlkit.parse(text)
    except (TOMLKitError, RecursionError):
        document = tomlkit.document()
    for name, value in tables.items():
        if isinstance(value, Mapping):
            table = document.get(name)
            if not isinstance(table, dict):
                document[name] = table = tomlkit.table()
                table = document[name]
            _fill(table, name, value)
        elif name not in document or document[name] != value:
            document[name] = value
    return tomlkit.dumps(document)


def _fill(table: Any, name: str, values: Mapping[str, Any]) -> None:
    for word in _GONE_WITH.get(name, ()):
        if word in table and word not in values:
            del table[word]
    for word, value in values.items():
        if word not in table or table[word] != value:
            table[word] = value
