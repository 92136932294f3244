"""What the street's steps need inside the virtual node: commands, phones, services, result lines."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PYTHON = "/opt/plaza/venv/bin/python"
MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE)


def tell(**values: Any) -> None:
    """One result line for the host."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def step(function: Callable[[], dict[str, Any] | None]) -> None:
    """Run one step; whatever happens becomes its line, and the next step runs."""
    began = time.monotonic()
    line: dict[str, Any] = {"step": function.__name__}
    try:
        line |= {"ok": True, "seen": function() or {}}
    except BaseException as e:
        line |= {"ok": False, "error": f"{type(e).__name__}: {e}"[:1800]}
        line["where"] = traceback.format_exc(limit=-3)[-800:]
    tell(**line, seconds=round(time.monotonic() - began, 2))


def run(*argv: str, timeout: float = 120, check: bool = True) -> str:
    """The output of one program; its error text is in the exception."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.returncode}: {done.stdout}{done.stderr}"[:600])
    return done.stdout + ("" if check else done.stderr)


def start(*argv: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def eventually(check: Callable[[], Any], seconds: float = 120, why: str = "") -> Any:
    """The first true value of `check`; OSError and RuntimeError count as not yet."""
    until = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < until:
        try:
            last = check()
        except (OSError, RuntimeError, ValueError) as e:
            last = f"{type(e).__name__}: {e}"
        else:
            if last:
                return last
        time.sleep(0.1)
    raise TimeoutError(
        f"{why or getattr(check, '__name__', 'condition')} not within {seconds} s; last: {last}"
    )


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
        """A lease by dhclient, which also asks for option 114 (RFC 8910), by its older name there."""
        lease = self.folder / "lease.json"
        conf = self.folder / "dhclient.conf"
        conf.write_text("request subnet-mask, routers, domain-name-servers, default-url;\n")
        script = HERE / "lease.py"
        run(
            *self.inside, "env", f"PLAZA_LEASE={lease}", "dhclient", "-4", "-1", "-q", "-cf", str(conf),
            "-sf", str(script), "-pf", f"{self.folder}/dhclient.pid", "-lf", f"{self.folder}/leases",
            "-e", f"PLAZA_LEASE={lease}", self.radio,
        )  # fmt: skip
        self.lease = json.loads(lease.read_text())
        resolv = Path("/etc/netns") / self.name / "resolv.conf"
        resolv.parent.mkdir(parents=True, exist_ok=True)
        resolv.write_text(f"nameserver {self.lease['new_domain_name_servers'].split()[0]}\n")
        return self.lease

    @property
    def ip(self) -> str:
        return self.lease["new_ip_address"]

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
