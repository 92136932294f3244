"""The `[wifi]` section of a site file, checked. Nothing else may become a line of hostapd's file.

    mode        "radio" (a radio of this node) or "wired" (outdoor access points on a cable or VLAN)
    ssid        1 to 32 bytes of UTF-8; also printed on the poster when mode is "wired"
    interface   the radio; wired sites have none
    country     "MX": the only table of legal channels that this program holds
    band        "2.4" or "5" (GHz)
    channel     0 lets the program choose a legal one that the radio has
    width_mhz   20 or, on 5 GHz, 40
    security    "open" or "owe" (an open network with an encrypted twin; RFC 8110)
    max_stations  0 is what the radio says it can serve
    staff       [wifi.staff] ssid, passphrase, bridge: a second network under WPA3-SAE

Values are allow-listed by what they are, never by what they must not hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from captive_portal.sections import Check, SectionProblem, Wrong, fields
from captive_portal.wifi.channels import channel_problem

COUNTRY = "MX"
MAX_SSID_BYTES = 32
MAX_STATIONS = 2007
"""IEEE 802.11-2020, 9.4.1.8: the largest association identifier."""

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_PASSPHRASE = re.compile(r"[!-{}~]{12,63}")
"""Printable ASCII without spaces and without `|`, which ends a password in hostapd's own syntax."""


class Mode(StrEnum):
    RADIO = "radio"
    WIRED = "wired"


class Band(StrEnum):
    GHZ_2_4 = "2.4"
    GHZ_5 = "5"


class Security(StrEnum):
    OPEN = "open"
    OWE = "owe"


@dataclass(frozen=True, slots=True)
class StaffNetwork:
    """The technicians' network. The passphrase is never shown; the bridge is never the guests' one."""

    ssid: str
    passphrase: str
    bridge: str = ""

    def __repr__(self) -> str:
        return f"StaffNetwork(ssid={self.ssid!r}, passphrase=<hidden>, bridge={self.bridge!r})"


@dataclass(frozen=True, slots=True)
class WifiProfile:
    """A checked `[wifi]` section. The defaults are a small site with the board's own radio."""

    ssid: str = "Plaza-Demo"
    mode: Mode = Mode.RADIO
    interface: str = "wlan0"
    country: str = COUNTRY
    band: Band = Band.GHZ_2_4
    channel: int = 0
    width_mhz: int = 20
    security: Security = Security.OPEN
    max_stations: int = 0
    staff: StaffNetwork | None = None


def parse_wifi(doc: Mapping[str, object]) -> WifiProfile | SectionProblem:
    """Check a whole section; what it does not name has the default."""
    try:
        values = fields(doc, _FIELDS, "wifi")
        profile = WifiProfile(**values)
        _check_together(profile)
    except Wrong as e:
        return e.problem
    return profile


def _check_together(profile: WifiProfile) -> None:
    wide = profile.width_mhz != 20
    if wide and profile.band is Band.GHZ_2_4:
        raise Wrong("width_mhz", "2.4 GHz has no room for more than 20 MHz where others live")
    if profile.channel:
        problem = channel_problem(profile.band.value, profile.channel, profile.width_mhz)
        if problem:
            raise Wrong("channel", problem)
    if profile.staff and profile.staff.ssid == profile.ssid:
        raise Wrong("staff.ssid", "must differ from the visitors' network")
    if profile.staff and profile.mode is Mode.WIRED:
        raise Wrong("staff", "is made by a radio of this node; set it on the access points instead")


def _ssid(value: object) -> str:
    """A name that people read: no control, line or direction characters, no space at an end."""
    if not isinstance(value, str) or not value.isprintable() or value != value.strip():
        raise ValueError("must be one line of printable characters without a space at its ends")
    if not 1 <= len(value.encode(errors="replace")) <= MAX_SSID_BYTES:
        raise ValueError(f"must have 1 to {MAX_SSID_BYTES} bytes of UTF-8")
    return value


def _interface(value: object) -> str:
    if not isinstance(value, str) or not _INTERFACE.fullmatch(value):
        raise ValueError("must be the name of a network interface, such as wlan0")
    if value.startswith("plaza-"):
        raise ValueError("must not begin with plaza-: those names are given by this program")
    return value


def _passphrase(value: object) -> str:
    # The value is never in the message: problems are printed and logged.
    if not isinstance(value, str) or not _PASSPHRASE.fullmatch(value):
        raise ValueError(
            "must have 12 to 63 printable ASCII characters, without spaces and without |"
        )
    return value


def _one_of(kind: type[StrEnum]) -> Check:
    def check(value: object) -> StrEnum:
        names = [member.value for member in kind]
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return kind(value)

    return check


def _country(value: object) -> str:
    if value != COUNTRY:
        raise ValueError('must be "MX": the channels of other countries are not in this program')
    return COUNTRY


def _whole(low: int, high: int) -> Check:
    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return check


def _width(value: object) -> int:
    if type(value) is not int or value not in (20, 40):
        raise ValueError("must be 20 or 40")
    return value


def _staff(value: object) -> StaffNetwork:
    if not isinstance(value, Mapping):
        raise ValueError("must be a section [wifi.staff]")
    values = fields(value, _STAFF, "wifi", "staff.")
    for needed in ("ssid", "passphrase"):
        if needed not in values:
            raise Wrong(f"staff.{needed}", "is missing")
    return StaffNetwork(**values)


_STAFF: dict[str, Check] = {"ssid": _ssid, "passphrase": _passphrase, "bridge": _interface}
_FIELDS: dict[str, Check] = {
    "ssid": _ssid,
    "mode": _one_of(Mode),
    "interface": _interface,
    "country": _country,
    "band": _one_of(Band),
    "channel": _whole(0, 177),
    "width_mhz": _width,
    "security": _one_of(Security),
    "max_stations": _whole(0, MAX_STATIONS),
    "staff": _staff,
}
