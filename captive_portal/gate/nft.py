"""The gate that enforces: the kernel ends each visit by time or bytes; this keeps its books.

Hardware addresses stay in here: callers see pseudonyms.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from captive_portal.gate.elements import (
    ALLOW,
    LAST_MARK,
    ROUTERS,
    VISITS,
    Pass,
    end_visit,
    key_of,
    open_visit,
    replace_all,
)
from captive_portal.gate.kernel import Kernel
from captive_portal.gate.neighbours import Neighbours
from captive_portal.gate.nft_runner import NftRefused
from captive_portal.gate.ruleset import GuestSide, render_inet, render_tables
from captive_portal.gate.store import LiveVisit, VisitStore
from captive_portal.gate.visits import (
    NO_LIMITS,
    EndCause,
    EndedVisit,
    GateCause,
    GateStats,
    GateTrouble,
    Limits,
    Visit,
)
from captive_portal.pseudonym import DayKey

MAX_ENDED = 10_000
NOT_A_GUEST = GateTrouble(GateCause.UNKNOWN_NEIGHBOUR, "address not on the guest side")
LAST_READING_MS = 200
"""So long before its end a visit's bytes are read: the kernel forgets them with the visit."""
CROWD = 4
"""More IPv4 addresses than this behind one hardware address are no single phone."""
_log = logging.getLogger("plaza.gate")


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What the gate enforces besides visits. `doh` are addresses of known DNS-over-HTTPS servers."""

    side: GuestSide
    max_open: int = 0
    doh: tuple[str, ...] = ()


class NftGate:
    """Satisfies `Gate`. Call `start` once, `sweep` at `next_event_ms` and `check` now and then."""

    def __init__(
        self,
        policy: GatePolicy,
        kernel: Kernel,
        neighbours: Neighbours,
        store: VisitStore,
        now_ms: Callable[[], int],
        day_key: DayKey,
    ) -> None:
        self._policy, self._kernel, self._neighbours = policy, kernel, neighbours
        self._store, self._now_ms, self._day_key = store, now_ms, day_key
        self._text = render_tables(policy.side, policy.doh)
        self._lock = threading.RLock()
        self._visits: dict[str, LiveVisit] = {}
        self._mac_at: dict[str, str] = {}
        self._ends: list[tuple[int, str]] = []
        self._ended: deque[EndedVisit] = deque(maxlen=MAX_ENDED)
        self._count = dict.fromkeys(EndCause, 0)
        self._granted = self._refused = self._rebuilt = self._bytes = self._mark = 0
        self._whole = False

    def grant(self, ip: str, seconds: int, limits: Limits = NO_LIMITS) -> Visit | GateTrouble:
        mac = self._neighbours.mac_of(ip)
        with self._lock:
            self.sweep()
            old = self._visits.get(mac or "")
            if mac is None:
                return self._refuse(NOT_A_GUEST.cause, NOT_A_GUEST.detail)
            if old is None and 0 < self._policy.max_open <= len(self._visits):
                return self._refuse(GateCause.FULL, f"{self._policy.max_open} devices are open")
            now = self._now_ms()
            if old is not None:
                old = self._read(old)
            mark = old.mark if old else self._next_mark()
            live = LiveVisit(mac, ip, now + seconds * 1000, mark, now, limits)
            refused = self._kernel.apply(open_visit(_pass(live, now)))
            if refused is not None:
                return self._refuse(GateCause.FIREWALL, refused.detail)
            if old is not None:
                self._note_end(old, EndCause.REPLACED)
            self._remember(live)
            self._store.append(live)
            self._granted += 1
            return self._view(live)

    def revoke(self, ip: str) -> Visit | GateTrouble:
        with self._lock:
            self.sweep()
            mac = self._mac_of(ip)
            if mac is None:
                return NOT_A_GUEST
            live = self._visits.get(mac)
            if live is not None:
                refused = self._end(self._read(live), EndCause.REVOKED)
                if refused is not None:
                    return GateTrouble(GateCause.FIREWALL, refused.detail)
            return self._view(LiveVisit(mac, ip, 0))

    def look(self, ip: str) -> Visit | GateTrouble:
        with self._lock:
            self.sweep()
            mac = self._mac_of(ip)
            if mac is None:
                return NOT_A_GUEST
            live = self._visits.get(mac)
            if live is None:
                return self._view(LiveVisit(mac, ip, 0))
            live = self._keep(self._read(live))
            if _is_used_up(live):
                self._end(live, EndCause.BYTES)
                live = replace(live, deadline_ms=0)
            return self._view(replace(live, ip=ip))

    def visits(self) -> tuple[Visit, ...] | GateTrouble:
        with self._lock:
            self.sweep()
            self._read_all()
            return tuple(map(self._view, self._visits.values()))

    def ended(self) -> tuple[EndedVisit, ...] | GateTrouble:
        with self._lock:
            self.sweep()
            self._read_all()
            told = tuple(self._ended)
            self._ended.clear()
            return told

    def start(self) -> int | GateTrouble:
        """Take up what a gate before this one left. When nothing is amiss nothing is touched."""
        with self._lock:
            apart = self._keep_ports_apart()
            if apart is not None:
                return apart
            self._adopt(self._store.load())
            self._whole = self._store.is_shape(self._text, self._kernel.shape())
            self.sweep()
            if self._whole and not self._read_all() and self._is_exact():
                return len(self._visits)
            return self._refill()

    def restore(self) -> int | GateTrouble:
        """Make the kernel hold exactly the live visits, in one transaction.

        Tables that are not whole are built first, in another: between the two nobody passes.
        """
        with self._lock:
            apart = self._keep_ports_apart()
            if apart is not None:
                return apart
            self._adopt(self._store.load())
            self._whole = self._store.is_shape(self._text, self._kernel.shape())
            if self._whole:
                self._read_all()
            return self._refill()

    def _keep_ports_apart(self) -> GateTrouble | None:
        try:
            self._kernel.isolate_ports(self._policy.side.interface)
        except OSError as e:
            return GateTrouble(GateCause.FIREWALL, f"sysctl net.bridge: {e.strerror or e}")
        return None

    def _refill(self) -> int | GateTrouble:
        """Empty the sets and fill them from the books, in tables that are built before if they must be."""
        if not self._whole:
            refused = self._build()
            if refused is not None:
                return GateTrouble(GateCause.FIREWALL, refused.detail)
        self.sweep()
        now = self._now_ms()
        passes = [_pass(v, now) for v in self._visits.values()]
        refused = self._kernel.apply(replace_all(passes)) if self._whole else None
        if refused is not None:
            self._whole = False
            return GateTrouble(GateCause.FIREWALL, refused.detail)
        self._store.save(self._visits.values())
        return len(self._visits)

    def stats(self) -> GateStats | GateTrouble:
        with self._lock:
            self.sweep()
            self._read_all()
            routers = self._kernel.dump(ROUTERS)
            return GateStats(
                "nft",
                len(self._visits),
                self._granted,
                self._count[EndCause.REVOKED],
                self._refused,
                self._count[EndCause.TIME],
                self._count[EndCause.BYTES],
                self._bytes + sum(v.used for v in self._visits.values()),
                self._policy.max_open,
                self._whole,
                self._rebuilt,
                0 if isinstance(routers, NftRefused) else len(routers),
                sum(n > CROWD for n in self._neighbours.crowds().values()),
            )

    def next_event_ms(self) -> int | None:
        """When `sweep` has something to do, None while nobody is in."""
        with self._lock:
            while self._ends and not self._is_end(*self._ends[0]):
                heappop(self._ends)
            return self._ends[0][0] if self._ends else None

    def sweep(self) -> None:
        """Book the visits whose time is over. The kernel ended them already: this forgets their flows."""
        with self._lock:
            now = self._now_ms()
            while self._ends and self._ends[0][0] <= now:
                end = heappop(self._ends)
                if self._is_end(*end):
                    self._end(self._visits[end[1]], EndCause.TIME)

    def last_readings(self) -> None:
        """Read the bytes of the visits that are about to end."""
        with self._lock:
            soon = self._now_ms() + LAST_READING_MS
            if not self._ends or self._ends[0][0] > soon:
                return
            for live in [v for v in self._visits.values() if v.deadline_ms <= soon]:
                self._keep(self._read(live))

    def check(self, *, count: bool = False) -> bool:
        """Whether the firewall is as it was built; if not it is built again, and the journal says so.

        With `count` every visit is counted too: what used up its bytes is booked, what somebody took out
        comes back, and the store learns how much was used.
        """
        with self._lock:
            whole = self._whole and self._store.is_shape(self._text, self._kernel.shape())
            missing = self._read_all() if count or not whole else 0
            if whole and not missing:
                if count:
                    self._store.save(self._visits.values())
                with contextlib.suppress(OSError):
                    self._kernel.isolate_ports(self._policy.side.interface)
                return True
            self._store.save(self._visits.values())
            restored = self.restore()
            if isinstance(restored, int) and self._whole:
                self._rebuilt += 1
                _log.warning("the firewall was changed from outside: built again, %d in", restored)
            return False

    def _build(self) -> NftRefused | None:
        """Both tables; while the guest interface is missing, the one that denies."""
        refused = self._kernel.build(self._text)
        if refused is None:
            self._store.keep_shape(self._text, self._kernel.shape())
            self._whole = True
            return None
        self._whole = False
        fallback = self._kernel.build(render_inet(self._policy.side, self._policy.doh))
        if fallback is None:
            _log.warning("the guest side is not there, nobody can pass: %s", refused.detail)
        return fallback

    def _is_exact(self) -> bool:
        """Nobody is in the kernel whom the books do not know, and nobody is missing."""
        keys = {key_of(mac) for mac in self._visits}
        for place in (VISITS, ALLOW):
            found = self._kernel.dump(place)
            if isinstance(found, NftRefused) or {item.key for item in found} != keys:
                return False
        return True

    def _adopt(self, stored: dict[str, LiveVisit]) -> None:
        self._visits = stored
        self._mac_at = {v.ip: v.mac for v in stored.values()}
        self._mark = max([self._mark, *(v.mark for v in stored.values())])
        self._ends = [(v.deadline_ms, v.mac) for v in stored.values()]
        heapify(self._ends)

    def _is_end(self, deadline_ms: int, mac: str) -> bool:
        """An entry of the heap is about a visit that still is, and still ends then."""
        live = self._visits.get(mac)
        return live is not None and live.deadline_ms == deadline_ms

    def _read(self, live: LiveVisit) -> LiveVisit:
        item = self._kernel.get(VISITS, key_of(live.mac))
        return live if item is None else replace(live, used=max(live.used, item.used))

    def _read_all(self) -> int:
        """Take over what the kernel counted; how many visits it does not have though it should."""
        items = self._kernel.dump(VISITS)
        if isinstance(items, NftRefused):
            return len(self._visits)
        used = {item.key: item.used for item in items}
        missing, soon = 0, self._now_ms() + LAST_READING_MS
        for live in list(self._visits.values()):
            count = used.get(key_of(live.mac))
            if count is None:
                missing += live.deadline_ms > soon
                continue
            if count > live.used:
                live = self._keep(replace(live, used=count))
            if _is_used_up(live):
                self._end(live, EndCause.BYTES)
        return missing

    def _keep(self, live: LiveVisit) -> LiveVisit:
        self._visits[live.mac] = live
        return live

    def _remember(self, live: LiveVisit) -> None:
        old = self._visits.get(live.mac)
        if old is not None:
            self._mac_at.pop(old.ip, None)
        self._visits[live.mac] = live
        self._mac_at[live.ip] = live.mac
        heappush(self._ends, (live.deadline_ms, live.mac))

    def _end(self, live: LiveVisit, cause: EndCause) -> NftRefused | None:
        refused = self._kernel.apply(end_visit(live.mac, live.mark)) if self._whole else None
        if refused is not None and cause is EndCause.REVOKED:
            return refused
        self._kernel.forget_flows(live.mark)
        self._visits.pop(live.mac, None)
        self._mac_at.pop(live.ip, None)
        self._store.append(replace(live, deadline_ms=0))
        self._note_end(live, cause)
        return None

    def _note_end(self, live: LiveVisit, cause: EndCause) -> None:
        self._count[cause] += 1
        self._bytes += live.used
        end = min(self._now_ms(), live.deadline_ms)
        seconds = max(0, end - live.granted_ms) // 1000
        self._ended.append(EndedVisit(self._day_key.name(live.mac), cause, seconds, live.used))

    def _next_mark(self) -> int:
        taken = {v.mark for v in self._visits.values()} if self._mark >= LAST_MARK else set()
        self._mark = self._mark % LAST_MARK + 1
        while self._mark in taken:
            self._mark = self._mark % LAST_MARK + 1
        return self._mark

    def _refuse(self, cause: GateCause, detail: str) -> GateTrouble:
        self._refused += 1
        return GateTrouble(cause, detail)

    def _mac_of(self, ip: str) -> str | None:
        """The kernel's table, or the visit itself when the device has been silent for a while."""
        return self._neighbours.mac_of(ip) or self._mac_at.get(ip)

    def _view(self, live: LiveVisit) -> Visit:
        left = -(-max(0, live.deadline_ms - self._now_ms()) // 1000)
        total = live.limits.bytes if left else 0
        return Visit(
            live.ip,
            self._day_key.name(live.mac),
            left,
            min(live.used, total) if total else live.used,
            max(0, total - live.used) if total else None,
            is_rotating(live.mac),
        )


def is_rotating(mac: str) -> bool:
    """Locally administered (IEEE 802, bit 1 of the first octet): made up by the device."""
    return bool(int(mac[:2], 16) & 2)


def _is_used_up(live: LiveVisit) -> bool:
    return 0 < live.limits.bytes <= live.used


def _pass(live: LiveVisit, now_ms: int) -> Pass:
    left = max(1, live.deadline_ms - now_ms)
    return Pass(live.mac, live.mark, left, live.limits, live.used)
