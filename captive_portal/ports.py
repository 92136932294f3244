"""What the portal needs from the rest of the node, and what it knows about its site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from captive_portal.gate.visits import Gate
from captive_portal.photos import PhotoDesk
from captive_portal.theme import primary_color
from municipio.clock import Clock
from municipio.settings import Settings
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
    session_s: int
    public_url: str
    api_url: str
    hosts: frozenset[str]
    primary: str
    zone: ZoneInfo
    enforced: bool
    """False with the memory gate: nothing is really blocked and the page says so."""
    frame_ancestor: str = ""
    """An origin that may show the portal in a frame (the demonstration's bench page); empty: none."""


@dataclass(frozen=True, slots=True)
class Ports:
    site: Site
    gate: Gate
    ledger: Ledger
    catalogue: Catalogue
    link: Link
    clock: Clock
    sealer: Sealer
    photos: PhotoDesk
    translations: dict[str, Translate]
    """A translation function per language of `LANGUAGES`."""


def site_from_settings(
    settings: Settings, *, listen: str, public_url: str, enforced: bool, frame_ancestor: str = ""
) -> Site:
    """Read the portal's part of a node's settings. `public_url` is the address that visitors see."""
    port = listen.rpartition(":")[2]
    own = {urlsplit(public_url).netloc.lower(), listen.lower()}
    return Site(
        name=settings.text("node.site"),
        address=settings.text("node.address"),
        city=settings.text("city.name"),
        help_phone=settings.text("city.help_phone"),
        node_code=settings.node_code,
        session_s=settings.number("portal.session_min") * 60,
        public_url=public_url.rstrip("/"),
        api_url=settings.text("portal.api_url"),
        hosts=frozenset(own | {f"localhost:{port}", f"127.0.0.1:{port}"}),
        primary=primary_color(settings.text("city.primary_color")),
        zone=ZoneInfo(settings.text("city.timezone")),
        enforced=enforced,
        frame_ancestor=frame_ancestor,
    )
