"""USB devices without a driver in guard, and back again: `authorized` of sysfs (Linux ABI, sysfs-bus-usb).

A device that is not authorised has no driver and may sleep at a few milliamperes; ports that can lose
their current altogether are the site's to name (`energy.usb_ports`). The charge controller's own path
and every memory stay. Only what was taken is given back: what the node's rules refuse stays refused.
"""

from __future__ import annotations

import json
from pathlib import Path

HUB, MEMORY = "09", "08"
"""bDeviceClass of a hub, bInterfaceClass of mass storage."""


class UsbDevices:
    """`notes` remembers what was taken over a crash; `controller` is the tty of the charge controller."""

    def __init__(self, sys: Path, notes: Path | None, controller: str = "") -> None:
        self._sys = sys
        self._notes = notes
        self._controller = controller

    def take(self) -> str:
        """Empty when done, else the first trouble."""
        names = [d.name for d in self._devices() if self._may_be_taken(d)]
        if not names:
            return ""
        trouble = self._remember(sorted({*names, *self._taken()}))
        if trouble:
            return trouble
        return self._write(names, "0")

    def give_back(self) -> str:
        trouble = self._write(self._taken(), "1")
        return trouble or self._remember([])

    def _devices(self) -> list[Path]:
        found = sorted(self._sys.glob("bus/usb/devices/*"))
        return [d for d in found if ":" not in d.name and not d.name.startswith("usb")]

    def _may_be_taken(self, device: Path) -> bool:
        if _read(device / "authorized") != "1" or _read(device / "bDeviceClass") == HUB:
            return False
        classes = {_read(file) for file in device.glob("*:*/bInterfaceClass")}
        return MEMORY not in classes and device.resolve() not in self._path_of_controller()

    def _path_of_controller(self) -> set[Path]:
        if not self._controller:
            return set()
        tty = self._sys / "class/tty" / Path(self._controller).resolve().name / "device"
        return set(tty.resolve().parents) if tty.exists() else set()

    def _write(self, names: list[str], text: str) -> str:
        first = ""
        for name in names:
            file = self._sys / "bus/usb/devices" / name / "authorized"
            try:
                if file.exists():
                    file.write_text(text, encoding="ascii")
            except OSError as trouble:
                first = first or f"{file}: {trouble.strerror}"
        return first

    def _taken(self) -> list[str]:
        if self._notes is None:
            return []
        try:
            names = json.loads(self._notes.read_bytes())
        except (OSError, ValueError):
            return []
        plain = [n for n in names if isinstance(n, str)] if isinstance(names, list) else []
        return [n for n in plain if "/" not in n and ".." not in n]

    def _remember(self, names: list[str]) -> str:
        if self._notes is None:
            return ""
        try:
            if names:
                self._notes.write_text(json.dumps(names), encoding="utf-8")
            else:
                self._notes.unlink(missing_ok=True)
        except OSError as trouble:
            return f"{self._notes}: {trouble.strerror}"
        return ""


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
