"""A node's filter files: what its daemons read at start, made from its settings, site and lists."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from captive_portal.dhcp import GuestNetwork
from captive_portal.filter.database import Unusable
from captive_portal.filter.dnsdist import render_dnsdist
from captive_portal.filter.dnsmasq import render_node
from captive_portal.filter.names import NameProblem, parse_name
from captive_portal.filter.plan import PRIVATE, FilterPlan
from captive_portal.filter.ports import DOH_ADDRESSES
from captive_portal.filter.safesearch import renew_file
from captive_portal.filter.signing import check_signature
from captive_portal.filter.store import BASELINE, ListStore
from captive_portal.site import SiteProblem, SiteProfile, parse_site, site_of_settings
from municipio.settings import Settings
from municipio.wire.keys import PublicKey
from sync.datadir import DataDir

LEASE_MIN = 30
LEASES = "/run/plaza-names/leases"
"""In memory, in a folder of dnsmasq's own user: an address book never reaches the card."""
SAFE_HOSTS = Path("safe") / "hosts"


class CannotRender(Exception):
    """The daemons' files were not made; the message says what to repair."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was written, and lists that the node refused to serve from now on."""

    folder: Path
    lists: tuple[str, ...]
    refused: tuple[str, ...]


def read_site(data: DataDir, settings: Settings, site: Path | None) -> SiteProfile:
    """The named site file, else DATA/site.toml, else the settings. Raises CannotRender."""
    base = site_of_settings(settings)
    path = site or data.path / "site.toml"
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if site is None:
            return base
        raise CannotRender(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as e:
        raise CannotRender(f"{path}: {e}") from None
    profile = parse_site(text, base)
    if isinstance(profile, SiteProblem):
        raise CannotRender(f"{path}: {profile}")
    return profile


def render(
    data: DataDir,
    profile: SiteProfile,
    out: Path,
    *,
    city: PublicKey | None,
    zone: str,
    upstream: tuple[str, ...] = (),
    seen_at: Path | None = None,
    baseline: Path = BASELINE,
) -> Rendered:
    """Write dnsdist.conf, names.conf, doh.txt and environment into `out`.

    `seen_at` is where the daemons see DATA/filter. A list whose signature does not fit is set aside: a
    card that was changed from outside must not decide what children see. Raises CannotRender, OSError.
    """
    store = ListStore(data.path / "filter", baseline)
    refused = _set_aside(store, city)
    folder = seen_at or store.folder.absolute()
    lists = [str(folder / store.list_file.name)]
    if not any(str(baseline) in text for text in refused):
        lists.append(str(baseline.absolute()))
    try:
        plan = _plan(profile, folder, tuple(lists), upstream, zone)
        texts = {
            "dnsdist.conf": render_dnsdist(plan),
            "names.conf": render_node(plan, _guests(profile, plan)),
            "doh.txt": "".join(f"{address}\n" for address in DOH_ADDRESSES),
            "environment": f"TZ={plan.zone}\n",
        }
    except ValueError as e:
        raise CannotRender(str(e)) from None
    renew_file(store.folder / SAFE_HOSTS, plan.listen[0])
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        fresh = out / f".{name}"
        fresh.write_text(text, "ascii")
        fresh.chmod(0o644)
        fresh.replace(out / name)
    return Rendered(out, tuple(lists), refused)


def _plan(
    profile: SiteProfile, folder: Path, lists: tuple[str, ...], upstream: tuple[str, ...], zone: str
) -> FilterPlan:
    network = profile.network
    six = (str(network.gateway6.ip),) if network.gateway6 else ()
    return FilterPlan(
        (str(network.gateway4.ip), *six),
        profile.filter,
        garden=profile.walled_garden,
        own=own_names(profile),
        lists=lists,
        safe_hosts=str(folder / SAFE_HOSTS.parent),
        upstream=upstream,
        # The guests' IPv6 network may be a public one.
        clients=(*PRIVATE, *(n for n in (network.ipv4, network.ipv6) if n)),
        zone=zone,
    )


def _guests(profile: SiteProfile, plan: FilterPlan) -> GuestNetwork:
    return GuestNetwork(
        profile.network.guest,
        profile.network.gateway4,
        LEASE_MIN,
        plan.upstream,
        profile.capport_url,
        LEASES,
        gateway6=profile.network.gateway6,
        walled_garden=profile.walled_garden,
        dns_port=plan.cache_port,
    )


def own_names(profile: SiteProfile) -> tuple[str, ...]:
    """Names in the portal's own addresses: on the guests' network they are this node."""
    hosts = [urlsplit(url).hostname or "" for url in (profile.url, profile.capport_url)]
    names = [parse_name(host) for host in hosts]
    return tuple(dict.fromkeys(n for n in names if not isinstance(n, NameProblem)))


def look_up_on_uplink(name: str) -> list[str]:
    """IPv4 addresses by the node's own resolver, which is the uplink's and not the filter."""
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})


def _set_aside(store: ListStore, city: PublicKey | None) -> tuple[str, ...]:
    refused = []
    for path in (store.list_file, store.baseline):
        if city is None or not path.exists():
            continue
        trouble = check_signature(path, city)
        if isinstance(trouble, Unusable):
            refused.append(trouble.detail)
            if path == store.list_file:
                path.replace(path.with_name("list.refused"))
    return tuple(refused)
