"""What the gate asks of the kernel, in one place: tables as text, visits as elements, flows, ports."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol

from captive_portal.gate.netlink import Netfilter
from captive_portal.gate.netlink_wire import (
    NFPROTO_INET,
    NFPROTO_NETDEV,
    Item,
    Message,
    Place,
)
from captive_portal.gate.nft_runner import NftRefused, NftRunner

TABLES = ((NFPROTO_INET, "plaza"), (NFPROTO_NETDEV, "plaza"))


class Kernel(Protocol):
    """Every call is one transaction and returns what was refused instead of raising."""

    def build(self, text: str) -> NftRefused | None:
        """Replace tables."""
        ...

    def shape(self) -> str:
        """A digest of the two tables, without their elements; empty when one is missing."""
        ...

    def apply(self, messages: list[Message]) -> NftRefused | None: ...

    def get(self, place: Place, key: bytes) -> Item | None: ...

    def dump(self, place: Place) -> list[Item] | NftRefused: ...

    def forget_flows(self, mark: int) -> NftRefused | None:
        """Drop the tracked connections of one visit."""
        ...

    def isolate_ports(self, interface: str) -> int:
        """Keep the ports of a bridge apart; how many it has, 0 for an interface that is no bridge.

        Raises OSError where the kernel filters the frames of bridges and does not let itself be told not to.
        """
        ...


class LinuxKernel:
    """The kernel of this process's network namespace. Needs CAP_NET_ADMIN; raises OSError."""

    def __init__(self, runner: NftRunner) -> None:
        self._runner = runner
        self._netfilter = Netfilter()
        self.apply = self._netfilter.apply
        self.get = self._netfilter.get
        self.dump = self._netfilter.dump
        self.forget_flows = self._netfilter.forget_flows
        self._isolated: set[str] = set()

    def build(self, text: str) -> NftRefused | None:
        refused = self._runner.run(text)
        return refused if isinstance(refused, NftRefused) else None

    def shape(self) -> str:
        found = [self._netfilter.shape(family, table) for family, table in TABLES]
        return b"".join(found).hex() if all(found) else ""

    def isolate_ports(self, interface: str) -> int:
        """By `bridge` of iproute2: a port that joins later (a radio) is found by the next call."""
        ports = _ports(interface)
        if ports:
            stop_filtering_bridges()
        for port in ports - self._isolated:
            argv = ["bridge", "link", "set", "dev", port, "isolated", "on"]
            try:
                done = subprocess.run(argv, capture_output=True, timeout=5, check=False)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if done.returncode == 0:
                self._isolated.add(port)
        self._isolated &= ports
        return len(ports)


def stop_filtering_bridges(folder: Path = Path("/proc/sys/net/bridge")) -> None:
    """With br_netfilter, packets would be routed and translated before `netdev plaza` saw who sent them."""
    for name in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables"):
        switch = folder / name
        if switch.exists() and switch.read_text().strip() != "0":
            switch.write_text("0")


def _ports(interface: str) -> set[str]:
    try:
        return {path.name for path in Path(f"/sys/class/net/{interface}/brif").iterdir()}
    except OSError:
        return set()
