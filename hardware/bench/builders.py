"""Builds each simulator of the bench, and the node's own driver that looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from municipio.devices import DeviceStatus
from municipio.settings import Settings

if TYPE_CHECKING:
    from hardware.bench.aid_desks import AudioDesk, CameraDesk, KeypadDesk
    from hardware.bench.card_desk import CardDesk
    from hardware.cash.simulator import CashSimulator
    from hardware.power.simulator import SunSimulator
    from hardware.printer.simulator import PrinterSimulator
    from hardware.scanner.simulator import ScannerSimulator
    from hardware.terminal.simulator import TerminalSimulator


KEYPAD_ID, NUMPAD_ID = "0000:0005", "0000:0007"
"""Vendor and product of the simulated keypads: no maker has them (demostración)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of one installation: `dev` for ports by name, `receipts` where papers fall."""

    dev: Path
    receipts: Path

    def folder_of(self, device: str) -> Path:
        """Where a device that is more than a port keeps its files."""
        return self.dev / f"{device}.files"


class Watched(Protocol):
    def status(self) -> DeviceStatus: ...

    def close(self) -> None: ...


def printer(place: Place) -> PrinterSimulator:
    from hardware.printer.simulator import PrinterSimulator

    return PrinterSimulator(place.receipts)


def terminal(_place: Place) -> TerminalSimulator:
    from hardware.terminal.simulator import TerminalSimulator

    return TerminalSimulator()


def cash(_place: Place) -> CashSimulator:
    from hardware.cash.simulator import CashSimulator

    return CashSimulator()


def card(_place: Place) -> CardDesk:
    from hardware.bench.card_desk import CardDesk

    return CardDesk()


def card_missing() -> str:
    from hardware.card.private_pcscd import missing

    return missing()


def sun(_place: Place) -> SunSimulator:
    from hardware.power.simulator import SunSimulator

    return SunSimulator(block_every_s=0.5)


def scanner(_place: Place) -> ScannerSimulator:
    from hardware.scanner.simulator import ScannerSimulator

    return ScannerSimulator()


def keypad(_place: Place) -> KeypadDesk:
    from hardware.bench.aid_desks import KeypadDesk
    from hardware.keypad.keys import TACTILE

    return KeypadDesk("keypad", TACTILE, KEYPAD_ID)


def numpad(_place: Place) -> KeypadDesk:
    from hardware.bench.aid_desks import KeypadDesk
    from hardware.keypad.keys import NUMERIC

    return KeypadDesk("numpad", NUMERIC, NUMPAD_ID)


def audio(place: Place) -> AudioDesk:
    from hardware.bench.aid_desks import AudioDesk

    return AudioDesk(place.folder_of("audio"), pace=1.0)


def camera(place: Place) -> CameraDesk:
    from hardware.bench.aid_desks import CameraDesk

    place.dev.mkdir(parents=True, exist_ok=True)
    return CameraDesk(place.dev / "camera")


def watch_cash(settings: Settings) -> Watched:
    from hardware.bench.attendant import CashAttendant

    return CashAttendant(settings)


def watch_card(_settings: Settings) -> Watched:
    return _CardWatch()


def watch_scanner(settings: Settings) -> Watched:
    from hardware.scanner.driver import build_scanner

    return build_scanner(settings)


def watch_keypad(settings: Settings) -> Watched:
    from hardware.keypad.driver import build_keypad

    return build_keypad(settings)


def watch_numpad(settings: Settings) -> Watched:
    from hardware.keypad.driver import build_numpad

    return build_numpad(settings)


def watch_audio(settings: Settings) -> Watched:
    from hardware.audio.driver import build_audio

    return build_audio(settings)


def watch_camera(settings: Settings) -> Watched:
    from hardware.camera.driver import build_camera

    return build_camera(settings)


class _CardWatch:
    """The reader with, where nothing is wrong, the state of its slot as the cause: `no_card`, `ready`."""

    def __init__(self) -> None:
        from hardware.card.driver import PivReader

        self._reader = PivReader()

    def status(self) -> DeviceStatus:
        status = self._reader.status()
        return DeviceStatus(status.state, status.cause or self._reader.slot().state.value)

    def close(self) -> None:
        self._reader.close()
