"""Where everything of a demonstration is: addresses and folders, as values."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path


def default_home() -> Path:
    """The demonstration's folder when none is named: `$XDG_STATE_HOME/plaza/demo`."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "plaza" / "demo"


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on loopback. The node reaches the city only through `cable`."""

    bench: int = 8399
    portal: int = 8380
    central: int = 8311
    cable: int = 8312

    @classmethod
    def free(cls) -> Ports:
        """Four ports that nobody uses now, so that a tour can run beside a demonstration."""
        with ExitStack() as open_sockets:
            numbers = []
            for _ in range(4):
                probe = open_sockets.enter_context(socket.socket())
                probe.bind(("127.0.0.1", 0))
                numbers.append(int(probe.getsockname()[1]))
        return cls(*numbers)


@dataclass(frozen=True, slots=True)
class Plan:
    home: Path
    ports: Ports

    @property
    def node(self) -> Path:
        return self.home / "node"

    @property
    def content(self) -> Path:
        return self.home / "content"

    @property
    def city(self) -> Path:
        return self.home / "city"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.city / 'central.sqlite'}"

    @property
    def receipts(self) -> Path:
        return self.home / "receipts"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def dev(self) -> Path:
        """Ports of the simulated devices, each by its name."""
        return self.home / "dev"

    @property
    def remote(self) -> Path:
        return self.home / "kiosk.sock"

    @property
    def central_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.central}"

    @property
    def cable_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.cable}"

    @property
    def portal_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.portal}"

    @property
    def bench_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.bench}"
