"""The real portal over the real gate socket, with the node's memory in memory. Run as a script."""

from __future__ import annotations

import sys
from pathlib import Path

from captive_portal.app import create_app
from captive_portal.gate.client import GateClient
from captive_portal.server import make_server
from captive_portal.simulator import RunningClock, simulated_node

if __name__ == "__main__":
    listen, gate_socket, public_url = sys.argv[1:]
    node = simulated_node(
        listen=listen,
        public_url=public_url,
        gate=GateClient(Path(gate_socket)),
        clock=RunningClock(),
    )
    make_server(create_app(node.ports), listen).run()
