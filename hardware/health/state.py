"""What is judged of a node's body, and everything that can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from municipio.devices import DeviceState, DeviceStatus


class Item(StrEnum):
    SUPPLY = "supply"
    TEMPERATURE = "temperature"
    THROTTLING = "throttling"
    STORAGE_ERRORS = "storage_errors"
    STORAGE_WEAR = "storage_wear"
    STORAGE_TEST = "storage_test"
    SPACE = "space"
    INODES = "inodes"
    CLOCK = "clock"
    SCREEN = "screen"
    MEMORY = "memory"
    LOAD = "load"


class ItemState(StrEnum):
    OK = "ok"
    UNKNOWN = "unknown"
    ATTENTION = "attention"
    FAULT = "fault"


class Cause(StrEnum):
    NOT_READABLE = "not_readable"
    """A sensor that this board must have does not answer."""
    UNDERVOLTAGE = "undervoltage"
    UNDERVOLTAGE_SEEN = "undervoltage_seen"
    """Some time since this start; the supply is right now."""
    HOT = "hot"
    TOO_HOT = "too_hot"
    THROTTLED = "throttled"
    STORAGE_ERRORS = "storage_errors"
    STORAGE_WEARING = "storage_wearing"
    STORAGE_WORN = "storage_worn"
    STORAGE_SLOW = "storage_slow"
    STORAGE_STUCK = "storage_stuck"
    STORAGE_FAILED = "storage_failed"
    """What was written did not come back, or could not be written."""
    SPACE_LOW = "space_low"
    SPACE_FULL = "space_full"
    INODES_LOW = "inodes_low"
    CLOCK_UNTRUSTED = "clock_untrusted"
    SOFTWARE_RENDERER = "software_renderer"
    MEMORY_LOW = "memory_low"
    LOAD_HIGH = "load_high"


@dataclass(frozen=True, slots=True)
class Finding:
    """One item; `value` is what was read, in `unit`, None when there is no figure."""

    item: Item
    state: ItemState
    cause: Cause | None = None
    value: int | None = None
    unit: str = ""


_WORST_FIRST = (ItemState.FAULT, ItemState.ATTENTION, ItemState.UNKNOWN, ItemState.OK)
_DEVICE_STATE = {
    ItemState.FAULT: DeviceState.FAULT,
    ItemState.ATTENTION: DeviceState.ATTENTION,
    ItemState.UNKNOWN: DeviceState.UNKNOWN,
    ItemState.OK: DeviceState.READY,
}


@dataclass(frozen=True, slots=True)
class Health:
    """Every item that this board has, each with its own state. An item it cannot have is left out."""

    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding | None:
        """The first of the worst; None when nothing is judged."""
        for state in _WORST_FIRST:
            for finding in self.findings:
                if finding.state is state:
                    return finding
        return None

    @property
    def status(self) -> DeviceStatus:
        """The node as one device: the worst of its items and that item's cause."""
        worst = self.worst
        if worst is None:
            return DeviceStatus(DeviceState.UNKNOWN, Cause.NOT_READABLE.value)
        cause = "" if worst.cause is None else worst.cause.value
        return DeviceStatus(_DEVICE_STATE[worst.state], cause)

    def of(self, item: Item) -> Finding | None:
        return next((f for f in self.findings if f.item is item), None)
