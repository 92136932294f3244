"""Which changes of a device are worth a `device.changed` fact: each once, and no flapping. Pure.

Recording is the caller's work: `plaza` and `kiosk` own a ledger, this room does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from municipio.devices import DeviceState, DeviceStatus

SETTLE_S = 2.0
"""A state that did not last this long is told to nobody: a cable was moved."""
AGAIN_S = 60.0
"""The same device is told at most this often once it has told `BURST` changes without a rest."""
BURST = 6


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is None for the first state that a device ever had."""

    device: str
    before: DeviceStatus | None
    now: DeviceStatus


@dataclass(slots=True)
class _Memory:
    told: DeviceStatus | None = None
    seen: DeviceStatus | None = None
    since: float = 0.0
    refilled_at: float = 0.0
    budget: float = float(BURST)


class ChangeDetector:
    """Show it every status as often as you like; it answers when a change is to be recorded."""

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        self._settle_s = settle_s
        self._devices: dict[str, _Memory] = {}

    def see(self, device: str, status: DeviceStatus, now: float) -> Change | None:
        """`now` is monotonic seconds. STARTING and BUSY are work, not news."""
        if status.state in (DeviceState.STARTING, DeviceState.BUSY):
            return None
        memory = self._devices.setdefault(device, _Memory(refilled_at=now))
        if status != memory.seen:
            memory.seen, memory.since = status, now
        if status == memory.told or now - memory.since < self._settle_s:
            return None
        memory.budget = min(float(BURST), memory.budget + (now - memory.refilled_at) / AGAIN_S)
        memory.refilled_at = now
        if memory.budget < 1:
            return None
        memory.budget -= 1
        change = Change(device, memory.told, status)
        memory.told = status
        return change
