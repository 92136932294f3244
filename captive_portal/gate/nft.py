"""The gate that enforces: nftables sets with timeouts, one hardware address per visit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from captive_portal.gate.neighbours import Neighbours
from captive_portal.gate.nft_runner import NftRefused, NftRunner
from captive_portal.gate.ruleset import (
    Element,
    GuestSide,
    render_grant,
    render_revoke,
    render_table,
)
from captive_portal.gate.store import LiveVisit, VisitStore
from captive_portal.gate.visits import (
    NO_LIMITS,
    EndedVisit,
    GateCause,
    GateStats,
    GateTrouble,
    Limits,
    Visit,
)
from captive_portal.pseudonym import DayKey


class NftGate:
    """Satisfies `Gate`. Hardware addresses stay in here: callers see pseudonyms.

    Call `restore` once at start: it builds the table and lets live visits in again.
    """

    def __init__(
        self,
        side: GuestSide,
        runner: NftRunner,
        neighbours: Neighbours,
        store: VisitStore,
        now_ms: Callable[[], int],
        day_key: DayKey,
    ) -> None:
        self._side = side
        self._runner = runner
        self._neighbours = neighbours
        self._store = store
        self._now_ms = now_ms
        self._day_key = day_key
        self._lock = threading.Lock()
        self._visits: dict[str, LiveVisit] = {}
        self._granted = self._revoked = self._refused = 0

    def ended(self) -> tuple[EndedVisit, ...] | GateTrouble:
        return ()

    def grant(self, ip: str, seconds: int, limits: Limits = NO_LIMITS) -> Visit | GateTrouble:
        if limits != NO_LIMITS:
            return GateTrouble(GateCause.BAD_REQUEST, "this gate ends visits by time only")
        mac = self._neighbours.mac_of(ip)
        with self._lock:
            if mac is None:
                self._refused += 1
                return GateTrouble(GateCause.UNKNOWN_NEIGHBOUR, "address not on the guest side")
            refused = self._runner.run(render_grant(Element(mac, seconds)))
            if isinstance(refused, NftRefused):
                self._refused += 1
                return GateTrouble(GateCause.FIREWALL, refused.detail)
            live = LiveVisit(mac, ip, self._now_ms() + seconds * 1000)
            self._visits[mac] = live
            self._store.append(live)
            self._granted += 1
            return self._view(live)

    def revoke(self, ip: str) -> Visit | GateTrouble:
        with self._lock:
            mac = self._mac_of(ip)
            if mac is None:
                return GateTrouble(GateCause.UNKNOWN_NEIGHBOUR, "address not on the guest side")
            refused = self._runner.run(render_revoke(mac, ip))
            if isinstance(refused, NftRefused):
                return GateTrouble(GateCause.FIREWALL, refused.detail)
            live = self._visits.pop(mac, None) or LiveVisit(mac, ip, 0)
            self._store.append(replace(live, deadline_ms=0))
            self._revoked += 1
            return self._view(replace(live, deadline_ms=0))

    def look(self, ip: str) -> Visit | GateTrouble:
        mac = self._mac_of(ip)
        if mac is None:
            return GateTrouble(GateCause.UNKNOWN_NEIGHBOUR, "address not on the guest side")
        live = self._visits.get(mac)
        return self._view(LiveVisit(mac, ip, live.deadline_ms if live else 0))

    def visits(self) -> tuple[Visit, ...] | GateTrouble:
        with self._lock:
            return tuple(v for v in map(self._view, self._visits.values()) if v.is_open)

    def restore(self) -> int | GateTrouble:
        """Replace the table and its visits in one transaction, from the live visits."""
        with self._lock:
            now = self._now_ms()
            visits = self._store.load(now)
            elements = [
                Element(v.mac, max(1, (v.deadline_ms - now) // 1000)) for v in visits.values()
            ]
            refused = self._runner.run(render_table(self._side, elements))
            if isinstance(refused, NftRefused):
                return GateTrouble(GateCause.FIREWALL, refused.detail)
            self._visits = visits
            return len(visits)

    def stats(self) -> GateStats | GateTrouble:
        with self._lock:
            now = self._now_ms()
            still = sum(v.deadline_ms > now for v in self._visits.values())
            return GateStats("nft", still, self._granted, self._revoked, self._refused)

    def _mac_of(self, ip: str) -> str | None:
        """The kernel's table, or the visit itself when the device has been silent for a while."""
        known = self._neighbours.mac_of(ip)
        return known or next((v.mac for v in list(self._visits.values()) if v.ip == ip), None)

    def _view(self, live: LiveVisit) -> Visit:
        left = max(0, live.deadline_ms - self._now_ms()) // 1000
        return Visit(live.ip, self._day_key.name(live.mac), left)
