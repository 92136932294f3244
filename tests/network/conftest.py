"""A town in network namespaces: a phone, a node with a real gate, DHCP and portal, and an Internet."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import apsw
import pytest

from captive_portal.dhcp import GuestNetwork, write_dnsmasq
from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.dnsdist import render_dnsdist
from captive_portal.filter.dnsmasq import render_node
from captive_portal.filter.plan import FilterPlan
from captive_portal.filter.policy import Category
from captive_portal.filter.ports import ACCEPTED_PORT, WAITING_PORT
from captive_portal.filter.reading import ListFile
from captive_portal.filter.safesearch import renew_file
from captive_portal.gate.client import GateClient
from captive_portal.gate.ruleset import GuestSide
from captive_portal.gate.visits import GateTrouble
from plaza.firewall import doors_of, render_open

HERE = Path(__file__).parent
NODE_TABLE = HERE.parents[1] / "images/overlay/usr/lib/plaza/node.nft"
GATEWAY = "10.66.0.1"
INTERNET = "203.0.113.10"
NAME = "hola.example.org"
NEEDED = ("ip", "nft", "dnsmasq", "dhclient", "chromium", "chromedriver")
NEEDED_IN_LAB = (
    "ip",
    "bridge",
    "nft",
    "dnsmasq",
    "dnsdist",
    "conntrack",
    "iodine",
    "rdisc6",
    "scapy",
)


def why_not(*tools: str) -> str:
    """Why these tests cannot run here; empty when they can."""
    missing = [tool for tool in tools if shutil.which(tool, path=_PATH) is None]
    if os.geteuid() != 0:
        return "NOT RUN: the namespace tests need root (make test runs them with sudo)"
    return f"NOT RUN: missing {', '.join(missing)}" if missing else ""


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def close_doors(namespace: str, folder: Path, side: GuestSide) -> None:
    """The node's own table as it is loaded at every start, opened as `plaza firewall open` does."""
    opening = folder / "doors.nft"
    opening.write_text(render_open(doors_of(side, ssh=False)))
    for file in (NODE_TABLE, opening):
        run("ip", "netns", "exec", namespace, "nft", "-f", str(file))


@dataclass
class Town:
    """Names of the namespaces and the processes in them. `close` leaves nothing behind."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    gate_process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        tag = f"plaza{os.getpid()}"
        self.phone, self.node, self.internet = (f"{tag}-{n}" for n in ("phone", "node", "net"))
        self.gate = GateClient(self.folder / "gate.sock")
        self.data = self.folder / "node"

    def build(self) -> None:
        for namespace in (self.phone, self.node, self.internet):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        self._wire(self.phone, "wlan0", self.node, "guest0")
        self._wire(self.node, "up0", self.internet, "eth0")
        for namespace, address, interface in (
            (self.node, f"{GATEWAY}/24", "guest0"),
            (self.node, "203.0.113.1/24", "up0"),
            (self.internet, f"{INTERNET}/24", "eth0"),
        ):
            run("ip", "-n", namespace, "addr", "add", address, "dev", interface)
        forward = "open('/proc/sys/net/ipv4/ip_forward','w').write('1')"
        run(*self._in(self.node), sys.executable, "-c", forward)
        resolv = Path("/etc/netns") / self.phone / "resolv.conf"
        resolv.parent.mkdir(parents=True, exist_ok=True)
        resolv.write_text(f"nameserver {GATEWAY}\n")
        self._serve()

    def _wire(self, one: str, one_end: str, other: str, other_end: str) -> None:
        run(
            "ip", "link", "add", one_end, "netns", one,
            "type", "veth", "peer", "name", other_end, "netns", other,
        )  # fmt: skip
        run("ip", "-n", one, "link", "set", one_end, "up")
        run("ip", "-n", other, "link", "set", other_end, "up")

    def _serve(self) -> None:
        close_doors(self.node, self.folder, GuestSide("guest0", "up0", 8380))
        self._start(self.internet, sys.executable, "-P", str(HERE / "internet.py"), INTERNET)
        self._dnsmasq(self.internet, "net", f"address=/#/{INTERNET}\nlisten-address={INTERNET}\n")
        guests = GuestNetwork(
            "guest0",
            ipaddress.IPv4Interface(f"{GATEWAY}/24"),
            lease_min=30,
            upstream_dns=(INTERNET,),
            lease_file=str(self.folder / "leases"),
        )
        conf = self.folder / "guest.conf"
        write_dnsmasq(guests, conf)
        self._dnsmasq(self.node, "guest", conf.read_text())
        self.start_gate()
        self._fill_node()
        self._start(
            self.node, sys.executable, "-P", "-m", "plaza", "portal", "run",
            "--data", str(self.data), "--gate", "nft",
            "--listen", f"{GATEWAY}:8380", "--public-url", f"http://{GATEWAY}",
        )  # fmt: skip
        self._lease()
        eventually(lambda: self.from_phone("get", f"http://{GATEWAY}/captive-portal/api")["ok"])

    def _fill_node(self) -> None:
        """A node's data directory with the demonstration city's content."""
        self.data.mkdir()
        socket_line = f'[portal]\ngate_socket = "{self.folder / "gate.sock"}"\n'
        (self.data / "settings.toml").write_text(socket_line)
        python, content = (sys.executable, "-P", "-m"), str(self.folder / "content")
        run(
            *python, "central", "demo-data", "--db", f"sqlite:///{self.folder}/city.sqlite",
            "--content", content, "--accounts", "4", timeout=60,
        )  # fmt: skip
        keys = next(self.folder.glob("city-keys/*.pub*"))
        run(
            *python, "plaza", "node", "init", "--data", str(self.data),
            "--central", "http://127.0.0.1:8311", "--city-key", str(keys),
        )  # fmt: skip
        run(*python, "plaza", "content", "import", content, "--data", str(self.data), timeout=60)

    def _dnsmasq(self, namespace: str, name: str, conf: str) -> None:
        path = self.folder / f"{name}.dnsmasq"
        path.write_text(conf + "no-hosts\nno-resolv\nuser=root\npid-file=\n")
        self._start(namespace, "dnsmasq", "--keep-in-foreground", f"--conf-file={path}")

    def start_gate(self) -> None:
        self.gate_process = self._start(
            self.node, sys.executable, "-P", "-m", "plaza", "gate", "run",
            "--socket", str(self.folder / "gate.sock"), "--runtime", str(self.folder),
            "--interface", "guest0", "--uplink", "up0", "--portal-port", "8380",
            "--strict-names-port", "53",
        )  # fmt: skip
        eventually(lambda: hasattr(self.gate.stats(), "open"))

    def _lease(self) -> None:
        """A real DHCP client; its script sets only this namespace's address and route."""
        script = self.folder / "lease"
        script.write_text(f"#!{sys.executable} -P\n" + (HERE / "lease.py").read_text())
        script.chmod(0o755)
        lease = self.folder / "lease.json"
        run(
            *self._in(self.phone), "env", f"PLAZA_LEASE={lease}", "dhclient", "-4", "-1", "-q",
            "-sf", str(script), "-pf", str(self.folder / "dhclient.pid"),
            "-lf", str(self.folder / "dhclient.leases"),
            "-e", f"PLAZA_LEASE={lease}", "wlan0", timeout=30,
        )  # fmt: skip
        self.lease: dict[str, str] = json.loads(lease.read_text())

    @property
    def phone_ip(self) -> str:
        return self.lease["new_ip_address"]

    def mac(self) -> str:
        shown = run("ip", "-n", self.phone, "-j", "link", "show", "wlan0")
        return str(json.loads(shown)[0]["address"])

    def from_phone(self, *arguments: str, timeout: float = 60) -> dict[str, Any]:
        """Run one verb of `phone.py` in the phone's namespace."""
        done = run(
            *self._in(self.phone), sys.executable, "-P", str(HERE / "phone.py"), *arguments,
            timeout=timeout,
        )  # fmt: skip
        result: dict[str, Any] = json.loads(done.splitlines()[-1])
        return result

    def start_on_phone(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._in(self.phone), sys.executable, "-P", str(HERE / "phone.py"), *arguments],
            stdout=subprocess.PIPE,
        )

    def facts(self) -> list[str]:
        """Canonical facts as the node's ledger holds them, oldest first."""
        reader = apsw.Connection(str(self.data / "ledger.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        rows = reader.execute("SELECT body FROM fact WHERE lane = 2 ORDER BY seq").fetchall()
        reader.close()
        return [bytes(body).decode() for (body,) in rows]

    def _in(self, namespace: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", namespace)

    def _start(self, namespace: str, *argv: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*self._in(namespace), *argv],
                stdout=file,
                stderr=file,
                env={**os.environ, "PATH": _PATH},
            )
        self.processes.append(process)
        return process

    def close(self) -> None:
        pid_file = self.folder / "dhclient.pid"
        if pid_file.exists():
            subprocess.run(["kill", pid_file.read_text().strip()], check=False)
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        for namespace in (self.phone, self.node, self.internet):
            subprocess.run(["ip", "netns", "del", namespace], check=False, env={"PATH": _PATH})
        shutil.rmtree(Path("/etc/netns") / self.phone, ignore_errors=True)


def run(*argv: str, timeout: float = 20) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=timeout, env={**os.environ, "PATH": _PATH}
    )
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


def eventually(check: Any, seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def built_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if reason := why_not(*NEEDED):
        pytest.skip(reason)
    town = Town(tmp_path_factory.mktemp("town"))
    try:
        town.build()
        yield town
    finally:
        town.close()


@pytest.fixture
def town(built_town: Town) -> Iterator[Town]:
    """The town with nobody connected."""
    built_town.gate.revoke(built_town.phone_ip)
    yield built_town
    built_town.gate.revoke(built_town.phone_ip)


NODE4, FAR4 = "10.66.0.1", "203.0.113.10"
NODE6, FAR6 = "fd66::1", "2001:db8:1::10"
LAB_NAMES = f"""
address=/hola.example.org/bloqueado.example.org/{FAR4}
server=/jardin.example.org/{FAR4}#5354
server=/tunel.example.org/{FAR4}#5353
"""
LAB_SITE = """
name = "Laboratorio (demostración)"
[network]
guest = "br-guest"
uplink = "up0"
ipv4 = "10.66.0.0/24"
ipv6 = "fd66::/64"
[capport]
url = "https://wifi.example.org/captive-portal/api"
"""


@dataclass
class Guest:
    """A device on the guest side, on its own port of the node's bridge."""

    namespace: str
    ip: str
    mac: str
    ip6: str = ""
    busy: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def do(self, *arguments: str, timeout: float = 60) -> dict[str, Any]:
        """One verb of `guest.py` in this device's namespace."""
        shown = run(*self._argv(*arguments), timeout=timeout)
        result: dict[str, Any] = json.loads(shown.splitlines()[-1])
        return result

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        self.busy.append(subprocess.Popen(self._argv(*arguments), stdout=subprocess.PIPE))
        return self.busy[-1]

    def rest(self) -> None:
        """End what a failed test left running."""
        for process in self.busy:
            process.kill()
            process.communicate()
        self.busy.clear()

    def attack(self, *arguments: str, timeout: float = 90) -> dict[str, Any]:
        """One verb of `attacker.py` in this device's namespace, with Debian's scapy."""
        argv = ("/usr/bin/python3", "-P", str(HERE / "attacker.py"), *arguments)
        result: dict[str, Any] = json.loads(self.run(*argv, timeout=timeout).splitlines()[-1])
        return result

    def start_attack(self, *arguments: str) -> subprocess.Popen[bytes]:
        argv = ("/usr/bin/python3", "-P", str(HERE / "attacker.py"), *arguments)
        spawned = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, *argv], stdout=subprocess.PIPE
        )
        self.busy.append(spawned)
        return spawned

    def run(self, *argv: str, timeout: float = 60) -> str:
        return run("ip", "netns", "exec", self.namespace, *argv, timeout=timeout)

    def _argv(self, *arguments: str) -> tuple[str, ...]:
        python = "/usr/bin/python3"
        return (
            "ip",
            "netns",
            "exec",
            self.namespace,
            python,
            "-P",
            str(HERE / "guest.py"),
            *arguments,
        )


@dataclass
class Lab:
    """Two guests on a bridge, a node with the real gate, an Internet: IPv4 and IPv6. No browser."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        tag = f"lab{os.getpid()}"
        self.node, self.far = f"{tag}-node", f"{tag}-far"
        self.ann = Guest(f"{tag}-ann", "10.66.0.101", "02:66:00:00:00:0a")
        self.bob = Guest(f"{tag}-bob", "10.66.0.102", "02:66:00:00:00:0b")
        self.gate = GateClient(self.folder / "gate.sock")
        self.gate_process: subprocess.Popen[bytes] | None = None

    def build(self) -> None:
        for namespace in (self.node, self.far, self.ann.namespace, self.bob.namespace):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
            self.set_kernel(namespace, "net/ipv6/conf/default/accept_dad", "0")
        self.ip(self.node, "link", "add", "br-guest", "type", "bridge")
        self.ip(self.node, "link", "set", "br-guest", "up")
        for guest, port in ((self.ann, "port1"), (self.bob, "port2")):
            self._veth(guest.namespace, "wlan0", self.node, port, guest.mac)
            self.ip(self.node, "link", "set", port, "master", "br-guest")
        self._veth(self.node, "up0", self.far, "eth0", "02:66:00:00:01:01")
        for namespace, address, interface in (
            (self.node, f"{NODE4}/24", "br-guest"), (self.node, f"{NODE6}/64", "br-guest"),
            (self.node, "203.0.113.1/24", "up0"), (self.node, "2001:db8:1::1/64", "up0"),
            (self.far, f"{FAR4}/24", "eth0"), (self.far, f"{FAR6}/64", "eth0"),
        ):  # fmt: skip
            self.ip(namespace, "addr", "add", address, "dev", interface)
        self.ip(self.node, "route", "add", "default", "via", FAR4)
        self.ip(self.node, "-6", "route", "add", "default", "via", FAR6)
        self.set_kernel(self.node, "net/ipv4/ip_forward", "1")
        self.set_kernel(self.node, "net/ipv6/conf/all/forwarding", "1")
        self._serve()
        for guest in (self.ann, self.bob):
            self.ip(guest.namespace, "addr", "add", f"{guest.ip}/24", "dev", "wlan0")
            self.ip(guest.namespace, "route", "add", "default", "via", NODE4)
        for guest in (self.ann, self.bob):
            eventually(lambda guest=guest: self._find_ipv6(guest), 30)

    def _serve(self) -> None:
        side = GuestSide(
            "br-guest", "up0", 8380, names_port=ACCEPTED_PORT, strict_names_port=WAITING_PORT
        )
        close_doors(self.node, self.folder, side)
        self.spawn(self.far, "/usr/bin/python3", "-P", str(HERE / "far_side.py"), FAR4, FAR6)
        self.spawn(
            self.far, "dnsmasq", "-k", "-C", "/dev/null", "-u", "root", "-x", "", "-h", "-R",
            "-p", "5354", f"--address=/#/{FAR4}", f"--address=/#/{FAR6}",
        )  # fmt: skip
        (self.folder / "site.toml").write_text(LAB_SITE)
        self.start_gate()
        plan = self._plan()
        guests = GuestNetwork(
            "br-guest", ipaddress.IPv4Interface(f"{NODE4}/24"), 30, (FAR4,),
            lease_file=str(self.folder / "leases"),
            gateway6=ipaddress.IPv6Interface(f"{NODE6}/64"),
            walled_garden=("jardin.example.org",),
            dns_port=plan.cache_port,
            api_url="https://wifi.example.org/captive-portal/api",
        )  # fmt: skip
        names = self.folder / "names.conf"
        names.write_text(render_node(plan, guests) + LAB_NAMES)
        self.spawn(self.node, "dnsmasq", "-k", "-u", "root", "-x", "", f"--conf-file={names}")
        dnsdist = self.folder / "dnsdist.conf"
        dnsdist.write_text(render_dnsdist(plan))
        self.spawn(self.node, "dnsdist", "--supervised", "--disable-syslog", "-C", str(dnsdist))
        self.spawn(
            self.node, sys.executable, "-P", str(HERE / "lab_portal.py"),
            "0.0.0.0:8380", str(self.folder / "gate.sock"), f"http://{NODE4}",
        )  # fmt: skip
        eventually(lambda: "LISTEN" in self._listening("8380"), 30)

    def _plan(self) -> FilterPlan:
        """The filter with one blocked name; its list is built here."""
        blocked, database = self.folder / "blocked.txt", self.folder / "list.cdb"
        blocked.write_text("bloqueado.example.org\n")
        build(BuildPlan([ListFile(blocked, Category("adult"))], database, date(2026, 1, 20)))
        safe = self.folder / "safe"
        renew_file(safe / "hosts", NODE4)
        return FilterPlan(
            (NODE4, NODE6), garden=("jardin.example.org",), lists=(str(database),),
            safe_hosts=str(safe), upstream=(FAR4,), trusted=("127.0.0.0/8",),
        )  # fmt: skip

    def start_gate(self) -> None:
        self.gate_process = self.spawn(
            self.node, sys.executable, "-P", "-m", "plaza", "gate", "run",
            "--data", str(self.folder), "--site", str(self.folder / "site.toml"),
            "--socket", str(self.folder / "gate.sock"), "--runtime", str(self.folder / "run"),
            "--portal-port", "8380",
        )  # fmt: skip
        eventually(lambda: hasattr(self.gate.stats(), "open"), 30)

    def meet(self, guest: Guest) -> None:
        """Let the node know a guest's addresses, as any packet of it would."""
        guest.do("hello", NODE4, NODE6)

    def set_kernel(self, namespace: str, name: str, value: str) -> None:
        code = f"open('/proc/sys/{name}','w').write('{value}')"
        run("ip", "netns", "exec", namespace, "/usr/bin/python3", "-c", code)

    def ip(self, namespace: str, *words: str) -> str:
        return run("ip", "-n", namespace, *words)

    def in_node(self, *argv: str, timeout: float = 30) -> str:
        return run("ip", "netns", "exec", self.node, *argv, timeout=timeout)

    def spawn(self, namespace: str, *argv: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *argv],
                stdout=file, stderr=file, env={**os.environ, "PATH": _PATH},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def _listening(self, port: str) -> str:
        return self.in_node("ss", "-tlnH", f"sport = :{port}")

    def _find_ipv6(self, guest: Guest) -> bool:
        shown = json.loads(self.ip(guest.namespace, "-j", "-6", "addr", "show", "dev", "wlan0"))
        found = [a["local"] for a in shown[0]["addr_info"] if a["scope"] == "global"]
        guest.ip6 = found[0] if found else ""
        return bool(found)

    def _veth(self, one: str, end: str, other: str, far_end: str, mac: str) -> None:
        run("ip", "link", "add", end, "address", mac, "netns", one,
            "type", "veth", "peer", "name", far_end, "netns", other)  # fmt: skip
        self.ip(one, "link", "set", end, "up")
        self.ip(other, "link", "set", far_end, "up")

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        for namespace in (self.node, self.far, self.ann.namespace, self.bob.namespace):
            subprocess.run(["ip", "netns", "del", namespace], check=False, env={"PATH": _PATH})


@pytest.fixture(scope="session")
def built_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if reason := why_not(*NEEDED_IN_LAB):
        pytest.skip(reason)
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        lab.build()
        yield lab
    finally:
        lab.close()


@pytest.fixture
def lab(built_lab: Lab) -> Iterator[Lab]:
    """The laboratory with nobody in, and both guests known to the node."""
    for guest in (built_lab.ann, built_lab.bob):
        if isinstance(built_lab.gate.revoke(guest.ip), GateTrouble):
            built_lab.meet(guest)
            built_lab.gate.revoke(guest.ip)
    built_lab.gate.ended()
    yield built_lab
    for guest in (built_lab.ann, built_lab.bob):
        guest.rest()
        built_lab.gate.revoke(guest.ip)
