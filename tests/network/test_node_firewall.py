"""The node's own table in real namespaces: closed before anything is configured, then only what is named.

That it lets the gate work is shown by every other test of this folder: their nodes have it loaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from captive_portal.gate.ruleset import GuestSide
from plaza.firewall import doors_of, render_open

TABLE = Path(__file__).parents[2] / "images/overlay/usr/lib/plaza/node.nft"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SIDE = GuestSide("br-guest", "up0", 8380, 8443, 5300, 5301)
PORTS = (22, 53, 80, 5300, 5301, 8380, 8443, 8311, 9100)
UDP = (53, 67, 123, 5300, 5353)

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: namespaces need root"),
    pytest.mark.skipif(
        any(shutil.which(tool, path=PATH) is None for tool in ("ip", "nft")),
        reason="NOT RUN: missing ip or nft",
    ),
]

SERVE = """
import socket, sys, threading
tcp, udp = eval(sys.argv[1]), eval(sys.argv[2])
kept = []
for family, any_ in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for port in tcp:
        s = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((any_, port)); s.listen(64); kept.append(s)
    for port in udp:
        u = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6: u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        u.bind((any_, port)); kept.append(u)
        def echo(u=u):
            while True:
                data, peer = u.recvfrom(100); u.sendto(data, peer)
        threading.Thread(target=echo, daemon=True).start()
print("serving", flush=True)
threading.Event().wait()
"""

KNOCK = """
import json, socket, sys, threading
addresses, tcp, udp, wait = sys.argv[1].split(), eval(sys.argv[2]), eval(sys.argv[3]), 2.0
got = {a: {"tcp": [], "udp": []} for a in addresses}
def knock(address, kind, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(wait)
    try:
        s.connect((address, port))
        if kind == "udp": s.send(b"?"); s.recv(10)
        got[address][kind].append(port)
    except OSError: pass
    s.close()
all_ = [threading.Thread(target=knock, args=(a, "tcp", p)) for a in addresses for p in tcp]
all_ += [threading.Thread(target=knock, args=(a, "udp", p)) for a in addresses for p in udp]
for t in all_: t.start()
for t in all_: t.join()
print(json.dumps([{k: sorted(v) for k, v in got[a].items()} for a in addresses]))
"""

PING = """
import socket, sys
address = sys.argv[1]
six = ":" in address
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 58 if six else 1)
s.settimeout(5.0)
s.sendto(bytes([128, 0, 0, 0, 0, 7, 0, 1]) if six else bytes([8, 0, 0xF7, 0xF7, 0, 7, 0, 1]), (address, 0))
try:
    while True:
        data, _ = s.recvfrom(200)
        if (data if six else data[20:])[0] in (0, 129): print("back"); break
except OSError: pass
"""


def run(*argv: str) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": PATH}
    )
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


@dataclass
class House:
    """A node with every port open by programs, a guest and a stranger on the uplink."""

    folder: Path

    def __post_init__(self) -> None:
        tag = f"door{os.getpid()}"
        self.node, self.guest, self.far = (f"{tag}-{n}" for n in ("node", "guest", "far"))
        self.server: subprocess.Popen[str] | None = None

    def build(self) -> None:
        for name in (self.node, self.guest, self.far):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            for scope in ("default", "all"):
                self.write(name, f"net/ipv6/conf/{scope}/accept_dad", "0")
        for inner, peer, outer, net in (
            ("br-guest", self.guest, "wlan0", 66), ("up0", self.far, "eth0", 67),
        ):  # fmt: skip
            run("ip", "-n", self.node, "link", "add", inner, "type", "veth",
                "peer", "name", outer, "netns", peer)  # fmt: skip
            for name, device, last in ((self.node, inner, 1), (peer, outer, 2)):
                run("ip", "-n", name, "addr", "add", f"10.{net}.0.{last}/24", "dev", device)
                run("ip", "-n", name, "addr", "add", f"fd{net}::{last}/64", "dev", device, "nodad")
                run("ip", "-n", name, "link", "set", device, "up")
        for name, net in ((self.guest, 66), (self.far, 67)):
            run("ip", "-n", name, "route", "add", "default", "via", f"10.{net}.0.1")
        self.write(self.node, "net/ipv4/ip_forward", "1")
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", self.node, sys.executable, "-c", SERVE, str(PORTS), str(UDP)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.server.stdout is not None
        assert self.server.stdout.readline() == "serving\n"

    def write(self, namespace: str, name: str, value: str) -> None:
        code = f"open('/proc/sys/{name}','w').write('{value}')"
        run("ip", "netns", "exec", namespace, sys.executable, "-c", code)

    def load(self, opening: str = "") -> None:
        run("ip", "netns", "exec", self.node, "nft", "-f", str(TABLE))
        if opening:
            file = self.folder / "doors.nft"
            file.write_text(opening)
            run("ip", "netns", "exec", self.node, "nft", "-f", str(file))

    def knock(self, who: str, *addresses: str) -> list[dict[str, list[int]]]:
        """Which ports answer at each address."""
        argv = (sys.executable, "-c", KNOCK, " ".join(addresses), str(PORTS), str(UDP))
        got: list[dict[str, list[int]]] = json.loads(run("ip", "netns", "exec", who, *argv))
        return got

    def pings(self, who: str, address: str) -> bool:
        return "back" in run("ip", "netns", "exec", who, sys.executable, "-c", PING, address)

    def close(self) -> None:
        if self.server is not None:
            self.server.kill()
            self.server.communicate()
        for name in (self.node, self.guest, self.far):
            subprocess.run(["ip", "netns", "del", name], check=False, env={"PATH": PATH})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    try:
        made.build()
        yield made
    finally:
        made.close()


NOTHING: dict[str, list[int]] = {"tcp": [], "udp": []}


@pytest.mark.parametrize("net", [66, 67])
def test_before_anything_is_configured_no_door_is_open_on_any_side(house: House, net: int) -> None:
    house.load()
    who = house.guest if net == 66 else house.far

    assert house.knock(who, f"10.{net}.0.1", f"fd{net}::1") == [NOTHING, NOTHING]
    assert house.pings(who, f"10.{net}.0.1")
    assert house.pings(who, f"fd{net}::1")


def test_guests_get_names_addresses_and_the_portal_and_nothing_else(house: House) -> None:
    house.load(render_open(doors_of(SIDE, ssh=True)))

    got = {"tcp": [53, 5300, 5301, 8380, 8443], "udp": [53, 67, 5300]}
    assert house.knock(house.guest, "10.66.0.1", "fd66::1") == [got, got]


def test_the_uplink_gets_nothing_without_a_technicians_key(house: House) -> None:
    house.load(render_open(doors_of(SIDE, ssh=False)))

    assert house.knock(house.far, "10.67.0.1", "fd67::1") == [NOTHING, NOTHING]


def test_the_uplink_gets_ssh_alone_with_a_technicians_key(house: House) -> None:
    house.load(render_open(doors_of(SIDE, ssh=True)))

    ssh = {"tcp": [22], "udp": []}
    assert house.knock(house.far, "10.67.0.1", "fd67::1") == [ssh, ssh]


def test_the_node_itself_reaches_out_and_hears_the_answers(house: House) -> None:
    house.load(render_open(doors_of(SIDE, ssh=False)))

    assert house.pings(house.node, "10.67.0.2")
    assert house.knock(house.node, "127.0.0.1")[0]["tcp"] == sorted(PORTS)


def test_nobody_on_the_uplink_is_carried_to_a_guest_who_did_not_ask(house: House) -> None:
    house.load(render_open(doors_of(SIDE, ssh=False)))

    assert house.pings(house.guest, "10.67.0.2"), "without a gate the table carries for guests"
    assert not house.pings(house.far, "10.66.0.2")


def test_opening_again_closes_what_is_no_longer_asked_for(house: House) -> None:
    house.load(render_open(doors_of(SIDE, ssh=True, more=(8311,))))
    assert house.knock(house.far, "10.67.0.1")[0]["tcp"] == [22, 8311]

    file = house.folder / "again.nft"
    file.write_text(render_open(doors_of(SIDE, ssh=False)))
    run("ip", "netns", "exec", house.node, "nft", "-f", str(file))

    assert house.knock(house.far, "10.67.0.1") == [NOTHING]


def test_the_table_loads_where_no_file_names_protocols_or_services(house: House) -> None:
    """A minimal Debian has no netbase; the door must shut there too."""
    hide = (
        "mount --bind /dev/null /etc/protocols; mount --bind /dev/null /etc/services; "
        'exec nft -c -f "$0"'
    )
    run("ip", "netns", "exec", house.node, "unshare", "-m", "sh", "-c", hide, str(TABLE))
