"""`python -m captive_portal.simulator_server`: the simulated portal on a real socket.

For namespace tests, benches and designers. Facts are printed to stdout, one canonical line each,
before the answer to the visitor is sent.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from captive_portal.app import create_app
from captive_portal.gate.client import GateClient
from captive_portal.server import make_server
from captive_portal.simulator import RunningClock, SimulatedLedger, simulated_node
from municipio.facts import FactDraft
from municipio.usecases.ports import (
    Change,
    LinkState,
    NotRecorded,
    Numbered,
    Recorded,
    no_changes,
)


class PrintingLedger(SimulatedLedger):
    """A ledger whose memory is standard output."""

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = no_changes
    ) -> Recorded | NotRecorded:
        result = super().record(draft, changes)
        sys.stdout.buffer.write(self.facts[-1] + b"\n")
        sys.stdout.flush()
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8380")
    parser.add_argument("--public-url", default="")
    parser.add_argument("--gate-socket", type=Path)
    parser.add_argument("--offline", action="store_true")
    a = parser.parse_args()
    node = simulated_node(
        listen=a.listen,
        public_url=a.public_url,
        gate=GateClient(a.gate_socket) if a.gate_socket else None,
        clock=RunningClock(),
        ledger_type=PrintingLedger,
    )
    if a.offline:
        node.link.state, node.link.waiting = LinkState.OFFLINE, 14
    make_server(create_app(node.ports), a.listen).run()


if __name__ == "__main__":
    main()
