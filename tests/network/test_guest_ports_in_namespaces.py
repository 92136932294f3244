"""The wired guest side: access points on ports of one bridge reach the node and never each other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NODE, LEFT, RIGHT = (f"plazaw{os.getpid()}-{n}" for n in ("node", "left", "right"))

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: namespaces need root"),
    pytest.mark.skipif(shutil.which("ip", path=PATH) is None, reason="NOT RUN: ip is missing"),
]


def _run(*argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env={"PATH": PATH})
    assert not check or done.returncode == 0, (argv, done.stdout, done.stderr)
    return done


def _plaza(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`plaza wifi` as it runs on the node."""
    argv = (sys.executable, "-P", "-m", "plaza", "wifi", *words, "--data", str(folder))
    return _run("ip", "netns", "exec", NODE, *argv, "--runtime", str(folder / "run"), check=False)


def _reaches(namespace: str, address: str) -> bool:
    """A whole UDP exchange, so that no ping program is needed."""
    code = (
        "import socket,sys\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(1)\n"
        "s.connect((sys.argv[1], 9))\n"
        "for _ in range(3):\n"
        "    try:\n        s.send(b'x'); s.recv(9)\n"
        # A closed port answers with a refusal, which proves the way as well as an echo.
        "    except ConnectionRefusedError: sys.exit(0)\n    except TimeoutError: pass\n"
        "sys.exit(1)\n"
    )
    argv = ("ip", "netns", "exec", namespace, sys.executable, "-c", code, address)
    return _run(*argv, check=False).returncode == 0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A node with a bridge of two ports, and behind each port a device."""
    names = (NODE, LEFT, RIGHT)
    try:
        for name in names:
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        _run("ip", "-n", NODE, "link", "add", "br-guest", "type", "bridge")
        _run("ip", "-n", NODE, "link", "set", "br-guest", "up")
        for at, name in enumerate((LEFT, RIGHT), 2):
            port = f"ap{at}"
            peer = ("peer", "name", "eth0", "netns", name)
            _run("ip", "-n", NODE, "link", "add", port, "type", "veth", *peer)
            _run("ip", "-n", NODE, "link", "set", port, "master", "br-guest", "up")
            _run("ip", "-n", name, "addr", "add", f"10.66.0.{at}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
        (tmp_path / "site.toml").write_text(
            '[network]\nguest = "br-guest"\nipv4 = "10.66.0.0/24"\n[wifi]\nmode = "wired"\n'
        )
        yield tmp_path
    finally:
        for name in names:
            _run("ip", "netns", "del", name, check=False)


def test_devices_behind_two_access_points_reach_the_node_and_not_each_other(site: Path) -> None:
    assert _reaches(LEFT, "10.66.0.3"), "the bridge was not a bridge before"
    isolated = _plaza(site, "run")

    assert isolated.returncode == 0, isolated.stderr
    assert not _reaches(LEFT, "10.66.0.3")
    assert not _reaches(RIGHT, "10.66.0.2")
    assert _reaches(LEFT, "10.66.0.1")
    assert _reaches(RIGHT, "10.66.0.1")


def test_a_pulled_cable_is_told(site: Path) -> None:
    assert _plaza(site, "status").stdout == "guest side: cable on br-guest, up\n"
    for name in (LEFT, RIGHT):
        _run("ip", "-n", name, "link", "set", "eth0", "down")
    told = _plaza(site, "status")

    assert told.returncode == 1
    assert "br-guest has no carrier" in told.stdout


def test_a_missing_bridge_is_made_with_the_nodes_addresses(site: Path) -> None:
    text = '[network]\nguest = "br-otra"\nipv4 = "10.67.0.0/22"\nipv6 = "fd66::/64"\n'
    (site / "site.toml").write_text(text + '[wifi]\nmode = "wired"\n')
    for _ in range(2):
        assert _plaza(site, "run").returncode == 0
    shown = _run("ip", "-n", NODE, "-o", "addr", "show", "dev", "br-otra").stdout

    assert "inet 10.67.0.1/22 " in shown
    assert "inet6 fd66::1/64 " in shown
