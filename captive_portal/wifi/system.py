"""The machine's side of Wi-Fi: `iw` and `hostapd_cli` by argv, and what sysfs tells. All I/O is here.

Nothing is ever given to a shell; every argument is a fixed word or a checked value.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from captive_portal.wifi.control import AirStatus, parse_stations, parse_status, plain_mac
from captive_portal.wifi.radio import Radio, parse_radios

RUNTIME = Path("/run/plaza-wifi")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_PHY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Silent:
    """A program is missing, failed or did not answer; `why` is one line for a technician."""

    why: str


def ask(argv: Sequence[str], timeout_s: float = _TIMEOUT_S) -> str | Silent:
    """Run one program to its end and give back what it printed."""
    try:
        done = subprocess.run(
            list(argv), capture_output=True, text=True, errors="replace", timeout=timeout_s,
            stdin=subprocess.DEVNULL, env={"PATH": _PATH, "LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError:
        return Silent(f"{argv[0]} is not installed")
    except (OSError, subprocess.TimeoutExpired) as e:
        return Silent(f"{argv[0]}: {type(e).__name__}")
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        return Silent(
            f"{argv[0]} ended with {done.returncode}: {words[-1] if words else 'no word'}"
        )
    return done.stdout


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface as sysfs shows it."""

    name: str
    exists: bool
    up: bool = False
    carrier: bool = False
    driver: str = ""
    phy: str = ""
    ports: tuple[str, ...] = ()
    """Its ports, when it is a bridge."""


def look_at(name: str, sysfs: Path = Path("/sys/class/net")) -> Interface:
    folder = sysfs / name
    if not _INTERFACE.fullmatch(name) or not folder.exists():
        return Interface(name, exists=False)
    flags = _read(folder / "flags")
    driver = folder / "device/driver"
    phy = _read(folder / "phy80211/name")
    bridge = folder / "brif"
    return Interface(
        name,
        exists=True,
        up=bool(int(flags, 16) & 1) if re.fullmatch(r"0x[0-9a-f]{1,8}", flags) else False,
        carrier=_read(folder / "carrier") == "1",
        driver=driver.resolve().name if driver.exists() else "",
        phy=phy if _PHY.fullmatch(phy) else "",
        ports=tuple(sorted(p.name for p in bridge.iterdir())) if bridge.is_dir() else (),
    )


def radio_of(interface: Interface) -> Radio | Silent | None:
    """What this interface's radio can do; None when it has no radio."""
    if not interface.phy:
        return None
    text = ask(["iw", "phy", interface.phy, "info"])
    if isinstance(text, Silent):
        return text
    radios = parse_radios(text)
    return radios[0] if radios else Silent("iw: no radio in its answer")


def prepare_guest_side(
    name: str,
    gateways: Sequence[IPv4Interface | IPv6Interface],
    sysfs: Path = Path("/sys/class/net"),
) -> str:
    """The visitors' interface, up and with the node's addresses; a bridge is made when it is missing.

    May be called again at any time. Empty, or what went wrong first; what comes after that is tried too.
    """
    if not _INTERFACE.fullmatch(name):
        return f"{name!r} is not an interface name"
    steps = [["ip", "addr", "replace", str(g), "dev", name] for g in gateways]
    steps.append(["ip", "link", "set", "dev", name, "up"])
    if not look_at(name, sysfs).exists:
        steps.insert(0, ["ip", "link", "add", "name", name, "type", "bridge"])
    troubles = [a.why for a in map(ask, steps) if isinstance(a, Silent)]
    return troubles[0] if troubles else ""


def isolate_ports(bridge: str, sysfs: Path = Path("/sys/class/net")) -> tuple[str, ...]:
    """Let no port of the visitors' bridge speak to another one; the ports that now are isolated.

    `ap_isolate` separates the devices of one network on the air; this separates the open network from
    its encrypted twin and both from access points on a cable.
    """
    return tuple(p for p in look_at(bridge, sysfs).ports if _isolated(p, sysfs))


def _isolated(port: str, sysfs: Path) -> bool:
    if _read(sysfs / port / "brport/isolated") == "1":
        return True
    if not _INTERFACE.fullmatch(port):
        return False
    words = ["ip", "link", "set", "dev", port, "type", "bridge_slave", "isolated", "on"]
    return not isinstance(ask(words), Silent)


@dataclass(frozen=True, slots=True)
class HostapdCli:
    """hostapd's control by argv. `interface` is the first network of the radio."""

    interface: str
    control: Path = RUNTIME / "control"

    def status(self) -> AirStatus | Silent:
        text = self._ask(self.interface, "status")
        if isinstance(text, Silent):
            return text
        return parse_status(text) or Silent("hostapd_cli: an answer without a state")

    def kick(self, mac: str) -> int | Silent:
        """Send a device off every network it is on; of how many it was. It may come back at once."""
        mac = plain_mac(mac)
        status = self.status()
        if isinstance(status, Silent):
            return status
        kicked = 0
        for network in status.networks:
            known = self._ask(network.interface, "list_sta")
            if isinstance(known, Silent) or mac not in parse_stations(known):
                continue
            answer = self._ask(network.interface, "deauthenticate", mac)
            if isinstance(answer, Silent):
                return answer
            kicked += "OK" in answer.split()
        return kicked

    def _ask(self, interface: str, *words: str) -> str | Silent:
        if not _INTERFACE.fullmatch(interface):
            return Silent("not an interface name")
        # Its own end of the conversation must be where hostapd sees it too: under systemd not in /tmp.
        here = str(self.control.parent)
        return ask(["hostapd_cli", "-p", str(self.control), "-s", here, "-i", interface, *words])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
