"""One look at a whole node: its data directory, its devices and the machine around it.

Nothing is changed but one: the card's own test writes and reads back 4 KiB. A part that cannot be read
is told as such and never stops the rest.
"""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from captive_portal.filter.database import Unusable
from captive_portal.filter.store import ListStore
from captive_portal.gate.client import GateClient
from captive_portal.gate.visits import GateStats, GateTrouble
from captive_portal.site import SiteProblem, SiteProfile, parse_site, site_file, site_of_settings
from captive_portal.wifi.profile import Mode
from hardware.health.driver import build_health
from hardware.health.state import Finding as HealthItem
from hardware.health.state import Item
from municipio.clock import Clock
from municipio.facts import FactError, decode_fact, parse_time
from municipio.settings import Settings, SettingsError, parse_settings
from plaza.doctor.host import Host
from plaza.doctor.snapshot import (
    ClockSeen,
    ContactSeen,
    ContentSeen,
    DeviceSeen,
    FilterSeen,
    QueueSeen,
    Snapshot,
    VersionsSeen,
)
from plaza.energy_check import look_at_energy
from plaza.hardware_look import looked_at
from plaza.image import read_image
from plaza.updates.doctor_check import look_at_updates
from sync.attachments import AttachmentStore
from sync.catalogue import SqliteCatalogue
from sync.clock import SystemClock, quality_with
from sync.database import SCHEMA_VERSION
from sync.datadir import DataDir
from sync.device_note import told_devices
from sync.kiosk_pulse import read_pulse
from sync.link import FileLink, read_link
from sync.outbox import Load, Outbox
from sync.partition import wrong_partition
from sync.site_state import read_site_state
from sync.uploads import Uploads
from sync.wiring import CannotStart, Memory, open_memory

HEALTH_S = 4.0


def collect(data: DataDir, host: Host | None = None) -> Snapshot:
    """Look at everything once; takes some seconds where devices are opened."""
    host = host or Host()
    settings, trouble = _settings(data)
    clock = SystemClock(data.link_file, quality_with(settings.flag("node.rtc")))
    site, site_trouble = _site(data, settings)
    profile = settings.text("node.profile")
    radio = site.wifi.interface if site.wifi.mode is Mode.RADIO else ""
    memory = open_memory(data, salvaging=False) if data.ledger.exists() else None
    try:
        queue, schema = _queue(memory), _schema(memory)
    finally:
        if isinstance(memory, Memory):
            memory.close()
    return Snapshot(
        node=settings.node_code,
        profile=profile,
        has_portal=settings.text("portal.gate") == "nft",
        settings_trouble=trouble or site_trouble,
        devices=_devices(data, settings, clock),
        health=_health(data, settings),
        services=host.services(kiosk=profile != "portal", portal=True),
        network=host.network(site.network.uplink, site.network.guest),
        radio=host.radio(radio),
        disk=host.disk(data.path.absolute(), not wrong_partition(
            data.path, settings.text("node.data_mount"))),
        clock=_clock(settings, clock, host),
        contact=_contact(data, settings, clock),
        queue=queue,
        filter=_filter(data),
        content=_content(data),
        energy=look_at_energy(data, settings, clock, host.root / "sys"),
        versions=_versions(host, schema),
        site=read_site_state(data),
        updates=look_at_updates(data, read_image()),
        gate=look_at_gate(settings),
    )  # fmt: skip


def _settings(data: DataDir) -> tuple[Settings, str]:
    try:
        return data.settings(), ""
    except SettingsError as e:
        return parse_settings({}), str(e)


def _site(data: DataDir, settings: Settings) -> tuple[SiteProfile, str]:
    """The site's profile; where its file is wrong the settings' alone, and what is wrong."""
    base = SiteProfile()
    try:
        base = site_of_settings(settings)
        file = site_file(None, data.path)
        if file is None:
            return base, ""
        found = parse_site(file.read_text(encoding="utf-8"), base)
    except (SettingsError, OSError, UnicodeDecodeError) as e:
        return base, str(e)
    return (base, f"{file.name}: {found}") if isinstance(found, SiteProblem) else (found, "")


def look_at_gate(settings: Settings) -> GateStats | GateTrouble | None:
    """The gate's counters; None where it is not the firewall's."""
    if settings.text("portal.gate") != "nft":
        return None
    client = GateClient(Path(settings.text("portal.gate_socket")))
    try:
        return client.stats()
    finally:
        client.close()


def _devices(data: DataDir, settings: Settings, clock: Clock) -> tuple[DeviceSeen, ...]:
    """As the kiosk holds them; where none runs they are opened to look."""
    if read_pulse(data.kiosk_file, clock.now()) is not None:
        told = told_devices(data)
        return tuple(DeviceSeen(n, s, c) for n, (s, c) in told.items() if n != "health")
    found = [f for f in looked_at(settings, data.path) if f.device != "health"]
    return tuple(DeviceSeen(f.device, f.state, f.cause) for f in found)


def _health(data: DataDir, settings: Settings) -> tuple[HealthItem, ...]:
    watched = build_health(settings, data.path)
    end = time.monotonic() + HEALTH_S
    try:
        while True:
            found = watched.health()
            whole = found is not None and found.of(Item.STORAGE_TEST) is not None
            if whole or time.monotonic() > end:
                return () if found is None else found.findings
            time.sleep(0.05)
    finally:
        watched.close()


def _clock(settings: Settings, clock: Clock, host: Host) -> ClockSeen:
    now = clock.now()
    return ClockSeen(
        now=now.time,
        quality=now.quality,
        has_rtc_device=host.has_rtc(),
        says_rtc=settings.flag("node.rtc"),
        is_solar=settings.text("energy.kind") == "solar",
    )


def _contact(data: DataDir, settings: Settings, clock: Clock) -> ContactSeen:
    heartbeat_s = settings.number("sync.heartbeat_s")
    note = read_link(data.link_file)
    state = FileLink(data.link_file, clock, heartbeat_s).report().state
    newest = max(note.city_time, note.last_carried) if note else ""
    trouble = note.trouble if note else ""
    return ContactSeen(state.value, _moment(newest), trouble, data.node_key.exists())


def _moment(text: str) -> datetime | None:
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


def _queue(memory: Memory | CannotStart | None) -> QueueSeen | None:
    if memory is None:
        return None
    if isinstance(memory, CannotStart):
        return QueueSeen({}, None, 0, 0, 0, 0, "", memory.detail)
    outbox = Outbox(memory.ledger)
    uploads = Uploads(memory.ledger, AttachmentStore(memory.data.attachments))
    waiting: dict[str, int] = {}
    for stretch in outbox.stretches():
        waiting[stretch.lane] = waiting.get(stretch.lane, 0) + stretch.waiting
    return QueueSeen(
        waiting=waiting,
        oldest=_oldest(outbox),
        refused=len(outbox.problems()),
        files_waiting=len(uploads.waiting()),
        files_missing=uploads.missing(),
        epoch=outbox.epoch(),
        epoch_reason=outbox.epoch_reason()[0],
    )


def _oldest(outbox: Outbox) -> datetime | None:
    """When the oldest fact that waits was recorded, as far as the clock knew."""
    moments = []
    for stretch in outbox.stretches():
        if stretch.waiting:
            load = outbox.load(stretch.lane, stretch.epoch, stretch.acked + 1, 1)
            with contextlib.suppress(FactError):
                time_ = decode_fact(load.facts[0]).time if isinstance(load, Load) else None
                moments += [] if time_ is None else [time_]
    return min(moments, default=None)


def _schema(memory: Memory | CannotStart | None) -> int | None:
    if not isinstance(memory, Memory):
        return None
    with memory.ledger.reading() as connection:
        return int(connection.pragma("user_version"))


def _filter(data: DataDir) -> FilterSeen:
    found = ListStore(data.path / "filter").serving()
    if isinstance(found, Unusable):
        return FilterSeen(None, detail=found.detail)
    day = datetime.fromisoformat(found.facts.date).date()
    return FilterSeen(day, found.facts.names, found.is_baseline)


def _content(data: DataDir) -> ContentSeen:
    catalogue = SqliteCatalogue(data.catalogue)
    try:
        return ContentSeen(catalogue.content_date(), catalogue.content_version())
    finally:
        catalogue.close()


def _versions(host: Host, schema: int | None) -> VersionsSeen:
    try:
        plaza = version("plaza")
    except PackageNotFoundError:
        plaza = "0"
    system, kernel = host.system()
    image = read_image(host.root / "usr/lib/plaza/image.json")
    return VersionsSeen(plaza, image, system, kernel, schema, SCHEMA_VERSION)
