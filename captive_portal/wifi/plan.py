"""From what a site wants and what its radio can do to what goes on the air, with what was left out.

The guests' open network is always made. An encrypted twin (OWE) and the staff's network are made only
where the radio shows that it can, because a phone that meets a half-working one shows an error that
no visitor understands.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from captive_portal.wifi.channels import PREFERRED, secondary_offset
from captive_portal.wifi.profile import Band, Mode, Security, WifiProfile
from captive_portal.wifi.radio import Radio

SMALL_RADIO_DRIVERS = frozenset({"brcmfmac"})
SMALL_RADIO_STATIONS = 8
OWE_INTERFACE = "plaza-owe"
STAFF_INTERFACE = "plaza-staff"


class Note(StrEnum):
    """What a technician should know about a plan; none of them stops it."""

    SMALL_RADIO = "small_radio"
    OWE_LEFT_OUT = "owe_left_out"
    STAFF_LEFT_OUT = "staff_left_out"
    NARROWED = "narrowed"
    LISTEN_ONLY = "listen_only"
    FEWER_STATIONS = "fewer_stations"


NOTE_TEXT: dict[Note, str] = {
    Note.SMALL_RADIO: "the board's own radio serves about 8 devices; a plaza needs a USB radio or"
    " access points on a cable",
    Note.OWE_LEFT_OUT: "no encrypted twin (OWE): the radio makes too few networks or cannot protect"
    " management frames",
    Note.STAFF_LEFT_OUT: "no staff network: the radio makes too few networks or shows no WPA3 (SAE)",
    Note.NARROWED: "20 MHz instead of 40: the radio has no wide channels in this band",
    Note.LISTEN_ONLY: "the radio may only listen on this channel until the country MX is set",
    Note.FEWER_STATIONS: "fewer devices than asked for: the radio serves no more",
}


class Cause(StrEnum):
    """Why no network can be made."""

    WIRED = "wired"
    NO_RADIO = "no_radio"
    NO_ACCESS_POINT = "no_access_point"
    NO_CHANNEL = "no_channel"
    SAME_BRIDGE = "same_bridge"
    SITE_FILE = "site_file"


CAUSE_TEXT: dict[Cause, str] = {
    Cause.WIRED: "the guest side is a cable: the access points make the network",
    Cause.NO_RADIO: "there is no such radio",
    Cause.NO_ACCESS_POINT: "this radio cannot be an access point",
    Cause.NO_CHANNEL: "the radio cannot use the channel in Mexico",
    Cause.SITE_FILE: "the site file has a mistake",
    Cause.SAME_BRIDGE: "the staff's network must not share the visitors' bridge",
}


@dataclass(frozen=True, slots=True)
class Network:
    """One network on the air (a BSS)."""

    interface: str
    ssid: str
    kind: str
    """"open", "owe" or "staff"."""
    bridge: str = ""
    passphrase: str = ""
    twin: str = ""
    """The other interface of an OWE transition pair."""


@dataclass(frozen=True, slots=True)
class WifiPlan:
    channel: int
    band: Band
    country: str
    wide: int
    """+1 or -1: where the second half of a 40 MHz channel lies; 0: 20 MHz."""
    vht: bool
    max_stations: int
    """0: hostapd's own limit."""
    networks: tuple[Network, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class NoPlan:
    cause: Cause
    detail: str = ""

    def __str__(self) -> str:
        return CAUSE_TEXT[self.cause] + (f": {self.detail}" if self.detail else "")


def make_plan(
    profile: WifiProfile, radio: Radio | None, guest_interface: str, driver: str = ""
) -> WifiPlan | NoPlan:
    """What to put on the air. `guest_interface` is the bridge of the visitors, or the radio itself."""
    if profile.mode is Mode.WIRED:
        return NoPlan(Cause.WIRED)
    if radio is None:
        return NoPlan(Cause.NO_RADIO, profile.interface)
    if radio.access_points == 0:
        return NoPlan(Cause.NO_ACCESS_POINT, radio.phy)
    if profile.staff and profile.staff.bridge == guest_interface:
        return NoPlan(Cause.SAME_BRIDGE, guest_interface)
    channel = _channel(profile, radio)
    if channel == 0:
        return NoPlan(Cause.NO_CHANNEL, f"{profile.band.value} GHz, {profile.channel or 'any'}")
    notes: list[Note] = []
    bridge = guest_interface if guest_interface != profile.interface else ""
    networks = _networks(profile, radio, bridge, notes)
    stations = _stations(profile, radio, driver, notes)
    band = profile.band.value
    wide = secondary_offset(channel) if profile.width_mhz == 40 else 0
    if wide and band not in radio.wide_bands:
        wide = 0
        notes.append(Note.NARROWED)
    frequency = radio.frequency(band, channel)
    if frequency and frequency.listen_only:
        notes.append(Note.LISTEN_ONLY)
    return WifiPlan(
        channel, profile.band, profile.country, wide, band == "5" and band in radio.vht_bands,
        stations, networks, tuple(notes),
    )  # fmt: skip


def _channel(profile: WifiProfile, radio: Radio) -> int:
    """The site's channel, or the best that the radio has; 0 when it has none."""
    band = profile.band.value
    wanted = (profile.channel,) if profile.channel else PREFERRED[band]
    if profile.width_mhz == 40 and not profile.channel:
        wanted = tuple(c for c in wanted if secondary_offset(c))
    has = [f for c in wanted if (f := radio.frequency(band, c)) and not f.disabled and not f.radar]
    has.sort(key=lambda f: f.listen_only)
    return has[0].channel if has else 0


def _networks(
    profile: WifiProfile, radio: Radio, bridge: str, notes: list[Note]
) -> tuple[Network, ...]:
    room = radio.access_points - 1
    # Without a bridge the twin would be a network of its own that leads nowhere.
    owe = profile.security is Security.OWE
    owe_can = room >= 1 and radio.protects_management and (radio.sae or radio.owe_offload)
    if owe and not (owe_can and bridge):
        owe = False
        notes.append(Note.OWE_LEFT_OUT)
    twin = OWE_INTERFACE if owe else ""
    networks = [Network(profile.interface, profile.ssid, "open", bridge, twin=twin)]
    if owe:
        networks.append(
            Network(OWE_INTERFACE, _twin_ssid(profile.ssid), "owe", bridge, twin=profile.interface)
        )
        room -= 1
    staff = profile.staff
    if staff and room >= 1 and radio.protects_management and radio.sae:
        networks.append(
            Network(STAFF_INTERFACE, staff.ssid, "staff", staff.bridge, staff.passphrase)
        )
    elif staff:
        notes.append(Note.STAFF_LEFT_OUT)
    return tuple(networks)


def _twin_ssid(ssid: str) -> str:
    """The hidden name of the encrypted twin; phones show the open one's (RFC 8110, appendix)."""
    return f"owe-{hashlib.sha256(ssid.encode()).hexdigest()[:12]}"


def _stations(profile: WifiProfile, radio: Radio, driver: str, notes: list[Note]) -> int:
    small = driver in SMALL_RADIO_DRIVERS
    limit = radio.max_stations or (SMALL_RADIO_STATIONS if small else 0)
    if small:
        notes.append(Note.SMALL_RADIO)
    if limit and profile.max_stations > limit:
        notes.append(Note.FEWER_STATIONS)
        return limit
    return profile.max_stations or limit
