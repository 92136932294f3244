"""From figures to findings: every limit of a node's health in one place. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.health.canary import Came, CanaryResult
from hardware.health.readers import Figure, No, Space, Vitals
from hardware.health.state import Cause, Finding, Health, Item, ItemState
from municipio.clock import TRUSTED_QUALITIES, TimeQuality

HOT_MC, TOO_HOT_MC = 75_000, 84_000
"""A Raspberry Pi slows down from 80 °C and by force from 85 °C."""
WEARING_PERCENT, WORN_PERCENT = 80, 110
PRE_EOL_WARNING, PRE_EOL_URGENT = 2, 3
SLOW_CANARY_MS = 2_000
SPACE_LOW_BYTES, SPACE_FULL_BYTES = 500 << 20, 100 << 20
INODES_LOW_PERCENT = 5
MEMORY_LOW_PERCENT = 8
LOAD_HIGH_PERCENT = 200
SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software rasterizer")

OK, ATTENTION, FAULT = ItemState.OK, ItemState.ATTENTION, ItemState.FAULT


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that one look at the node found."""

    vitals: Vitals
    undervoltage_seen: bool = False
    space: Space | No | None = None
    canary: CanaryResult | None = None
    canary_is_stuck: bool = False
    clock: TimeQuality | None = None
    renderer: str = ""


def judge(looked: Looked) -> Health:
    found = (
        _supply(looked),
        _temperature(looked.vitals),
        _throttling(looked.vitals),
        _storage_errors(looked.vitals),
        _wear(looked.vitals),
        _storage_test(looked),
        _space(looked.space),
        _inodes(looked.space),
        _clock(looked.clock),
        _screen(looked),
        _memory(looked.vitals),
        _load(looked.vitals),
    )
    return Health(tuple(f for f in found if f is not None))


def _silent(item: Item, figure: Figure, *, must: bool = False) -> Finding | None:
    """For a figure that is not there: left out, or unknown when this board must have it."""
    if figure is No.SUCH_THING and not must:
        return None
    return Finding(item, ItemState.UNKNOWN, Cause.NOT_READABLE)


def _supply(looked: Looked) -> Finding | None:
    now = looked.vitals.undervoltage
    if isinstance(now, int) and now:
        return Finding(Item.SUPPLY, FAULT, Cause.UNDERVOLTAGE)
    if looked.undervoltage_seen:
        return Finding(Item.SUPPLY, ATTENTION, Cause.UNDERVOLTAGE_SEEN)
    if isinstance(now, No):
        return _silent(Item.SUPPLY, now, must=looked.vitals.is_pi)
    return Finding(Item.SUPPLY, OK)


def _temperature(vitals: Vitals) -> Finding | None:
    heat = vitals.temperature_mc
    if isinstance(heat, No):
        return _silent(Item.TEMPERATURE, heat, must=vitals.is_pi)
    if heat >= TOO_HOT_MC:
        state, cause = FAULT, Cause.TOO_HOT
    elif heat >= HOT_MC:
        state, cause = ATTENTION, Cause.HOT
    else:
        return Finding(Item.TEMPERATURE, OK, None, heat // 1000, "°C")
    return Finding(Item.TEMPERATURE, state, cause, heat // 1000, "°C")


def _throttling(vitals: Vitals) -> Finding | None:
    held = vitals.throttled
    if isinstance(held, No):
        return _silent(Item.THROTTLING, held)
    if held:
        return Finding(Item.THROTTLING, ATTENTION, Cause.THROTTLED, held)
    return Finding(Item.THROTTLING, OK)


def _storage_errors(vitals: Vitals) -> Finding | None:
    errors = vitals.ext4_errors
    if isinstance(errors, No):
        return _silent(Item.STORAGE_ERRORS, errors)
    if errors:
        return Finding(Item.STORAGE_ERRORS, FAULT, Cause.STORAGE_ERRORS, errors)
    return Finding(Item.STORAGE_ERRORS, OK, None, 0)


def _wear(vitals: Vitals) -> Finding | None:
    used, reserve = vitals.wear_percent, vitals.pre_eol
    if isinstance(used, No) and isinstance(reserve, No):
        return _silent(Item.STORAGE_WEAR, used)
    percent = used if isinstance(used, int) else None
    spare = reserve if isinstance(reserve, int) else 0
    if spare >= PRE_EOL_URGENT or (percent or 0) >= WORN_PERCENT:
        return Finding(Item.STORAGE_WEAR, FAULT, Cause.STORAGE_WORN, percent, "%")
    if spare >= PRE_EOL_WARNING or (percent or 0) >= WEARING_PERCENT:
        return Finding(Item.STORAGE_WEAR, ATTENTION, Cause.STORAGE_WEARING, percent, "%")
    return Finding(Item.STORAGE_WEAR, OK, None, percent, "%")


def _storage_test(looked: Looked) -> Finding | None:
    if looked.canary_is_stuck:
        return Finding(Item.STORAGE_TEST, FAULT, Cause.STORAGE_STUCK)
    canary = looked.canary
    if canary is None:
        return None
    if canary.came is not Came.BACK:
        return Finding(Item.STORAGE_TEST, FAULT, Cause.STORAGE_FAILED)
    if canary.took_ms > SLOW_CANARY_MS:
        return Finding(Item.STORAGE_TEST, ATTENTION, Cause.STORAGE_SLOW, canary.took_ms, "ms")
    return Finding(Item.STORAGE_TEST, OK, None, canary.took_ms, "ms")


def _space(space: Space | No | None) -> Finding | None:
    if space is None:
        return None
    if isinstance(space, No):
        return _silent(Item.SPACE, space)
    free_mib = space.free_bytes >> 20
    # A small partition is low by share, a big one by what a day may need.
    low, full = (min(x, space.total_bytes // 10) for x in (SPACE_LOW_BYTES, SPACE_FULL_BYTES))
    if space.free_bytes < full:
        return Finding(Item.SPACE, FAULT, Cause.SPACE_FULL, free_mib, "MiB")
    if space.free_bytes < low:
        return Finding(Item.SPACE, ATTENTION, Cause.SPACE_LOW, free_mib, "MiB")
    return Finding(Item.SPACE, OK, None, free_mib, "MiB")


def _inodes(space: Space | No | None) -> Finding | None:
    if not isinstance(space, Space) or not space.total_inodes:
        return None
    percent = space.free_inodes * 100 // space.total_inodes
    if percent < INODES_LOW_PERCENT:
        return Finding(Item.INODES, ATTENTION, Cause.INODES_LOW, percent, "%")
    return Finding(Item.INODES, OK, None, percent, "%")


def _clock(quality: TimeQuality | None) -> Finding | None:
    if quality is None:
        return None
    if quality in TRUSTED_QUALITIES:
        return Finding(Item.CLOCK, OK)
    return Finding(Item.CLOCK, ATTENTION, Cause.CLOCK_UNTRUSTED)


def _screen(looked: Looked) -> Finding | None:
    """Software drawing on a board with a graphics processor is a driver that did not load."""
    if not looked.renderer:
        return None
    slow = any(name in looked.renderer.lower() for name in SOFTWARE_RENDERERS)
    if slow and looked.vitals.is_pi:
        return Finding(Item.SCREEN, ATTENTION, Cause.SOFTWARE_RENDERER)
    return Finding(Item.SCREEN, OK)


def _memory(vitals: Vitals) -> Finding | None:
    free = vitals.memory_free_percent
    if isinstance(free, No):
        return _silent(Item.MEMORY, free)
    if free < MEMORY_LOW_PERCENT:
        return Finding(Item.MEMORY, ATTENTION, Cause.MEMORY_LOW, free, "%")
    return Finding(Item.MEMORY, OK, None, free, "%")


def _load(vitals: Vitals) -> Finding | None:
    busy = vitals.load_percent
    if isinstance(busy, No):
        return _silent(Item.LOAD, busy)
    if busy > LOAD_HIGH_PERCENT:
        return Finding(Item.LOAD, ATTENTION, Cause.LOAD_HIGH, busy, "%")
    return Finding(Item.LOAD, OK, None, busy, "%")
