"""The machine around the node, as the doctor reads it: files of the kernel, systemd, iw. All by argv."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from captive_portal.wifi.system import look_at
from plaza.doctor.snapshot import DiskSeen, NetworkSeen, RadioSeen, ServiceSeen

LIMIT_S = 15.0
SERVICES = ("sync", "portal", "gate", "kiosk", "names", "filter", "wifi", "energy", "firewall",
            "firewall-open")  # fmt: skip
ENDS_WELL = frozenset({"wifi", "energy", "firewall-open"})
"""They stop by themselves where there is nothing to do: a wired site, the grid; or work for a moment."""
PORTAL_SERVICES = frozenset({"portal", "gate", "names", "filter"})
CARD_ERROR = re.compile(
    r"mmc\d.*\b(error|timeout|timed out)|I/O error, dev (mmcblk|sd|vd)|EXT4-fs error|"
    r"Buffer I/O error|device-mapper: verity.*corrupt",
    re.IGNORECASE,
)
_PROPERTIES = "Id,LoadState,ActiveState,SubState,NRestarts,Result"

Run = Callable[[Sequence[str]], str | None]
"""What a program printed; None when it is missing, failed or did not answer."""


def run_program(argv: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(
            list(argv), capture_output=True, text=True, errors="replace", timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True, slots=True)
class Host:
    """`root` is / but in tests; `run` starts programs."""

    root: Path = Path("/")
    run: Run = run_program

    def services(self, *, kiosk: bool, portal: bool) -> tuple[ServiceSeen, ...] | None:
        """The node's units; None where systemd cannot be asked or knows none of them."""
        names = [f"plaza-{name}.service" for name in SERVICES]
        shown = self.run(["systemctl", "show", "-p", _PROPERTIES, *names])
        if shown is None:
            return None
        seen = []
        for block in shown.strip().split("\n\n"):
            words = dict(line.partition("=")[::2] for line in block.splitlines())
            name = words.get("Id", "").removeprefix("plaza-").removesuffix(".service")
            if words.get("LoadState") != "loaded" or name not in SERVICES:
                continue
            wanted = name not in ENDS_WELL
            wanted &= (kiosk or name != "kiosk") and (portal or name not in PORTAL_SERVICES)
            restarts = words.get("NRestarts", "")
            seen.append(
                ServiceSeen(
                    name,
                    words.get("ActiveState", ""),
                    words.get("SubState", ""),
                    int(restarts) if restarts.isdigit() else 0,
                    words.get("Result", ""),
                    wanted,
                )
            )
        return tuple(seen) or None

    def network(self, uplink: str, guest: str) -> NetworkSeen:
        sysfs = self.root / "sys/class/net"
        out, inside = look_at(uplink, sysfs), look_at(guest, sysfs)
        routes = self._text("proc/net/route").splitlines()[1:]
        by = {line.split()[0] for line in routes if line.split()[1:2] == ["00000000"]}
        six = self._text("proc/net/ipv6_route").splitlines()
        by |= {w[9] for w in map(str.split, six) if len(w) > 9 and w[1] == "00" and w[9] != "lo"}
        return NetworkSeen(uplink, out.exists, out.carrier, uplink in by, guest, inside.up)

    def radio(self, interface: str) -> RadioSeen:
        """Counts the devices on the air and keeps none of their names."""
        seen = look_at(interface, self.root / "sys/class/net")
        if not interface or not seen.exists:
            return RadioSeen(interface, False, None, "", None)
        info = self.run(["iw", "dev", interface, "info"])
        region = self.run(["iw", "reg", "get"]) or ""
        stations = self.run(["iw", "dev", interface, "station", "dump"])
        country = re.search(r"^country ([A-Z0-9]{2}):", region, re.MULTILINE)
        return RadioSeen(
            interface,
            True,
            None if info is None else "type AP" in info and "channel" in info,
            country[1] if country else "",
            None if stations is None else stations.count("Station "),
        )

    def disk(self, data: Path, mounted: bool) -> DiskSeen:
        log = self.run(["journalctl", "-k", "-b", "-q", "--no-pager", "-o", "cat", "-n", "5000"])
        errors = None if not log else sum(bool(CARD_ERROR.search(x)) for x in log.splitlines())
        return DiskSeen(
            root_read_only=self._is_read_only(Path("/")),
            data_read_only=self._is_read_only(data) is True,
            data_is_mounted=mounted,
            kernel_errors=errors,
        )

    def _is_read_only(self, path: Path) -> bool | None:
        """Of the file system itself: a sandbox shows writable ones as read-only mounts."""
        best, found = -1, None
        for line in self._text("proc/self/mountinfo").splitlines():
            before, _, after = line.partition(" - ")
            words, tail = before.split(), after.split()
            if len(words) < 5 or len(tail) < 3:
                continue
            place = Path(words[4])
            if (place == path or place in path.parents) and len(place.parts) >= best:
                best, found = len(place.parts), "ro" in tail[2].split(",")
        return found

    def has_rtc(self) -> bool:
        return any((self.root / "sys/class/rtc").glob("rtc*"))

    def system(self) -> tuple[str, str]:
        """Name of the system and release of its kernel."""
        words = dict(x.partition("=")[::2] for x in self._text("etc/os-release").splitlines())
        return words.get("PRETTY_NAME", "?").strip('"'), self._text(
            "proc/sys/kernel/osrelease"
        ).strip()

    def _text(self, name: str) -> str:
        try:
            return (self.root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
