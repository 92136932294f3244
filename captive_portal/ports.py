"""What the portal needs from the rest of the node, and what it knows about its site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from captive_portal.door import Door
from captive_portal.filter.database import Facts
from captive_portal.filter.lookup import Answer, Unreadable
from captive_portal.gate.visits import Gate
from captive_portal.photos import PhotoDesk
from captive_portal.putting_up import PuttingUp
from captive_portal.service_note import ServiceToday
from captive_portal.site import SiteProfile
from captive_portal.theme import primary_color
from municipio.clock import Clock
from municipio.settings import Settings
from municipio.stick_words import Trip
from municipio.usecases.ports import Catalogue, Ledger, Link, Sealer

LANGUAGES = ("es", "en")
Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Site:
    """Checked facts about one portal. `hosts` are the only names under which it shows pages."""

    name: str
    address: str
    city: str
    help_phone: str
    node_code: str
    languages: tuple[str, ...]
    public_url: str
    secure_url: str
    """The portal's https address, empty when this site has no certificate."""
    hosts: frozenset[str]
    primary: str
    zone: ZoneInfo
    enforced: bool
    """False with the memory gate: nothing is really blocked and the page says so."""
    frame_ancestor: str = ""
    """An origin that may show the portal in a frame (the demonstration's bench page); empty: none."""


class NameFilter(Protocol):
    """Why a name does not resolve on this network. `captive_portal.filter.lookup.Filter` is the real one."""

    def look_up(self, name: str, local: datetime | None = None) -> Answer: ...

    def facts(self) -> Facts | Unreadable: ...


class NoFilter:
    """A node without lists. Satisfies `NameFilter`."""

    def look_up(self, name: str, local: datetime | None = None) -> Answer:
        return Unreadable("this node has no filter list")

    def facts(self) -> Facts | Unreadable:
        return Unreadable("this node has no filter list")


def no_limit() -> ServiceToday | None:
    return None


def no_key() -> bytes | None:
    return None


def no_trip() -> Trip | None:
    return None


@dataclass(frozen=True, slots=True)
class Ports:
    site: Site
    gate: Gate
    ledger: Ledger
    catalogue: Catalogue
    link: Link
    clock: Clock
    door: Door
    sealer: Sealer
    photos: PhotoDesk
    translations: dict[str, Translate]
    """A translation function per language of `LANGUAGES`."""
    filter: NameFilter = field(default_factory=NoFilter)
    service: Callable[[], ServiceToday | None] = no_limit
    """Today's hours, when the battery limits them."""
    status_key: Callable[[], bytes | None] = no_key
    """The technician's key to the status page (`captive_portal.status_key`); None: there is no such page."""
    trip: Callable[[], Trip | None] = no_trip
    """How far a USB stick of the city is, while one is in."""
    putting_up: PuttingUp | None = None
    """Only on a node that a site file made."""


def site_from_settings(
    settings: Settings,
    profile: SiteProfile,
    *,
    listen: str,
    public_url: str,
    enforced: bool,
    frame_ancestor: str = "",
) -> Site:
    """What the pages say of a place. `public_url` is the address that visitors see."""
    port = listen.rpartition(":")[2]
    secure = urlsplit(profile.capport_url)
    own = {urlsplit(public_url).netloc.lower(), listen.lower(), secure.netloc.lower()} - {""}
    return Site(
        name=profile.name,
        address=settings.text("node.address"),
        city=settings.text("city.name"),
        help_phone=settings.text("city.help_phone"),
        node_code=settings.node_code,
        languages=profile.languages,
        public_url=public_url.rstrip("/"),
        secure_url=f"https://{secure.netloc}" if secure.netloc else "",
        hosts=frozenset(own | {f"localhost:{port}", f"127.0.0.1:{port}"}),
        primary=primary_color(settings.text("city.primary_color")),
        zone=ZoneInfo(settings.text("city.timezone")),
        enforced=enforced,
        frame_ancestor=frame_ancestor,
    )
