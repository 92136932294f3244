"""From a node's settings and its site file to what the gate enforces, and what its counters mean."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from captive_portal.capport import announced_uri
from captive_portal.dhcp import RA_LIFETIME_S
from captive_portal.filter.ports import ACCEPTED_PORT, DOH_ADDRESSES, WAITING_PORT
from captive_portal.gate.nft import GatePolicy
from captive_portal.gate.router import Announcement
from captive_portal.gate.ruleset import GuestSide
from captive_portal.gate.visits import GateStats
from captive_portal.site import SiteProblem, SiteProfile, parse_site, site_of_settings
from municipio.settings import Settings

RESERVED_HOSTS = 11
MAX_DOH_BYTES = 4 << 20
LEASE_MIN = 30


def policy_of(
    settings: Settings,
    *,
    site: Path | None = None,
    interface: str | None = None,
    uplink: str | None = None,
    portal_port: int | None = None,
    names_port: int | None = None,
    strict_names_port: int | None = None,
    doh: Path | None = None,
) -> GatePolicy:
    """What the command line says, else the site file, else the settings.

    Raises ValueError or OSError.
    """
    profile = _profile(settings, site)
    network = profile.network
    gateway6 = network.gateway6
    side = GuestSide(
        interface or network.guest,
        uplink or network.uplink,
        portal_port or _port(settings.text("portal.listen")),
        _port(profile.capport_listen),
        names_port or ACCEPTED_PORT,
        strict_names_port or WAITING_PORT,
        gateway4=str(network.gateway4.ip),
        gateway6=str(gateway6.ip) if gateway6 else "",
        masquerade6=gateway6 is None or not gateway6.ip.is_global,
        pool=max(1, network.gateway4.network.num_addresses - RESERVED_HOSTS),
        lease_min=LEASE_MIN,
    )
    blocked = read_addresses(doh) if doh else tuple(map(str, DOH_ADDRESSES))
    return GatePolicy(side, profile.max_devices, blocked)


def announcement_of(settings: Settings, site: Path | None) -> Announcement | None:
    """What advertisements say of the portal: only with IPv6, and only an https address.

    Raises ValueError or OSError.
    """
    profile = _profile(settings, site)
    uri = announced_uri(profile.capport_url)
    if uri is None or not profile.network.ipv6:
        return None
    return Announcement(uri, RA_LIFETIME_S)


def read_addresses(path: Path) -> tuple[str, ...]:
    """Addresses or networks, one a line, `#` begins a comment. Raises ValueError with the line."""
    if path.stat().st_size > MAX_DOH_BYTES:
        raise ValueError(f"{path}: over {MAX_DOH_BYTES} bytes")
    found = []
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        text = line.partition("#")[0].strip()
        try:
            if text:
                found.append(str(ipaddress.ip_network(text)))
        except ValueError as e:
            raise ValueError(f"{path}, line {number}: {e}") from None
    return tuple(found)


def warnings_of(stats: GateStats) -> list[str]:
    """What a technician should look at, in order of weight."""
    warnings = []
    if not stats.whole:
        warnings.append(
            "the firewall is not whole: while the guest interface is missing nobody passes"
        )
    if stats.rebuilt:
        warnings.append(
            f"the firewall was changed from outside {stats.rebuilt} times and built again"
        )
    if stats.crowded:
        warnings.append(
            f"{stats.crowded} hardware addresses have many IP addresses each: an access point hides its "
            "guests; set it to bridge mode, without NAT and without proxy ARP"
        )
    if stats.routers:
        warnings.append(
            f"{stats.routers} devices forward for others: an access point that does NAT (all its guests "
            "are one visit; set it to bridge mode), or a guest who shares the connection"
        )
    if 0 < stats.max_open <= stats.open:
        warnings.append("the site is full")
    return warnings


def _profile(settings: Settings, site: Path | None) -> SiteProfile:
    base = site_of_settings(settings)
    if site is None:
        return base
    profile = parse_site(site.read_text(encoding="utf-8"), base)
    if isinstance(profile, SiteProblem):
        raise ValueError(f"{site}: {profile}")
    return profile


def _port(listen: str) -> int:
    return int(listen.rpartition(":")[2]) if listen else 0
