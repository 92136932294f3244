"""What `plaza wifi status` says: the radio or the cable, in values and in lines. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from captive_portal.wifi.control import AirStatus, OnAir
from captive_portal.wifi.plan import NOTE_TEXT, SMALL_RADIO_DRIVERS, NoPlan, Note, WifiPlan
from captive_portal.wifi.profile import Mode, WifiProfile
from captive_portal.wifi.radio import Radio
from captive_portal.wifi.system import Interface, Silent


@dataclass(frozen=True, slots=True)
class WifiReport:
    """Counts and names of ours; nothing about any one device."""

    mode: str
    interface: str
    driver: str
    guest_interface: str
    guest_up: bool
    ports: tuple[str, ...]
    state: str
    channel: int
    networks: tuple[OnAir, ...]
    capacity: int
    """How many devices the radio serves at a time; 0: it does not tell."""
    notes: tuple[str, ...]
    trouble: str = ""

    @property
    def works(self) -> bool:
        return self.trouble == ""

    @property
    def stations(self) -> int:
        return sum(n.stations for n in self.networks)

    def plain(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "interface": self.interface,
            "driver": self.driver,
            "guest_interface": self.guest_interface,
            "guest_up": self.guest_up,
            "ports": list(self.ports),
            "state": self.state,
            "channel": self.channel,
            "networks": [
                {"interface": n.interface, "ssid": n.ssid, "stations": n.stations}
                for n in self.networks
            ],
            "stations": self.stations,
            "capacity": self.capacity or None,
            "notes": list(self.notes),
            "trouble": self.trouble or None,
        }


def report_of(
    profile: WifiProfile,
    guest: Interface,
    interface: Interface,
    radio: Radio | Silent | None,
    plan: WifiPlan | NoPlan,
    air: AirStatus | Silent,
) -> WifiReport:
    """Put together what the site wants, what the machine has and what hostapd says."""
    if profile.mode is Mode.WIRED:
        return WifiReport(
            "wired", "", "", guest.name, guest.up, guest.ports,
            "UP" if guest.carrier else "DOWN", 0, (), 0, (), _wired_trouble(guest),
        )  # fmt: skip
    capacity = radio.max_stations if isinstance(radio, Radio) else 0
    if not capacity and interface.driver in SMALL_RADIO_DRIVERS and isinstance(plan, WifiPlan):
        capacity = plan.max_stations
    notes = tuple(NOTE_TEXT[n] for n in plan.notes) if isinstance(plan, WifiPlan) else ()
    # Once on the air the country is set: what the radio said before is past.
    if isinstance(air, AirStatus) and air.state == "ENABLED":
        notes = tuple(n for n in notes if n != NOTE_TEXT[Note.LISTEN_ONLY])
    return WifiReport(
        "radio",
        interface.name,
        interface.driver,
        guest.name,
        guest.up,
        guest.ports,
        air.state if isinstance(air, AirStatus) else "UNKNOWN",
        air.channel if isinstance(air, AirStatus) else 0,
        air.networks if isinstance(air, AirStatus) else (),
        capacity,
        notes,
        _radio_trouble(interface, plan, air),
    )


def report_lines(report: WifiReport) -> list[str]:
    """For people, one fact a line."""
    if report.mode == "wired":
        lines = [f"guest side: cable on {report.guest_interface}, {report.state.lower()}"]
    else:
        driver = f" ({report.driver})" if report.driver else ""
        lines = [f"radio {report.interface}{driver}: {report.state}, channel {report.channel}"]
        lines += [f"  {n.ssid}\t{n.stations} devices\t{n.interface}" for n in report.networks]
        most = f" of at most {report.capacity}" if report.capacity else ""
        lines.append(f"devices: {report.stations}{most}")
    lines += [f"note: {note}" for note in report.notes]
    if report.trouble:
        lines.append(f"trouble: {report.trouble}")
    return lines


def _wired_trouble(guest: Interface) -> str:
    if not guest.exists:
        return f"there is no interface {guest.name}"
    return "" if guest.carrier else f"{guest.name} has no carrier: cable, switch or access point"


def _radio_trouble(interface: Interface, plan: WifiPlan | NoPlan, air: AirStatus | Silent) -> str:
    if not interface.exists:
        return f"there is no interface {interface.name}"
    if isinstance(plan, NoPlan):
        return str(plan)
    if isinstance(air, Silent):
        return f"hostapd does not answer ({air.why})"
    return "" if air.state == "ENABLED" else f"the network is not on the air yet ({air.state})"
