"""Which devices a node may have, and how to build each from its settings.

A device adds one entry. Its modules are imported when it is built, so that listing costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from municipio.devices import DeviceStatus
from municipio.settings import Settings


class Watched(Protocol):
    """What every driver can do for somebody who only looks at it."""

    def status(self) -> DeviceStatus: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is the device's word in `municipio.device_words`; `label` what a technician reads.

    `place` gives the port or address, empty when the node has no such device. `build` takes the
    node's data directory too, None where nobody named it: credentials and the card's health are there.
    """

    name: str
    label: str
    place: Callable[[Settings], str]
    build: Callable[[Settings, Path | None], Watched]


def _printer(settings: Settings, _data: Path | None) -> Watched:
    from hardware.printer.driver import build_printer

    return build_printer(settings)


def _terminal(settings: Settings, data: Path | None) -> Watched:
    from hardware.terminal.build import build_to_look

    return build_to_look(settings, data or Path(settings.text("health.data") or "."))


def _cash(settings: Settings, _data: Path | None) -> Watched:
    from hardware.cash.driver import CcTalkCash, setup_from

    port, baud = settings.text("cash.port"), settings.number("cash.baud")
    return CcTalkCash(port, baud, setup_from(settings), only_looks=True)


def _terminal_place(settings: Settings) -> str:
    from hardware.terminal.build import terminal_place

    return terminal_place(settings)


def _power(settings: Settings, _data: Path | None) -> Watched:
    from hardware.power.driver import build_power

    return build_power(settings)


def _health(settings: Settings, data: Path | None) -> Watched:
    from hardware.health.driver import build_health

    return build_health(settings, data)


def _scanner(settings: Settings, _data: Path | None) -> Watched:
    from hardware.scanner.driver import build_scanner

    return build_scanner(settings)


def _keypad(settings: Settings, _data: Path | None) -> Watched:
    from hardware.keypad.driver import build_keypad

    return build_keypad(settings)


def _numpad(settings: Settings, _data: Path | None) -> Watched:
    from hardware.keypad.driver import build_numpad

    return build_numpad(settings)


def _audio(settings: Settings, _data: Path | None) -> Watched:
    from hardware.audio.driver import build_audio

    return build_audio(settings)


def _camera(settings: Settings, _data: Path | None) -> Watched:
    from hardware.camera.driver import build_camera

    return build_camera(settings)


def _card(settings: Settings, _data: Path | None) -> Watched:
    from hardware.card.driver import PivReader

    return PivReader(settings.text("card.reader"))


def _card_place(settings: Settings) -> str:
    return (settings.text("card.reader") or "PC/SC") if settings.flag("card.enabled") else ""


def _audio_place(settings: Settings) -> str:
    return settings.text("audio.card") if settings.flag("audio.enabled") else ""


def _power_place(settings: Settings) -> str:
    return settings.text("power.port") if settings.text("power.kind") != "none" else ""


def _when_enabled(device: str) -> Callable[[Settings], str]:
    """The device's port, when it is switched on and has one."""
    return lambda s: s.text(f"{device}.port") if s.flag(f"{device}.enabled") else ""


REGISTRY: dict[str, Entry] = {
    e.name: e
    for e in (
        Entry("printer", "impresora", _when_enabled("printer"), _printer),
        Entry("terminal", "terminal", _terminal_place, _terminal),
        Entry("cash", "efectivo", _when_enabled("cash"), _cash),
        Entry("power", "energía", _power_place, _power),
        Entry("scanner", "lector", _when_enabled("scanner"), _scanner),
        Entry("keypad", "teclado", _when_enabled("keypad"), _keypad),
        Entry("numpad", "números", _when_enabled("numpad"), _numpad),
        Entry("audio", "audio", _audio_place, _audio),
        Entry("card", "tarjeta", _card_place, _card),
        Entry("camera", "cámara", _when_enabled("camera"), _camera),
        Entry("health", "nodo", lambda s: s.text("health.data"), _health),
    )
}
