"""The technicians' Wi-Fi: a laptop that no server gave an address reaches the node's SSH, and only that.

systemd-networkd reads the image's files and gives the interface its address; the node's own firewall stands.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
FILES = ROOT / "images/build/overlay/usr/lib/systemd/network"
DOOR = ROOT / "images/overlay/usr/lib/plaza/node.nft"
NETWORKD = Path("/lib/systemd/systemd-networkd")
ADDRESS = "169.254.66.1"
LISTEN = (
    "import socket\n"
    "doors = [socket.create_server(('0.0.0.0', port)) for port in (22, 8380)]\n"
    "while True: doors[0].accept()[0].close()\n"
)
KNOCK = f"import socket, sys; socket.create_connection(('{ADDRESS}', int(sys.argv[1])), 3)"
# Its runtime folder and its /etc are of this namespace alone; with a read-only /sys it waits for no udev.
ALONE = (
    "mount -t tmpfs none /run/systemd; mkdir -p /etc/systemd/network;"
    ' mount --bind "$1" /etc/systemd/network; mount -o remount,ro /sys; exec "$2"'
)


def _ip(*words: str, check: bool = True) -> str:
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True).stdout


def _inside(name: str, *words: str) -> list[str]:
    return ["ip", "netns", "exec", name, *words]


@pytest.fixture
def laptop() -> Iterator[str]:
    """The namespace of a laptop that gave itself an address, beside a node with an open door for SSH."""
    if os.geteuid() != 0 or not NETWORKD.exists() or not Path("/run/systemd").is_dir():
        pytest.skip("NOT RUN: it needs root and systemd-networkd")
    if shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("NOT RUN: nft is missing")
    node, far = f"sn{os.getpid()}", f"sf{os.getpid()}"
    programs: list[subprocess.Popen[bytes]] = []
    try:
        for name in (node, far):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "plaza-staff", "netns", node, "type", "veth",
            "peer", "name", "wlp1", "netns", far)  # fmt: skip
        _ip("-n", far, "addr", "add", "169.254.12.34/16", "dev", "wlp1")
        _ip("-n", far, "link", "set", "wlp1", "up")
        subprocess.run(_inside(node, "nft", "-f", str(DOOR)), check=True)
        opened = "add element inet plaza_node other_tcp { 22 }"
        subprocess.run(_inside(node, "nft", opened), check=True)
        for words in (
            ("unshare", "--mount", "sh", "-euc", ALONE, "sh", str(FILES), str(NETWORKD)),
            (sys.executable, "-c", LISTEN),
        ):
            programs.append(subprocess.Popen(_inside(node, *words), stderr=subprocess.DEVNULL))
        _wait_for_address(node)
        yield far
    finally:
        for program in programs:
            program.kill()
            program.wait(10)
        for name in (node, far):
            _ip("netns", "del", name, check=False)


def _wait_for_address(node: str) -> None:
    until = time.monotonic() + 60
    while ADDRESS not in _ip("-n", node, "-br", "addr", "show", "dev", "plaza-staff"):
        assert time.monotonic() < until, "networkd gave the technicians' side no address"
        time.sleep(0.1)


def _knocks(laptop: str, port: int) -> bool:
    words = _inside(laptop, sys.executable, "-c", KNOCK, str(port))
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_a_laptop_without_a_given_address_reaches_ssh_and_nothing_else(laptop: str) -> None:
    until = time.monotonic() + 30
    while not _knocks(laptop, 22) and time.monotonic() < until:
        time.sleep(0.2)

    assert _knocks(laptop, 22)
    assert not _knocks(laptop, 8380), "the portal is the visitors'"
