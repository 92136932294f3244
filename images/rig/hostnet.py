"""What is behind a virtual node's uplink: a network namespace of the host, with nothing else in it.

QEMU runs in it with its own user network, in which the namespace's loopback is one public-looking host.
Ports are free there, whatever the machine outside serves, and no packet ever leaves.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

NETWORK, HOST, NODE = "203.0.113.0/24", "203.0.113.1", "203.0.113.15"
"""As the guest sees them (RFC 5737); HOST is the loopback of the namespace."""
NETDEV = f"user,id=uplink,net={NETWORK},host={HOST},dhcpstart={NODE},dns=203.0.113.3"


class HostNet:
    """The namespace and the programs that were started in it. Needs root."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def inside(self) -> tuple[str, ...]:
        """What stands before a command that is to run in it."""
        return ("ip", "netns", "exec", self.name)

    def __enter__(self) -> Self:
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        return self

    def __exit__(self, *_ended: object) -> None:
        for process in self._started:
            process.terminate()
        for process in self._started:
            process.wait(30)
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def start(self, log: Path, *argv: str) -> subprocess.Popen[bytes]:
        """A program that runs in the namespace until the end."""
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*self.inside, *argv], stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        self._started.append(process)
        return process

    def start_internet(self, folder: Path, web_server: Path, python: str) -> None:
        """Every name resolves to HOST, where a web server answers on port 80."""
        self.start(folder / "web.log", python, str(web_server), "127.0.0.1")
        conf = folder / "names.conf"
        conf.write_text(
            "no-hosts\nno-resolv\nuser=root\npid-file=\nlisten-address=127.0.0.1\nbind-interfaces\n"
            f"address=/#/{HOST}\n"
        )
        self.start(folder / "names.log", "dnsmasq", "--keep-in-foreground", f"--conf-file={conf}")
