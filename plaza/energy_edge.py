"""The switches of a real node: units, backlight, HDMI, radios, USB ports, processor, alarm, halt.

Sources: Linux ABI documents of sysfs (`backlight`, `fbdev`, `rfkill`, `usb` port `disable`, `cpufreq`,
`rtc` `wakealarm`), systemctl(1). Every call answers with a line of trouble, empty when done; a board
without a part has nothing to switch there, and that is no trouble.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from plaza.energy_plan import (
    Action,
    Antennas,
    Arm,
    Halt,
    Light,
    Processor,
    Service,
    Switch,
    Usb,
)
from plaza.energy_usb import UsbDevices

UNITS: dict[Service, tuple[str, ...]] = {
    Service.KIOSK: ("plaza-kiosk.service",),
    Service.PORTAL: ("plaza-names.service", "plaza-filter.service", "plaza-portal.service"),
    Service.RADIO: ("plaza-wifi.service",),
    Service.CARRIER: ("plaza-sync.service",),
    Service.PULL: ("plaza-pull.timer", "plaza-filter-refresh.timer"),
}
COMMAND_S = 20.0
BLANKED, LIT = "4", "0"
"""FB_BLANK_POWERDOWN and FB_BLANK_UNBLANK: `bl_power` and `fb0/blank` share them."""
ALARM_SLACK_S = 5
_PORT = re.compile(r"(?:usb(?P<bus>\d+)|(?P<hub>\d+-\d+(?:\.\d+)*))-port\d+")


class Edge(Protocol):
    def do(self, action: Action) -> str:
        """Empty when done; otherwise one line that says what was not."""
        ...


class LinuxEdge:
    """`usb_ports` as in `energy.usb_ports`; `sys` and `systemctl` are others in tests."""

    def __init__(
        self,
        usb_ports: Sequence[str] = (),
        *,
        sys: Path = Path("/sys"),
        systemctl: str = "/usr/bin/systemctl",
        usb: UsbDevices | None = None,
    ) -> None:
        self._usb = usb
        self._ports = tuple(usb_ports)
        self._sys = sys
        self._systemctl = systemctl

    def do(self, action: Action) -> str:
        match action:
            case Switch(service, on):
                return _first(self._unit(unit, on=on) for unit in UNITS[service])
            case Light(percent):
                return self._light(percent)
            case Antennas(on):
                return self._antennas(on=on)
            case Usb(on):
                return self._usb_power(on=on)
            case Processor(slow):
                return self._processor(slow=slow)
            case Arm(seconds):
                return arm(self._sys, seconds)
            case Halt():
                os.sync()
                return self._call("poweroff")

    def _unit(self, unit: str, *, on: bool) -> str:
        """A unit that this site does not use (disabled, masked, not there) is never started.

        Nobody waits for a program's orderly end: the controller must be looked at meanwhile.
        """
        if not on:
            return self._call("--no-block", "stop", unit)
        if self._call("is-enabled", "--quiet", unit):
            return ""
        return self._call("--no-block", "start", unit)

    def _call(self, *args: str) -> str:
        try:
            done = subprocess.run(
                [self._systemctl, *args],
                capture_output=True,
                text=True,
                timeout=COMMAND_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as trouble:
            return f"systemctl {' '.join(args)}: {trouble}"
        if done.returncode == 0:
            return ""
        said = done.stderr.strip().splitlines() or [str(done.returncode)]
        return f"systemctl {' '.join(args)}: {said[0]}"

    def _light(self, percent: int) -> str:
        troubles = []
        for panel in self._parts("class/backlight/*"):
            top = _number(panel / "max_brightness") or 100
            level = max(1, top * percent // 100) if percent else 0
            troubles.append(_write(panel / "brightness", str(level)))
            troubles.append(_write_if(panel / "bl_power", LIT if percent else BLANKED))
        for screen in self._parts("class/graphics/fb*"):
            # With the kiosk stopped the console owns the output, and blanking it ends the HDMI signal.
            troubles.append(_write_if(screen / "blank", LIT if percent else BLANKED))
        return _first(troubles)

    def _antennas(self, *, on: bool) -> str:
        radios = self._parts("class/rfkill/rfkill*")
        return _first(_write(radio / "soft", "0" if on else "1") for radio in radios)

    def _usb_power(self, *, on: bool) -> str:
        """Drivers are let go before the current is, and come back after it."""
        ports = [self._port(port, on=True) for port in self._ports] if on else []
        devices = "" if self._usb is None else self._usb.give_back() if on else self._usb.take()
        ports += [] if on else [self._port(port, on=False) for port in self._ports]
        return _first([*ports, devices])

    def _port(self, port: str, *, on: bool) -> str:
        place = port_folder(port)
        if not place:
            return f"energy.usb_ports: «{port}» is not a port such as 1-1-port2"
        return _write(self._sys / "bus/usb/devices" / place / "disable", "0" if on else "1")

    def _processor(self, *, slow: bool) -> str:
        wishes = ("powersave",) if slow else ("schedutil", "ondemand", "performance")
        troubles = []
        for policy in self._parts("devices/system/cpu/cpufreq/policy*"):
            known = _read(policy / "scaling_available_governors").split()
            wish = next((w for w in wishes if w in known), "")
            if wish:
                troubles.append(_write(policy / "scaling_governor", wish))
        return _first(troubles)

    def _parts(self, pattern: str) -> list[Path]:
        return sorted(self._sys.glob(pattern))


def port_folder(port: str) -> str:
    """`1-1-port2` is in the hub's interface `1-1:1.0`; empty for what is no port's name."""
    found = _PORT.fullmatch(port)
    if found is None:
        return ""
    hub = found["hub"] or f"{found['bus']}-0"
    return f"{hub}:1.0/{port}"


def alarm_clock(sys: Path = Path("/sys")) -> Path | None:
    """The board's clock that can wake it, if there is one."""
    return next(iter(sorted(p.parent for p in sys.glob("class/rtc/rtc*/wakealarm"))), None)


def arm(sys: Path, seconds: int) -> str:
    """Set the alarm and read it back. Relative: the clock may be wrong and still count."""
    clock = alarm_clock(sys)
    if clock is None:
        return "no clock on this board can wake it (class/rtc/*/wakealarm)"
    file = clock / "wakealarm"
    trouble = _write(file, "0") or _write(file, f"+{seconds}")
    if trouble:
        return trouble
    now, due = _number(clock / "since_epoch"), _number(file)
    if now is None or due is None or not abs(due - now - seconds) <= ALARM_SLACK_S:
        return f"{file}: the alarm is not there when it is read back"
    return ""


def _first(troubles: Iterable[str]) -> str:
    """Everything is tried; the first trouble is told."""
    return next((t for t in list(troubles) if t), "")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    text = _read(file)
    return int(text) if text.isascii() and text.isdigit() else None


def _write(file: Path, text: str) -> str:
    try:
        file.write_text(text, encoding="ascii")
    except OSError as trouble:
        return f"{file}: {trouble.strerror}"
    return ""


def _write_if(file: Path, text: str) -> str:
    return _write(file, text) if file.exists() else ""
