"""The only place that builds the portal's real parts: from a data directory to a served application."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from captive_portal.app import create_app
from captive_portal.day_use_file import DayUseFile
from captive_portal.door import Door
from captive_portal.filter.lookup import Filter
from captive_portal.filter.store import ListStore
from captive_portal.gate.client import GateClient
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.visits import Gate
from captive_portal.gate.wiring import boot_ms
from captive_portal.housekeeping import HouseKeeper
from captive_portal.languages import load_translations
from captive_portal.metrics import MetricsServer, render
from captive_portal.photos import photo_desk
from captive_portal.ports import Ports, site_from_settings
from captive_portal.pseudonym import DayKey
from captive_portal.putting_up import NodePuttingUp
from captive_portal.resume import ResumeBook
from captive_portal.secure_origin import SecureOrigin
from captive_portal.server import make_server, proof_of_life
from captive_portal.service_note import read_service, service_file
from captive_portal.site import SiteProblem, SiteProfile, parse_site, site_file, site_of_settings
from captive_portal.status_key import key_file, load_key
from captive_portal.uplink import UplinkWatch
from captive_portal.vitals import take_vitals
from captive_portal.waiting import run_waiting
from municipio.clock import Clock
from municipio.settings import Settings
from municipio.site_file.state import SiteStanding
from municipio.usecases.ports import Link
from sync.acceptance import SightBook
from sync.attachments import AttachmentStore
from sync.catalogue import SqliteCatalogue
from sync.datadir import DataDir
from sync.link import FileLink
from sync.notify import Pulse, supervisor
from sync.sealing import AgeSealer
from sync.site_state import read_site_state
from sync.stick import read_trip
from sync.wiring import CannotStart as NoMemory
from sync.wiring import open_memory

if TYPE_CHECKING:
    from captive_portal.secure import SecureDoor

PROOF_S = 20.0
"""So long the first answer of a server that just started may take, where no watchdog sets a limit."""

_log = logging.getLogger("plaza.captive_portal")


class CannotStart(Exception):
    """The portal or the gate cannot run; the message says what to repair."""


@dataclass(frozen=True, slots=True)
class PortalOptions:
    """What the command line may say beyond the settings; empty texts mean "as in the settings"."""

    data: Path
    listen: str = ""
    gate: str = ""
    public_url: str = ""
    frame_ancestor: str = ""
    threads: int = 8
    site: Path | None = None


def build_ports(options: PortalOptions) -> Ports:
    """Open the node's memory and its gate. Raises CannotStart."""
    memory = open_memory(DataDir(options.data))
    if isinstance(memory, NoMemory):
        raise CannotStart(memory.detail)
    data, settings, clock = memory.data, memory.settings, memory.clock
    profile = sound(load_profile(options, settings), data.path, clock)
    catalogue = SqliteCatalogue(data.catalogue)
    sealer = AgeSealer(catalogue.recipient_keys)
    kind = options.gate or settings.text("portal.gate")
    gate = _gate(kind, settings, profile)
    site = site_from_settings(
        settings,
        profile,
        listen=listen_of(options, settings),
        public_url=_public_url(options, settings, profile),
        enforced=kind == "nft",
        frame_ancestor=options.frame_ancestor,
    )
    link = FileLink(data.link_file, clock, settings.number("sync.heartbeat_s"))
    return Ports(
        site=site,
        gate=gate,
        ledger=memory.ledger,
        catalogue=catalogue,
        link=_uplink(kind, link, clock, profile),
        clock=clock,
        door=Door(
            profile=profile,
            gate=gate,
            ledger=memory.ledger,
            catalogue=catalogue,
            clock=clock,
            zone=site.zone,
            codes=ResumeBook(data.path / "resume-codes.ndjson", clock),
            day_use=_day_use(kind),
        ),
        sealer=sealer,
        photos=photo_desk(
            sealer, AttachmentStore(data.attachments), clock, data.path / "photo-codes.json"
        ),
        translations=load_translations(),
        filter=Filter(ListStore(data.path / "filter"), profile.filter),
        service=read_service(service_file(data.run), clock),
        status_key=lambda: load_key(key_file(data.node_key.parent)),
        trip=partial(read_trip, data.stick_file, clock),
        putting_up=_putting_up(data, settings, link, clock),
    )


def _day_use(kind: str) -> DayUseFile | None:
    """In the memory that systemd gives this program (RuntimeDirectory), by the names of a gate that has a
    process of its own; elsewhere the day is this process's."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return DayUseFile(Path(folder) / "day-use") if folder and kind == "nft" else None


def _putting_up(
    data: DataDir, settings: Settings, link: Link, clock: Clock
) -> NodePuttingUp | None:
    """Of a node that a site file made."""
    if read_site_state(data) is None:
        return None
    has_printer = settings.flag("printer.enabled") and settings.text("printer.port") != ""
    return NodePuttingUp(data, SightBook(data), link, clock, settings.node_code, has_printer)


def load_profile(options: PortalOptions, settings: Settings) -> SiteProfile:
    """The site file over the node's settings. Raises CannotStart, naming the file, key and line."""
    base = site_of_settings(settings)
    file = site_file(options.site, options.data)
    if file is None:
        return base
    try:
        profile = parse_site(file.read_text("utf-8"), base)
    except (OSError, UnicodeDecodeError) as e:
        raise CannotStart(f"{file}: {e}") from e
    if isinstance(profile, SiteProblem):
        raise CannotStart(f"{file}: {profile}")
    return profile


def _uplink(kind: str, link: Link, clock: Clock, profile: SiteProfile) -> Link:
    """With a real gate, or with targets to ask, the way out is watched; else the city's answer decides."""
    net = profile.network
    if kind != "nft" and not net.checks:
        return link
    watch = UplinkWatch(link, clock, net.checks, net.uplink if kind == "nft" else "")
    watch.start()
    return watch


def listen_of(options: PortalOptions, settings: Settings) -> str:
    return options.listen or settings.text("portal.listen")


def _public_url(options: PortalOptions, settings: Settings, profile: SiteProfile) -> str:
    """As told; else the site's when it or the place of listening was not overridden; else that place."""
    if options.public_url:
        return options.public_url
    listen = listen_of(options, settings)
    said = profile.url != site_of_settings(settings).url
    return profile.url if said or listen == settings.text("portal.listen") else f"http://{listen}"


def _gate(kind: str, settings: Settings, profile: SiteProfile) -> Gate:
    if kind == "nft":
        return GateClient(Path(settings.text("portal.gate_socket")))
    return MemoryGate(boot_ms, DayKey(boot_ms), profile.max_devices)


def run_portal(options: PortalOptions) -> None:
    """Serve until interrupted or terminated. Raises CannotStart, SettingsError, or OSError for a taken
    address or a certificate that cannot be read."""
    listener = supervisor()
    settings = DataDir(options.data).settings()
    listen = listen_of(options, settings)
    state = read_site_state(DataDir(options.data))
    if state is not None and state.standing is SiteStanding.WAITING:
        signal.signal(signal.SIGTERM, _leave)
        run_waiting(state.faults, listen, options.threads, listener)
        return
    ports = build_ports(options)
    secure = SecureOrigin()
    app = create_app(ports)
    app.wsgi_app = secure.around(app.wsgi_app)  # type: ignore[method-assign,assignment]  # Flask's way
    server = make_server(app, listen, options.threads, ports.door.counters, secure.peer_of)
    host = "127.0.0.1" if server.effective_host in ("0.0.0.0", "::") else server.effective_host  # noqa: S104 - compared
    inner = (host, int(server.effective_port))
    door = _secure_door(ports.door.profile, options.data, inner, secure)
    keeper = HouseKeeper(ports.door)
    metrics = _metrics(settings.text("portal.metrics_listen"), ports)
    signal.signal(signal.SIGTERM, _leave)
    keeper.start()
    pulse = Pulse(listener, lambda: proof_of_life(server, listener.beat_s or PROOF_S))
    pulse.start()
    try:
        server.run()
    finally:
        pulse.stop()
        if door is not None:
            door.stop()
        if metrics is not None:
            metrics.stop()
        keeper.stop()


def _metrics(listen: str, ports: Ports) -> MetricsServer | None:
    if not listen:
        return None
    try:
        return MetricsServer(listen, lambda: render(take_vitals(ports)))
    except ValueError as e:
        raise CannotStart(f"portal.metrics_listen: {e}") from e


def _secure_door(
    profile: SiteProfile, data: Path, inner: tuple[str, int], secure: SecureOrigin
) -> SecureDoor | None:
    """The TLS listener, when the site has a certificate and this program is to serve it."""
    cert, key = profile.capport_cert, profile.capport_key
    if not profile.capport_listen or cert is None or key is None:
        return None
    from captive_portal.secure import SecureDoor

    door = SecureDoor(profile.capport_listen, data / cert, data / key, inner, secure)
    door.start()
    return door


def sound(profile: SiteProfile, data: Path, clock: Clock) -> SiteProfile:
    """The profile without its https address when the certificate would not be believed.

    A portal without TLS still lets people in; one that announces an address that phones refuse does not.
    """
    cert, key = profile.capport_cert, profile.capport_key
    host = urlsplit(profile.capport_url).hostname
    if not profile.capport_listen and cert is None:
        return profile
    if cert is None or key is None or not host:
        flaw = "[capport] needs url, listen, cert and key"
    else:
        from captive_portal.secure import certificate_flaw

        now = clock.now()
        flaw = certificate_flaw(data / cert, data / key, host, now.time if now.is_trusted else None)
    if not flaw:
        return profile
    _log.warning("no https and no option 114: %s", flaw)
    return replace(profile, capport_url="", capport_listen="")


def _leave(*_: object) -> None:
    raise SystemExit(0)
