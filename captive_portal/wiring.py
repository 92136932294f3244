"""The only place that builds the portal's real parts: from a data directory to a served application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from captive_portal.app import create_app
from captive_portal.gate.client import GateClient
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.visits import Gate
from captive_portal.gate.wiring import boot_ms
from captive_portal.languages import load_translations
from captive_portal.photos import photo_desk
from captive_portal.ports import Ports, site_from_settings
from captive_portal.pseudonym import DayKey
from captive_portal.server import make_server
from municipio.settings import Settings
from sync.attachments import AttachmentStore
from sync.catalogue import SqliteCatalogue
from sync.datadir import DataDir
from sync.link import FileLink
from sync.sealing import AgeSealer
from sync.wiring import CannotStart as NoMemory
from sync.wiring import open_memory


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


def build_ports(options: PortalOptions) -> Ports:
    """Open the node's memory and its gate. Raises CannotStart."""
    memory = open_memory(DataDir(options.data))
    if isinstance(memory, NoMemory):
        raise CannotStart(memory.detail)
    data, settings, clock = memory.data, memory.settings, memory.clock
    catalogue = SqliteCatalogue(data.catalogue)
    sealer = AgeSealer(catalogue.recipient_keys)
    kind = options.gate or settings.text("portal.gate")
    return Ports(
        site=site_from_settings(
            settings,
            listen=listen_of(options, settings),
            public_url=_public_url(options, settings),
            enforced=kind == "nft",
            frame_ancestor=options.frame_ancestor,
        ),
        gate=_gate(kind, settings),
        ledger=memory.ledger,
        catalogue=catalogue,
        link=FileLink(data.link_file, clock, settings.number("sync.heartbeat_s")),
        clock=clock,
        sealer=sealer,
        photos=photo_desk(
            sealer, AttachmentStore(data.attachments), clock, data.path / "photo-codes.json"
        ),
        translations=load_translations(),
    )


def listen_of(options: PortalOptions, settings: Settings) -> str:
    return options.listen or settings.text("portal.listen")


def _public_url(options: PortalOptions, settings: Settings) -> str:
    """As told; else the settings' when the portal listens where they say; else where it listens."""
    if options.public_url:
        return options.public_url
    listen = listen_of(options, settings)
    return (
        settings.text("portal.public_url")
        if listen == settings.text("portal.listen")
        else f"http://{listen}"
    )


def _gate(kind: str, settings: Settings) -> Gate:
    if kind == "nft":
        return GateClient(Path(settings.text("portal.gate_socket")))
    return MemoryGate(boot_ms, DayKey(boot_ms))


def run_portal(options: PortalOptions) -> None:
    """Serve until interrupted. Raises CannotStart, SettingsError, or OSError for a taken address."""
    ports = build_ports(options)
    listen = listen_of(options, DataDir(options.data).settings())
    make_server(create_app(ports), listen, options.threads).run()
