"""Coming in: the rules of the site, the proof on disk, then the gate; and carrying a visit elsewhere.

Rule of this module: nothing opens before its acceptance is on disk, nobody is let in twice at once,
and what a visit has left can move but never grows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from captive_portal.admission import Allowance, Closed, DayUsedUp, Full, Refusal, Resting, admit
from captive_portal.aggregates import HourTally
from captive_portal.counters import Count, Counters
from captive_portal.day_use_file import DayUseFile
from captive_portal.daybook import DayBook
from captive_portal.gate.visits import (
    EndCause,
    EndedVisit,
    Gate,
    GateCause,
    GateTrouble,
    Limits,
    Visit,
)
from captive_portal.resume import Remainder, ResumeBook
from captive_portal.site import SiteProfile
from captive_portal.tries import Tries
from municipio.clock import Clock, Instant
from municipio.facts import FactDraft, FactType
from municipio.usecases.consulted import ConsultTally
from municipio.usecases.ports import Catalogue, Ledger, NotRecorded, NotRecordedCause

EXTEND_S = 10 * 60
"""A visit may be begun anew when this little is left of it."""
TRIES_EACH, TRIES_ALL, TRIES_WINDOW_S = 5, 100, 600


@dataclass(frozen=True, slots=True)
class Connected:
    visit: Visit


@dataclass(frozen=True, slots=True)
class NoTerms:
    """This node has no such terms: nobody can accept what cannot be read."""


@dataclass(frozen=True, slots=True)
class WrongCode:
    """Not a code of today, or worth nothing any more."""


@dataclass(frozen=True, slots=True)
class TooManyTries:
    wait_s: int = TRIES_WINDOW_S


Entered = Connected | NoTerms | NotRecorded | GateTrouble | Refusal
Resumed = Entered | WrongCode | TooManyTries


class Door:
    """One site's entrance. Every method is safe for threads."""

    def __init__(
        self,
        *,
        profile: SiteProfile,
        gate: Gate,
        ledger: Ledger,
        catalogue: Catalogue,
        clock: Clock,
        zone: ZoneInfo,
        codes: ResumeBook,
        day_use: DayUseFile | None = None,
    ) -> None:
        self.profile = profile
        self.counters = Counters()
        self._gate = gate
        self._ledger = ledger
        self._catalogue = catalogue
        self._clock = clock
        self._zone = zone
        self._codes = codes
        self._day = DayBook(clock, zone, day_use)
        self._tally = HourTally(clock.now())
        self._consults, self._consulting = ConsultTally("portal", clock.now()), threading.Lock()
        self._tries = Tries(
            lambda: clock.now().boot_ms,
            most_each=TRIES_EACH,
            most_all=TRIES_ALL,
            window_s=TRIES_WINDOW_S,
        )
        self._settling = threading.RLock()

    # --- coming in ------------------------------------------------------------------------

    def enter(self, ip: str, language: str, shown_sha256: str) -> Entered:
        """Record the acceptance of the terms that were shown, then let the device pass.

        An open visit is answered as it is, unless it is near its end and may be begun anew.
        """
        visit = self._gate.look(ip)
        if isinstance(visit, GateTrouble):
            return self._trouble(visit)
        if visit.is_open and not self.may_extend(visit):
            return Connected(visit)
        allowed = self._admit(visit)
        if not isinstance(allowed, Allowance):
            return self._refuse(allowed)
        return self._let_in(visit, allowed, language, shown_sha256)

    def outlook(self, ip: str) -> Allowance | Refusal | None:
        """What a tap would bring now; None when the gate does not answer."""
        visit = self._gate.look(ip)
        if isinstance(visit, GateTrouble):
            return None
        return self._admit(visit)

    def may_extend(self, visit: Visit) -> bool:
        """Near its end by time, and open to everybody again after it."""
        soon = min(EXTEND_S, (self.profile.session_s or EXTEND_S) // 2)
        if not visit.is_open or visit.seconds_left > soon or not self.can_extend:
            return False
        return isinstance(self._admit(visit), Allowance)

    @property
    def can_extend(self) -> bool:
        """RFC 8908: is coming back before the end of any use? Not where people rest or have a ration."""
        p = self.profile
        return not (p.cool_down_s or p.daily_s or p.daily_bytes)

    def _let_in(self, visit: Visit, allowed: Allowance, language: str, sha256: str) -> Entered:
        recorded = self._record(visit.device, language, sha256)
        if recorded is not None:
            return recorded
        granted = self._grant(visit.ip, allowed.seconds, allowed.bytes)
        if isinstance(granted, Connected):
            self.counters.add(Count.ACCEPTED)
            self._tally.accepted(visit.device, language)
        return granted

    def _record(
        self, device: str, language: str, sha256: str, *, resumed: bool = False
    ) -> NoTerms | NotRecorded | None:
        """The proof: `sha256` must be the hash of the text now in force."""
        terms = self._catalogue.terms(language)
        if terms is None or terms.sha256 != sha256:
            return NoTerms()
        data: dict[str, str | bool] = {
            "terms_version": terms.version,
            "terms_sha256": terms.sha256,
            "language": language,
            "device": device,
        }
        if resumed:
            data["resumed"] = True
        recorded = self._ledger.record(FactDraft(FactType.TERMS_ACCEPTED, data))
        if isinstance(recorded, NotRecorded):
            self.counters.add(Count.NOT_RECORDED)
            return recorded
        return None

    def _grant(self, ip: str, seconds: int, size: int) -> Connected | GateTrouble | Full:
        p = self.profile
        limits = Limits(size, p.rate_down_kib_s, p.rate_up_kib_s)
        granted = self._gate.grant(ip, seconds, limits)
        if not isinstance(granted, GateTrouble):
            return Connected(granted)
        if granted.cause is GateCause.FULL:
            self._refuse(full := Full(p.max_devices))
            return full
        return self._trouble(granted)

    def _admit(self, visit: Visit) -> Allowance | Refusal:
        self.settle()
        now = self._clock.now()
        return admit(
            self.profile,
            self._day.used(visit.device),
            local=self._local(now),
            now_ms=now.boot_ms,
            devices=self._others(visit),
        )

    def _others(self, visit: Visit) -> int:
        """How many other devices are inside. The gate itself refuses whoever comes at the same moment."""
        if not self.profile.max_devices:
            return 0
        stats = self._gate.stats()
        return 0 if isinstance(stats, GateTrouble) else stats.open - visit.is_open

    # --- carrying a visit elsewhere -------------------------------------------------------

    def code_for(self, ip: str) -> str:
        """Four words for the visit of who asks, on the card before they are shown; empty without either."""
        visit = self._gate.look(ip)
        if isinstance(visit, GateTrouble) or not visit.is_open:
            return ""
        code = self._codes.issue(
            visit.device,
            visit.seconds_left,
            visit.bytes_left or 0,
            is_limited=visit.bytes_left is not None,
        )
        self.counters.add(Count.CODE_GIVEN if code else Count.NOT_RECORDED)
        return code

    def resume(self, ip: str, language: str, shown_sha256: str, typed: str) -> Resumed:
        """Give the device behind `ip` what the code's visit has left, and end that visit."""
        visit = self._gate.look(ip)
        if isinstance(visit, GateTrouble):
            return self._trouble(visit)
        if not self._tries.may(visit.device):
            self.counters.add(Count.CODE_WAIT)
            return TooManyTries()
        with self._settling:
            self.settle()
            left = self._codes.look(typed)
            if left is None:
                self._tries.count(visit.device)
                self.counters.add(Count.CODE_WRONG)
                return WrongCode()
            if left.device == visit.device and visit.is_open:
                return Connected(visit)
            return self._move(visit, left, language, shown_sha256)

    def _move(self, visit: Visit, left: Remainder, language: str, sha256: str) -> Resumed:
        local = self._local(self._clock.now())
        if local is not None and not self.profile.open_hours.is_open(local):
            return self._refuse(Closed(self.profile.open_hours.next_opening(local)))
        before = self._open_visit_of(left.device)
        limit, others = self.profile.max_devices, self._others(visit)
        if before is None and limit and others >= limit:
            return self._refuse(Full(others))
        recorded = self._record(visit.device, language, sha256, resumed=True)
        if recorded is not None:
            return recorded
        seconds, size = left.seconds, left.bytes
        if before is not None:
            seconds, size = min(seconds, before.seconds_left), before.bytes_left or 0
        if visit.is_open:
            self._gate.revoke(visit.ip)
            self.settle()
        if not self._codes.move(left.key, visit.device, max(1, seconds), size):
            return NotRecorded(NotRecordedCause.DISK_FULL, "the code's new holder was not stored")
        if before is not None:
            self._gate.revoke(before.ip)
        granted = self._grant(visit.ip, max(1, seconds), size)
        if isinstance(granted, Connected):
            self.counters.add(Count.RESUMED)
            self._tally.accepted(visit.device, language, resumed=True)
        return granted

    def _open_visit_of(self, device: str) -> Visit | None:
        visits = self._gate.visits()
        if isinstance(visits, GateTrouble):
            return None
        return next((v for v in visits if v.device == device), None)

    # --- keeping the books ----------------------------------------------------------------

    def settle(self) -> None:
        """Write down what ended since last asked: the day's use, cool-downs, codes, the hour's totals."""
        with self._settling:
            ended = self._gate.ended()
            if isinstance(ended, GateTrouble):
                return
            for visit in ended:
                self._settle(visit)

    def _settle(self, visit: EndedVisit) -> None:
        whole = visit.cause in (EndCause.TIME, EndCause.BYTES)
        rest = self.profile.cool_down_s if whole else 0
        self._day.add(visit.device, visit.seconds, visit.bytes, rest)
        if visit.cause is not EndCause.REPLACED:
            self._codes.end(visit.device)
        self._tally.ended(visit)

    def checkpoint(self) -> None:
        """Write what the visits that hold a code have left, so that a power cut finds it; end days."""
        self._day.forget_the_past()
        holders = self._codes.holders()
        visits = self._gate.visits() if holders else ()
        if not isinstance(visits, GateTrouble):
            self._codes.checkpoint(
                (v.device, v.seconds_left, v.bytes_left or 0) for v in visits if v.device in holders
            )

    def consulted(self, tramite_id: str) -> None:
        """Somebody opened a trámite; it is counted, and nothing else."""
        with self._consulting:
            self._consults.opened(tramite_id)

    def tell_hour(self, *, at_once: bool = False) -> None:
        """Record the hour's totals when it is over. What cannot be recorded is lost, not kept."""
        now = self._clock.now()
        with self._consulting:
            consulted = self._consults.close(now, at_once=at_once)
        for draft in (*self._tally.close(now, at_once=at_once), *filter(None, (consulted,))):
            if isinstance(self._ledger.record(draft), NotRecorded):
                self.counters.add(Count.NOT_RECORDED)

    def _local(self, now: Instant) -> datetime | None:
        """The place's time, when it can be believed."""
        return now.time.astimezone(self._zone) if now.is_trusted and now.time is not None else None

    def _refuse(self, why: Refusal) -> Refusal:
        names = {
            Closed: Count.REFUSED_CLOSED,
            Full: Count.REFUSED_FULL,
            DayUsedUp: Count.REFUSED_DAY,
            Resting: Count.REFUSED_REST,
        }
        self.counters.add(names[type(why)])
        self._tally.refused(names[type(why)].value.removeprefix("refused_"))
        return why

    def _trouble(self, trouble: GateTrouble) -> GateTrouble:
        self.counters.add(Count.GATE_TROUBLE)
        return trouble
