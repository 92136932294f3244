"""What a street's steps need inside the virtual node: phones, services, what is on the air."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from steps import eventually, run

HERE = Path(__file__).parent
PYTHON = "/opt/plaza/venv/bin/python"
MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE)


def start(*argv: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def plaza(*words: str, check: bool = True) -> str:
    return run("/usr/local/bin/plaza", *words, "--data", "/var/lib/plaza", check=check)


def wifi_status() -> dict[str, Any]:
    return dict(json.loads(plaza("wifi", "status", "--json", check=False).splitlines()[0]))


def on_air() -> dict[str, str]:
    """hostapd's own answer, once the network is on the air; empty before. Cheaper than `plaza`."""
    words = ("hostapd_cli", "-p", "/run/plaza-wifi/control", "-s", "/run/plaza-wifi", "-i", "wlan0")
    pairs = (line.partition("=") for line in run(*words, "status").splitlines())
    status = {k: v for k, _, v in pairs}
    return status if status.get("state") == "ENABLED" else {}


def pids_of(program: str) -> list[int]:
    found = [p for p in Path("/proc").glob("[0-9]*/comm") if p.read_text().strip() == program]
    return sorted(int(p.parent.name) for p in found)


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


class Phone:
    """A simulated radio in its own network namespace, with the real wpa_supplicant and DHCP client."""

    def __init__(self, name: str, radio: str) -> None:
        self.name, self.radio = name, radio
        self.folder = Path("/run/street") / name
        self.folder.mkdir(parents=True)
        self.log = self.folder / "wpa.log"
        self.lease: dict[str, str] = {}
        phy = Path(f"/sys/class/net/{radio}/phy80211/name").read_text().strip()
        run("ip", "netns", "add", name)
        run("iw", "phy", phy, "set", "netns", "name", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def join(self, ssid: str, *lines: str) -> float:
        """Associate; seconds from the (last) start of wpa_supplicant to COMPLETED.

        A machine that is late loses beacons, and wpa_supplicant then sets the network aside for longer
        than this waits: like a person, it is switched off and on again, a few times.
        """
        for _ in range(4):
            began = time.monotonic()
            self.ask_to_join(ssid, *lines)
            with contextlib.suppress(TimeoutError):
                eventually(lambda: self.state().get("wpa_state") == "COMPLETED", 40)
                return round(time.monotonic() - began, 2)
        raise TimeoutError(
            f"{self.name} cannot join: {self.state()}; {self.log.read_text()[-700:]}"
        )

    def ask_to_join(self, ssid: str, *lines: str) -> None:
        """Scan the channel in use alone: a hidden twin is heard only when its beacon meets a scan."""
        self.leave()
        lines = (*lines, f"scan_freq={eventually(on_air)['freq']}")
        block = "".join(
            f"  {line}\n" for line in (f"ssid={ssid.encode().hex()}", "scan_ssid=1", *lines)
        )
        conf = self.folder / "wpa.conf"
        conf.write_text(f"ctrl_interface={self.folder}/ctrl\nnetwork={{\n{block}}}\n")
        self.process = start(
            *self.inside,
            "wpa_supplicant",
            "-i",
            self.radio,
            "-D",
            "nl80211",
            "-c",
            str(conf),
            log=self.log,
        )

    def leave(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def cli(self, *words: str) -> str:
        return run(*self.inside, "wpa_cli", "-p", f"{self.folder}/ctrl", "-i", self.radio, *words)

    def state(self) -> dict[str, str]:
        pairs = (line.partition("=") for line in self.cli("status").splitlines())
        return {k: v for k, _, v in pairs}

    def dhcp(self) -> dict[str, str]:
        """A lease by busybox's client, which also asks for option 114 (RFC 8910)."""
        lease = self.folder / "lease.json"
        run(
            *self.inside, "env", f"PLAZA_LEASE={lease}", "busybox", "udhcpc", "-i", self.radio, "-n", "-q",
            "-f", "-t", "20", "-T", "3", "-O", "114", "-s", str(HERE / "lease.py"),
        )  # fmt: skip
        self.lease = json.loads(lease.read_text())
        resolv = Path("/etc/netns") / self.name / "resolv.conf"
        resolv.parent.mkdir(parents=True, exist_ok=True)
        resolv.write_text(f"nameserver {self.lease['dns'].split()[0]}\n")
        return self.lease

    @property
    def ip(self) -> str:
        return self.lease["ip"]

    def browse(self, verb: str, *words: str, timeout: float = 120) -> dict[str, Any]:
        """One verb of `browser.py`, in this phone's namespace."""
        out = run(
            *self.inside, PYTHON, "-P", str(HERE / "browser.py"), verb, *words, timeout=timeout
        )
        return dict(json.loads(out.splitlines()[-1]))

    def pings(self, address: str) -> bool:
        out = run(*self.inside, "ping", "-c", "3", "-i", "0.3", "-W", "1", address, check=False)
        return " 0 received" not in out and "100% packet loss" not in out


def systemctl(*words: str) -> None:
    run("systemctl", *words, timeout=120)


def journal(*units: str) -> str:
    chosen = [word for unit in units for word in ("-u", unit)]
    return run("journalctl", "--no-pager", "-o", "cat", *chosen)


def netns_process(namespace: str, *argv: str) -> subprocess.Popen[bytes]:
    log = Path("/run/street") / f"{namespace}-{Path(argv[0]).name}.log"
    return start("ip", "netns", "exec", namespace, *argv, log=log)
