"""What one look at a node found, frozen. Checks judge it and never look again themselves.

None always means that it could not be read, which is a state of its own; counts stand in for anything
that could name a visitor. Whole seconds and bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from captive_portal.gate.visits import GateStats, GateTrouble
from hardware.health.state import Finding as HealthItem
from municipio.clock import TimeQuality
from municipio.site_file.state import SiteState
from plaza.energy_check import EnergySeen
from plaza.image import ImageInfo
from plaza.updates.doctor_check import UpdatesSeen


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    name: str
    state: str
    cause: str


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """One unit as systemd tells it. `wanted`: on this node it should be running (or have run)."""

    name: str
    active: str
    sub: str
    restarts: int
    result: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """`has_route`: a default route leads out by the uplink."""

    uplink: str
    exists: bool
    carrier: bool
    has_route: bool
    guest: str
    guest_up: bool


@dataclass(frozen=True, slots=True)
class RadioSeen:
    """`interface` is empty on a wired site. `on_air` None: the radio could not be asked."""

    interface: str
    exists: bool
    on_air: bool | None
    country: str
    devices: int | None


@dataclass(frozen=True, slots=True)
class DiskSeen:
    """`kernel_errors` counts lines of this start's kernel log about the card or its file system."""

    root_read_only: bool | None
    data_read_only: bool
    data_is_mounted: bool
    kernel_errors: int | None


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """`now` None: nothing is known about the time."""

    now: datetime | None
    quality: TimeQuality
    has_rtc_device: bool
    says_rtc: bool
    is_solar: bool


@dataclass(frozen=True, slots=True)
class ContactSeen:
    """`last` is the newest moment that the city signed or acknowledged; `trouble` a word of the worker."""

    state: str
    last: datetime | None
    trouble: str
    has_key: bool


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """`waiting` per lane. `damage`: why the ledger cannot be opened. `oldest`: of what still waits."""

    waiting: dict[str, int]
    oldest: datetime | None
    refused: int
    files_waiting: int
    files_missing: int
    epoch: int
    epoch_reason: str
    damage: str = ""


@dataclass(frozen=True, slots=True)
class FilterSeen:
    """`day` None: no list can be read, and `detail` says why."""

    day: date | None
    names: int = 0
    is_baseline: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ContentSeen:
    day: date | None
    version: str = ""


@dataclass(frozen=True, slots=True)
class VersionsSeen:
    """`ledger_schema` None: there is no ledger yet."""

    plaza: str
    image: ImageInfo | None
    system: str
    kernel: str
    ledger_schema: int | None
    writes_schema: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`settings_trouble`: the settings cannot be read, so that everything else was looked at by defaults."""

    node: str
    profile: str
    has_portal: bool
    settings_trouble: str
    devices: tuple[DeviceSeen, ...]
    health: tuple[HealthItem, ...]
    services: tuple[ServiceSeen, ...] | None
    network: NetworkSeen
    radio: RadioSeen
    disk: DiskSeen
    clock: ClockSeen
    contact: ContactSeen
    queue: QueueSeen | None
    filter: FilterSeen
    content: ContentSeen
    energy: EnergySeen | None
    versions: VersionsSeen
    site: SiteState | None = None
    """What plaza.toml came to; None on a host that no card made."""
    updates: UpdatesSeen | None = None
    gate: GateStats | GateTrouble | None = None
    """None where the gate is not the firewall's."""
