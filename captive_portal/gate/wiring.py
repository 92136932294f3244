"""Builds the root daemon's real parts. It needs neither the web application nor the node's memory."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from captive_portal.dhcp import RA_INTERVAL_S
from captive_portal.gate.client import GateClient
from captive_portal.gate.daemon import GateDaemon
from captive_portal.gate.day_key import KeptDayKey
from captive_portal.gate.keeper import CHECK_S, Keeper
from captive_portal.gate.kernel import LinuxKernel
from captive_portal.gate.neighbours import KernelNeighbours
from captive_portal.gate.nft import LAST_READING_MS, GatePolicy, NftGate
from captive_portal.gate.nft_runner import best_runner
from captive_portal.gate.router import Announcement, Announcer
from captive_portal.gate.store import VisitStore
from captive_portal.gate.visits import GateCause, GateTrouble
from sync.notify import Pulse, supervisor


class GateCannotStart(Exception):
    """The firewall could not be built; the message says what to repair."""


@dataclass(frozen=True, slots=True)
class GateOptions:
    """`allowed_uids` may call, besides root and whoever runs the daemon."""

    socket: Path
    policy: GatePolicy
    runtime: Path = Path("/run/plaza")
    allowed_uids: Collection[int] = ()
    check_s: float = CHECK_S
    announce: Announcement | None = None
    """What router advertisements say of the portal (RFC 8910); None: nothing."""


@dataclass(frozen=True, slots=True)
class RunningGate:
    """The daemon and its keeper. `serve` returns after `stop`, which any thread or signal may call."""

    daemon: GateDaemon
    keeper: Keeper
    announcer: Announcer | None = None
    pulse: Pulse | None = None

    def serve(self) -> None:
        self.keeper.start()
        if self.announcer is not None:
            self.announcer.start()
        if self.pulse is not None:
            self.pulse.start()
        self.daemon.serve()

    def stop(self) -> None:
        if self.pulse is not None:
            self.pulse.stop()
        self.daemon.stop()
        self.keeper.stop()
        if self.announcer is not None:
            self.announcer.stop()


def boot_ms() -> int:
    """Milliseconds of CLOCK_BOOTTIME: never set, runs through sleep."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def build_gate(options: GateOptions) -> RunningGate:
    """Build the firewall with the visits that still have time, and open the socket. Needs CAP_NET_ADMIN.

    Raises GateCannotStart, OSError, or ValueError (a value that is not an interface or a port).
    """
    options.runtime.mkdir(mode=0o755, parents=True, exist_ok=True)
    options.socket.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    gate = NftGate(
        options.policy,
        LinuxKernel(best_runner()),
        KernelNeighbours(options.policy.side.interface),
        VisitStore(options.runtime / "visits.ndjson"),
        boot_ms,
        KeptDayKey(boot_ms, options.runtime / "day.key"),
    )
    started = gate.start()
    if isinstance(started, GateTrouble):
        raise GateCannotStart(f"firewall: {started.detail}")
    allowed = {0, os.getuid(), *options.allowed_uids}
    daemon = GateDaemon(gate, options.socket, allowed)
    announcer = None
    if options.announce is not None:
        announcer = Announcer(options.policy.side.interface, options.announce, RA_INTERVAL_S)
    keeper = Keeper(gate, boot_ms, LAST_READING_MS, options.check_s)
    pulse = Pulse(supervisor(), lambda: answers(options.socket))
    return RunningGate(daemon, keeper, announcer, pulse)


def answers(socket: Path) -> bool:
    """Whether a caller gets a word through the door, be it that the firewall has a fault."""
    client = GateClient(socket)
    reply = client.stats()
    client.close()
    return not (isinstance(reply, GateTrouble) and reply.cause is GateCause.NO_ANSWER)
