"""What each device used today, by its day's pseudonym, in memory alone: the portal's, and with a file in
/run that of the machine, so that a portal which starts again forgets nobody's day.

A power cut forgets it, together with the key that made the pseudonyms: then everybody begins anew,
which favours the visitor. An entry ends at the place's midnight while the clock can be believed, and
after 24 hours in any case; `forget_the_past` takes it out of the file too.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from captive_portal.admission import Used
from captive_portal.day_use_file import DayUse, DayUseFile
from municipio.clock import Clock, Instant

DAY_S = 24 * 60 * 60
MAX_DEVICES = 20_000
"""The oldest gives way: a flood of made-up addresses cannot eat the memory."""


class DayBook:
    """Adds up ended visits. Safe for threads. Without a file the day lives and dies with this process."""

    def __init__(self, clock: Clock, zone: ZoneInfo, file: DayUseFile | None = None) -> None:
        self._clock = clock
        self._zone = zone
        self._file = file
        self._lock = threading.Lock()
        kept = {} if file is None else file.load(clock.now().boot)
        self._entries: OrderedDict[str, DayUse] = OrderedDict(kept)
        if file is not None:
            self.forget_the_past(anew=True)

    def used(self, device: str) -> Used:
        now = self._clock.now()
        with self._lock:
            entry = self._current(device, now)
            if entry is None:
                return Used()
            return Used(
                entry.seconds, entry.bytes, entry.rest_until_ms, self._resets_in_s(entry, now)
            )

    def add(self, device: str, seconds: int, size: int, rest_s: int = 0) -> None:
        """A visit ended after so many seconds and bytes; `rest_s` is the site's cool-down, if it applies."""
        now = self._clock.now()
        with self._lock:
            entry = self._current(device, now)
            if entry is None:
                entry = self._entries[device] = DayUse(self._today(now), now.boot_ms)
            entry.seconds += max(0, seconds)
            entry.bytes += max(0, size)
            if rest_s:
                entry.rest_until_ms = now.boot_ms + rest_s * 1000
            while len(self._entries) > MAX_DEVICES:
                self._entries.popitem(last=False)
            if self._file is not None and not self._file.append(device, entry, len(self._entries)):
                self._file.rewrite(self._entries.items())

    def forget_the_past(self, *, anew: bool = False) -> None:
        """Let go of whose day is over; the file is written where that changes it, or `anew`."""
        now = self._clock.now()
        with self._lock:
            over = [device for device, use in self._entries.items() if self._is_over(use, now)]
            for device in over:
                self._current(device, now)
            if self._file is not None and (over or anew):
                self._file.rewrite(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def _current(self, device: str, now: Instant) -> DayUse | None:
        entry = self._entries.get(device)
        if entry is None:
            return None
        if self._is_over(entry, now):
            rest = entry.rest_until_ms
            del self._entries[device]
            if rest <= now.boot_ms:
                return None
            entry = self._entries[device] = DayUse(
                self._today(now), now.boot_ms, rest_until_ms=rest
            )
        return entry

    def _is_over(self, entry: DayUse, now: Instant) -> bool:
        today = self._today(now)
        new_day = today is not None and entry.day is not None and today != entry.day
        return new_day or now.boot_ms - entry.began_ms >= DAY_S * 1000

    def _today(self, now: Instant) -> date | None:
        return now.local_date(self._zone) if now.is_trusted else None

    def _resets_in_s(self, entry: DayUse, now: Instant) -> int:
        by_age = DAY_S - (now.boot_ms - entry.began_ms) // 1000
        if entry.day is None or not now.is_trusted or now.time is None:
            return by_age
        local = now.time.astimezone(self._zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time())
        left = (midnight.replace(tzinfo=self._zone) - local).total_seconds()
        return min(by_age, max(1, int(left)))
