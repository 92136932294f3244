"""Real objects of the sync programs, built from a data directory. Nothing else builds them here."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from municipio.clock import Clock
from municipio.settings import Settings, SettingsError
from municipio.wire.keys import PublicKey
from sync.attachments import AttachmentStore
from sync.clock import SystemClock, quality_with
from sync.clock_check import ClockCheck
from sync.database import LedgerDamaged
from sync.datadir import DataDir
from sync.delivery import Delivery
from sync.energy_note import FileBand
from sync.keys import KeyMissing, NodeKey, load_city_key
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile
from sync.outbox import Outbox
from sync.partition import wrong_partition
from sync.protocol import Exchange, Pace, slowed
from sync.salvage import open_salvaging
from sync.site_state import is_waiting
from sync.uploads import Uploads
from sync.worker import Worker

if TYPE_CHECKING:
    from sync.transport import Courier


@dataclass(frozen=True, slots=True)
class CannotStart:
    """Why a program cannot run on this data directory: one line for a person."""

    detail: str


@dataclass(frozen=True, slots=True)
class Memory:
    """A ledger that is open, and what it was opened with."""

    data: DataDir
    settings: Settings
    clock: Clock
    ledger: SqliteLedger

    def close(self) -> None:
        self.ledger.close()


def open_memory(data: DataDir, *, salvaging: bool = True) -> Memory | CannotStart:
    """Open the ledger of a data directory, making the folders and an empty ledger if needed.

    A damaged ledger is salvaged, unless the caller only wants to look.
    """
    try:
        settings = data.settings()
        trouble = wrong_partition(data.path, settings.text("node.data_mount"))
        if trouble:
            return CannotStart(trouble)
        if is_waiting(data):  # its name would change with the right file
            return CannotStart("this node has no usable plaza.toml yet: see plaza-error.txt")
        data.create()
    except (SettingsError, OSError) as e:
        return CannotStart(str(e))
    clock = SystemClock(data.link_file, quality_with(settings.flag("node.rtc")))
    opening = open_salvaging if salvaging else open_ledger
    ledger = opening(data.ledger, clock, settings.node_code, settings.text("city.inegi"))
    if isinstance(ledger, LedgerDamaged):
        return CannotStart(str(ledger))
    ledger.reserve.fill()
    return Memory(data, settings, clock, ledger)


def build_delivery(memory: Memory) -> Delivery | CannotStart:
    """The way to the city, with this node's key and the city's."""
    keys = load_keys(memory.data)
    if isinstance(keys, CannotStart):
        return keys
    (key, city), settings = keys, memory.settings
    carrier = build_courier(settings, key)
    if isinstance(carrier, KeyMissing):
        return CannotStart(carrier.detail)
    outbox = Outbox(memory.ledger)
    uploads = Uploads(memory.ledger, AttachmentStore(memory.data.attachments))
    return Delivery(outbox, settings.node_code, key, city, carrier, uploads)


def load_keys(data: DataDir) -> tuple[NodeKey, PublicKey] | CannotStart:
    """This node's key, and the city's public one."""
    key, city = NodeKey.load(data), load_city_key(data)
    if isinstance(key, KeyMissing):
        return CannotStart(key.detail)
    return CannotStart(city.detail) if isinstance(city, KeyMissing) else (key, city)


def build_courier(settings: Settings, key: NodeKey) -> Courier | KeyMissing:
    """HTTP to the city as the settings say; a CA file that cannot be read is told, not ignored."""
    from sync.tls import city_tls  # of all that open a ledger, only one speaks with the city
    from sync.transport import Courier

    url, timeout_s = settings.text("central.url"), settings.number("central.timeout_s")
    if not url.lower().startswith("https:"):
        return Courier(url, key, timeout_s)
    tls = city_tls(settings.text("central.ca_file"))
    return tls if isinstance(tls, KeyMissing) else Courier(url, key, timeout_s, tls)


def build_worker(memory: Memory, delivery: Delivery) -> Worker:
    settings = memory.settings
    pace = Pace(
        settings.number("sync.heartbeat_s"),
        settings.number("sync.retry_min_s"),
        settings.number("sync.retry_max_s"),
    )
    chance = random.SystemRandom().random
    exchange = Exchange(pace, chance, attempts=delivery.outbox.attempts())
    band = FileBand(memory.data, settings, memory.clock)
    return Worker(
        memory.ledger,
        delivery,
        exchange,
        LinkFile(memory.data.link_file, memory.data.kept_link_file),
        pace=lambda: slowed(pace, band()),
        clock_check=ClockCheck(memory.ledger, memory.data.run),
    )
