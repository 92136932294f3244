"""hostapd's own output, line by line: stations are counted, never named; the rest is passed on clean.

hostapd has no quiet mode, and every line about a device holds its address: so nothing of its output
reaches a log unless it went through here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from captive_portal.wifi.control import without_devices

MAX_LINE = 400
_EVENT = re.compile(
    r"(?P<interface>[A-Za-z0-9_.-]{1,15}): (?P<event>AP-[A-Z-]{2,30})(?P<rest>(?: .*)?)"
)
_JOINED = "AP-STA-CONNECTED"
_LEFT = "AP-STA-DISCONNECTED"
_REFUSED = frozenset(
    {"AP-STA-POSSIBLE-PSK-MISMATCH", "AP-REJECTED-MAX-STA", "AP-REJECTED-BLOCKED-STA"}
)
_ENABLED = "AP-ENABLED"
# Told for every device, and nothing in them is of use without its address.
_DEVICE_TALK = re.compile(
    r"CTRL-EVENT-(EAP|SAE)|WPA: |IEEE 802\.1[1X]: |EAPOL-|AP-STA-|AP-CSA|AP-MGMT"
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts since the last summary, and how many devices are connected now."""

    joined: int
    left: int
    refused: int
    now: int

    @property
    def is_quiet(self) -> bool:
        return self.joined == self.left == self.refused == 0

    def __str__(self) -> str:
        refused = f", refused {self.refused}" if self.refused else ""
        return f"devices: {self.now} now, joined {self.joined}, left {self.left}{refused}"


class StationCounter:
    """Feed it lines; it answers what may be logged, and sums up the rest."""

    def __init__(self) -> None:
        self._joined = self._left = self._refused = self._now = 0
        self.enabled: set[str] = set()
        """Networks that came on the air since the last `take_enabled`."""

    def feed(self, line: str) -> str:
        """What of this line may be logged; empty: nothing."""
        line = line.rstrip()[:MAX_LINE]
        event = _EVENT.fullmatch(line)
        name = event["event"] if event else ""
        if name == _JOINED:
            self._joined += 1
            self._now += 1
        elif name == _LEFT:
            self._left += 1
            self._now = max(0, self._now - 1)
        elif name in _REFUSED:
            self._refused += 1
        elif event and name == _ENABLED:
            self.enabled.add(event["interface"])
        if _DEVICE_TALK.search(line) or name in _REFUSED:
            return ""
        return "".join(c if c.isprintable() else " " for c in without_devices(line)).strip()

    def restarted(self) -> None:
        """hostapd went away, and every association with it."""
        self._left += self._now
        self._now = 0

    def take(self) -> Summary:
        """The counts since the last call."""
        summary = Summary(self._joined, self._left, self._refused, self._now)
        self._joined = self._left = self._refused = 0
        return summary
