"""QEMU's own wire (QMP): what is on the screen, a finger on it, an orderly end. One command at a time."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

TABLET_RANGE = 0x7FFF
"""QEMU's absolute axes go from 0 to this, whatever the screen measures."""


class QmpRefused(Exception):
    """QEMU answered with an error: the rig asked for something that this machine does not have."""


class Qmp:
    """A connection to the QMP socket of one machine."""

    def __init__(self, path: Path, within_s: float = 30.0) -> None:
        self._peer = connect_unix(path, within_s)
        self._peer.settimeout(within_s)
        self._file = self._peer.makefile("rwb")
        self._file.readline()  # the greeting
        self.ask("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._peer.close()

    def ask(self, command: str, **arguments: Any) -> Any:
        """The `return` of a command. Raises QmpRefused; events in between are dropped."""
        line = json.dumps({"execute": command, "arguments": arguments})
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        while answer := self._file.readline():
            said = json.loads(answer)
            if "error" in said:
                raise QmpRefused(said["error"].get("desc", ""))
            if "return" in said:
                return said["return"]
        raise QmpRefused("QEMU has ended")

    def screenshot(self, path: Path) -> Path:
        """A PNG of what the virtual display shows."""
        self.ask("screendump", filename=str(path), format="png")
        return path

    def touch(self, x: float, y: float, held_s: float = 0.25) -> None:
        """Press and release at a place given as parts (0 to 1) of the width and the height."""
        where = [
            {"type": "abs", "data": {"axis": axis, "value": round(part * TABLET_RANGE)}}
            for axis, part in (("x", x), ("y", y))
        ]
        self.ask("input-send-event", events=where)
        time.sleep(held_s)
        for down in (True, False):
            press = {"type": "btn", "data": {"button": "left", "down": down}}
            self.ask("input-send-event", events=[*where, press])
            time.sleep(held_s)


def connect_unix(path: Path, within_s: float) -> socket.socket:
    """Connect to a Unix socket that may appear only in a moment. TimeoutError."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.connect(str(path))
        except OSError:
            peer.close()
            time.sleep(0.05)
        else:
            return peer
    raise TimeoutError(f"nobody listens at {path.name}")
