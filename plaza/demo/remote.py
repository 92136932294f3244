"""A client of the kiosk's remote control: frames out, touches in, over a Unix socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class KioskSilent(ConnectionError):
    """The kiosk does not answer: it is not running, or it is starting."""


class TargetMissing(LookupError):
    """The screen shows no such target, or it cannot be touched now."""


class KioskRemote:
    """One request per connection, so that a killed kiosk never leaves a half-read reply behind."""

    def __init__(self, path: Path, timeout_s: float = 10) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def frame(self) -> bytes:
        """The screen now, as PNG."""
        return self._ask({"op": "frame"})[1]

    def touch(self, x: int, y: int) -> None:
        self._ask({"op": "touch", "x": x, "y": y})

    def targets(self) -> dict[str, Any]:
        """`{"screen", "targets": [{"id", "x", "y", "w", "h", "text", "enabled"}], "texts": [...]}`."""
        return self._ask({"op": "targets"})[0]

    def devices(self) -> dict[str, dict[str, str]]:
        """`{"printer": {"state": "fault", "cause": "paper_end"}, ...}`: what the kiosk holds."""
        devices: dict[str, dict[str, str]] = self._ask({"op": "devices"})[0].get("devices", {})
        return devices

    def tap(self, target: str) -> None:
        """Touch the centre of a target. Raises TargetMissing with what the screen does show."""
        reply, _ = self._ask({"op": "tap", "id": target})
        if "error" in reply:
            raise TargetMissing(f"{target}: {reply['error']}")

    def wait_ready(self, timeout_s: float, alive: Callable[[], bool] = lambda: True) -> None:
        """Return when the kiosk has drawn a screen. Raises KioskSilent after the time-out or when it

        is no longer `alive`.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if self.targets().get("screen"):
                    return
            except (KioskSilent, OSError, ValueError):
                if time.monotonic() > deadline or not alive():
                    raise KioskSilent("the kiosk drew nothing in time") from None
            time.sleep(0.05)

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(self._timeout_s)
                link.connect(str(self._path))
                link.sendall(json.dumps(request).encode() + b"\n")
                with link.makefile("rb") as stream:
                    line = stream.readline(1 << 20)
                    reply = json.loads(line) if line else None
                    if not isinstance(reply, dict):
                        raise KioskSilent("the kiosk closed the connection")
                    body = stream.read(int(reply.get("png_bytes", 0)))
        except OSError as trouble:
            raise KioskSilent(str(trouble)) from trouble
        return reply, body
