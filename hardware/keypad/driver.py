"""A keypad at an input device: presses go to a callback, on the keypad's own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum

from hardware.keypad.keys import NUMERIC, TACTILE, Key, KeyMap, KeyMapProblem, parse_key_map
from hardware.keypad.protocol import KeyReader
from hardware.transport.event_port import (
    EventPort,
    WrongDevice,
    is_device_id,
    open_events,
)
from hardware.transport.port import Port, PortCause, PortProblem
from hardware.transport.port_watch import PortWatch
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

Pressed = Callable[[Key], None]
Opener = Callable[[str, str], EventPort | WrongDevice | PortProblem]


class KeypadCause(StrEnum):
    NO_ANSWER = "no_answer"
    PORT_BUSY = "port_busy"
    """Another program has grabbed it."""
    DENIED = "denied"
    WRONG_DEVICE = "wrong_device"
    """Another device is in its place; it was not listened to."""
    STUCK_KEY = "stuck_key"
    NOISE = "noise"
    SETTINGS = "settings"
    """Its port, number or keys in the settings cannot be used."""


_STATUS_OF = {
    PortCause.MISSING: DeviceStatus(DeviceState.ABSENT, KeypadCause.NO_ANSWER),
    PortCause.GONE: DeviceStatus(DeviceState.ABSENT, KeypadCause.NO_ANSWER),
    PortCause.BUSY: DeviceStatus(DeviceState.UNKNOWN, KeypadCause.PORT_BUSY),
    PortCause.DENIED: DeviceStatus(DeviceState.UNKNOWN, KeypadCause.DENIED),
    PortCause.BLOCKED: DeviceStatus(DeviceState.UNKNOWN, KeypadCause.NO_ANSWER),
}


class EvdevKeypad:
    """The keypad at `port` (a path) whose vendor:product is `device_id`; `keys` is all that passes."""

    def __init__(
        self,
        port: str,
        device_id: str,
        keys: KeyMap | KeyMapProblem,
        pressed: Pressed = lambda _: None,
        opener: Opener = open_events,
    ) -> None:
        self._path, self._id, self._opener = port, device_id, opener
        self._pressed = pressed
        self._usable = not isinstance(keys, KeyMapProblem) and is_device_id(device_id)
        self._keys = KeyReader({} if isinstance(keys, KeyMapProblem) else keys)
        self._lock = threading.Lock()
        self._wrong = False
        self._watch = PortWatch("keypad", self._open, self)

    def status(self) -> DeviceStatus:
        if not self._usable:
            return DeviceStatus(DeviceState.FAULT, KeypadCause.SETTINGS)
        if self._watch.is_stalled:
            return DeviceStatus(DeviceState.UNKNOWN, KeypadCause.NO_ANSWER)
        if self._wrong:
            return DeviceStatus(DeviceState.FAULT, KeypadCause.WRONG_DEVICE)
        problem = self._watch.problem
        if problem is not None:
            return _STATUS_OF[problem.cause]
        if not self._watch.is_open:
            return DeviceStatus(DeviceState.STARTING)
        with self._lock:
            trouble = self._keys.trouble(time.monotonic())
        if trouble is not None:
            return DeviceStatus(DeviceState.ATTENTION, KeypadCause(trouble.value))
        return DeviceStatus(DeviceState.READY)

    def close(self) -> None:
        self._watch.close()

    # --- for the watch, on its thread

    def opened(self, port: Port) -> None:
        self.lost()

    def lost(self) -> None:
        with self._lock:
            self._keys.reset()

    def idle(self, now: float) -> bytes:
        return b""

    def heard(self, data: bytes, now: float) -> None:
        with self._lock:
            presses = self._keys.feed(data, now)
        for key in presses:
            self._pressed(key)

    def _open(self) -> Port | PortProblem:
        if not self._usable:
            return PortProblem(PortCause.DENIED, "not opened with such settings")
        opened = self._opener(self._path, self._id)
        self._wrong = isinstance(opened, WrongDevice)
        if isinstance(opened, WrongDevice):
            return PortProblem(PortCause.DENIED, opened.found)
        return opened.port if isinstance(opened, EventPort) else opened


def build_keypad(settings: Settings, pressed: Pressed = lambda _: None) -> EvdevKeypad:
    """The five tactile keys, from the section `[keypad]`."""
    return _build(settings, "keypad", TACTILE, pressed)


def build_numpad(settings: Settings, pressed: Pressed = lambda _: None) -> EvdevKeypad:
    """The digits, from the section `[numpad]`."""
    return _build(settings, "numpad", NUMERIC, pressed)


def _build(settings: Settings, section: str, keys: frozenset[Key], pressed: Pressed) -> EvdevKeypad:
    return EvdevKeypad(
        settings.text(f"{section}.port"),
        settings.text(f"{section}.id"),
        parse_key_map(settings.text(f"{section}.keys"), keys),
        pressed,
    )
