"""The uplink cut in two ways that a plaza knows: the cable out of the modem, and a silent modem."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]
HERE = Path(__file__).parent
PROMISED_S = 10.0
BUSY_S = 10.0
"""What a busy machine may add on top."""


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


def _nft(namespace: str, text: str) -> None:
    subprocess.run(["ip", "netns", "exec", namespace, "nft", text], check=True)


@dataclass
class Wire:
    """A node and an Internet with one listener; what the node's watch said, with its moments."""

    node: str
    far: str
    told: list[tuple[float, str]] = field(default_factory=list)

    def wait_for(self, state: str, since: float) -> float:
        """Seconds from `since` until the watch said so."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for moment, said in self.told:
                if said == state and moment >= since:
                    return moment - since
            time.sleep(0.05)
        raise AssertionError(f"never {state}: {self.told}")


@pytest.fixture
def wire() -> Iterator[Wire]:
    if os.geteuid() != 0 or shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("NOT RUN: the namespace tests need root and nft")
    here = Wire(f"un{os.getpid()}", f"uf{os.getpid()}")
    programs: list[subprocess.Popen[str]] = []
    try:
        for name in (here.node, here.far):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "up0", "netns", here.node, "type", "veth",
            "peer", "name", "far0", "netns", here.far)  # fmt: skip
        for name, device, address in ((here.node, "up0", "2"), (here.far, "far0", "1")):
            _ip("-n", name, "addr", "add", f"198.51.100.{address}/24", "dev", device)
            _ip("-n", name, "link", "set", device, "up")
        for namespace, words in (
            (here.far, ("-m", "http.server", "8053", "--bind", "198.51.100.1")),
            (here.node, (str(HERE / "uplink_eyes.py"), "up0", "198.51.100.1:8053")),
        ):
            programs.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", namespace, sys.executable, "-u", *words],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                )
            )  # fmt: skip
        threading.Thread(target=_listen, args=(programs[1], here), daemon=True).start()
        yield here
    finally:
        for program in programs:
            program.kill()
            program.wait(10)
            assert program.stdout is not None
            program.stdout.close()
        for name in (here.node, here.far):
            _ip("netns", "del", name, check=False)


def _listen(program: subprocess.Popen[str], wire: Wire) -> None:
    assert program.stdout is not None
    try:
        for line in program.stdout:
            moment, state = line.split()
            wire.told.append((float(moment), state))
    except ValueError:
        return


def test_a_silent_modem_is_down_within_ten_seconds_and_up_again(wire: Wire) -> None:
    wire.wait_for("online", 0.0)
    _nft(wire.far, "add table inet cut")
    cut = time.monotonic()
    _nft(
        wire.far,
        "add chain inet cut everything { type filter hook input priority 0; policy drop; }",
    )

    assert wire.wait_for("offline", cut) < PROMISED_S + BUSY_S

    mended = time.monotonic()
    _nft(wire.far, "delete table inet cut")
    wire.wait_for("online", mended)


def test_a_cable_that_is_pulled_is_down_at_the_next_round(wire: Wire) -> None:
    wire.wait_for("online", 0.0)
    cut = time.monotonic()
    _ip("-n", wire.far, "link", "set", "far0", "down")

    assert wire.wait_for("offline", cut) < PROMISED_S + BUSY_S
