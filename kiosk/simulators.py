"""Every port of the kiosk in memory, with knobs: for tests, tools and trying screens by hand.

`Fuse` cuts the power at the n-th port call, before or after its effect, so that a test can walk through
every arrow of a machine. All data here is invented (demostración).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from municipio.cash import CashCount, CashMovement, MovementKind
from municipio.clock import Instant, TimeQuality
from municipio.devices import (
    CashPosition,
    CashUnit,
    Charge,
    ChargeState,
    DeviceState,
    DeviceStatus,
    PrintResult,
    PrintVerdict,
)
from municipio.facts import (
    LANES,
    ZERO_HASH,
    Fact,
    FactDraft,
    Lane,
    encode_fact,
    fact_hash,
    lane_of,
    make_fact,
)
from municipio.identifiers import make_folio
from municipio.payments import OPEN_STATES, Payment
from municipio.predial import SignedLiquidacion
from municipio.receipts import Paper
from municipio.usecases.ports import (
    AlreadyPaid,
    Change,
    CityFolio,
    FolioStub,
    LinkReport,
    LinkState,
    NoAnswer,
    NoAnswerCause,
    NotRecorded,
    NotRecordedCause,
    Numbered,
    PrintJob,
    Recorded,
    UnknownAccount,
    no_changes,
)


class PowerCut(BaseException):
    """The plug was pulled: everything in memory of the program is gone, what is stored is stored."""


@dataclass
class Fuse:
    """Counts port calls; blows at call `at` (1 = first), before its effect, or after it when `after`."""

    at: int = 0
    after: bool = False
    calls: int = 0

    def around(self, effect: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls == self.at and not self.after:
            raise PowerCut
        result = effect()
        if self.calls == self.at:
            raise PowerCut
        return result


@dataclass
class MemoryClock:
    """Stands still until told; 20 January 2026, 16:42 UTC, known from the network."""

    moment: datetime = datetime(2026, 1, 20, 16, 42, tzinfo=UTC)
    quality: TimeQuality = TimeQuality.SYNCED
    boot_ms: int = 60_000

    def now(self) -> Instant:
        known = None if self.quality is TimeQuality.UNKNOWN else self.moment
        return Instant(known, self.quality, "boot-demo", self.boot_ms)

    def today(self) -> date | None:
        return self.now().local_date(ZoneInfo("America/Mexico_City"))

    def pass_time(self, **step: float) -> None:
        self.moment += timedelta(**step)


@dataclass
class MemoryLedger:
    """Numbers and chains facts like the real one; `refuse` makes every write fail."""

    clock: MemoryClock = field(default_factory=MemoryClock)
    fuse: Fuse = field(default_factory=Fuse)
    refuse: NotRecordedCause | None = None
    facts: list[Fact] = field(default_factory=list)
    payments: dict[str, Payment] = field(default_factory=dict)
    stubs: dict[str, FolioStub] = field(default_factory=dict)
    jobs: dict[str, PrintJob] = field(default_factory=dict)
    cash: dict[str, CashMovement] = field(default_factory=dict)
    cash_by_payment: dict[str, list[CashMovement]] = field(default_factory=dict)
    positions: dict[CashUnit, CashPosition] = field(default_factory=dict)
    heads: dict[Lane, tuple[int, str]] = field(
        default_factory=lambda: dict.fromkeys(LANES, (0, ZERO_HASH))
    )

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = no_changes
    ) -> Recorded | NotRecorded:
        result: Recorded | NotRecorded = self.fuse.around(lambda: self._record(draft, changes))
        return result

    def _record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]]
    ) -> Recorded | NotRecorded:
        if self.refuse is not None:
            return NotRecorded(self.refuse, "as told")
        lane = lane_of(draft.type)
        seq, prev = self.heads[lane]
        fact = make_fact(
            draft,
            id=UUID(int=(len(self.facts) + 1) | (7 << 76) | (2 << 62)),
            source="urn:plaza:30039:COA007",
            epoch=1,
            seq=seq + 1,
            prev=prev,
            at=self.clock.now(),
        )
        folio = make_folio("COA007", lane, 1, fact.seq)
        self._store(changes(Numbered(fact.id, 1, fact.seq, folio)))
        self.heads[lane] = (fact.seq, fact_hash(encode_fact(fact)))
        self.facts.append(fact)
        return Recorded(fact, folio)

    def save(self, changes: Sequence[Change]) -> NotRecorded | None:
        result: NotRecorded | None = self.fuse.around(lambda: self._save(changes))
        return result

    def _save(self, changes: Sequence[Change]) -> NotRecorded | None:
        if self.refuse is not None:
            return NotRecorded(self.refuse, "as told")
        self._store(changes)
        return None

    def _store(self, changes: Sequence[Change]) -> None:
        for change in changes:
            match change:
                case Payment():
                    self.payments[change.key] = change
                case FolioStub():
                    self.stubs[change.folio] = change
                case PrintJob():
                    self.jobs[change.id] = change
                case CashMovement():
                    if change.id not in self.cash:
                        self.cash_by_payment.setdefault(change.payment, []).append(change)
                    self.cash.setdefault(change.id, change)
                case CashPosition():
                    self.positions[change.unit] = change

    def payment(self, key: str) -> Payment | None:
        return self.payments.get(key)

    def open_payments(self) -> tuple[Payment, ...]:
        return tuple(p for p in self.payments.values() if p.state in OPEN_STATES)

    def watched_payments(self) -> tuple[Payment, ...]:
        ended = (p for p in self.payments.values() if p.state not in OPEN_STATES)
        return tuple(p for p in ended if p.looks_left)

    def payments_for(self, clave: str) -> tuple[Payment, ...]:
        return tuple(p for p in self.payments.values() if p.clave == clave)

    def payment_by_folio(self, folio: str) -> Payment | None:
        return next((p for p in self.payments.values() if p.folio == folio), None)

    def folio(self, folio: str) -> FolioStub | None:
        return self.stubs.get(folio)

    def print_job(self, job_id: str) -> PrintJob | None:
        return self.jobs.get(job_id)

    def print_jobs_for(self, folio: str) -> tuple[PrintJob, ...]:
        return tuple(j for j in self.jobs.values() if j.folio == folio)

    def cash_movements(self, payment: str) -> tuple[CashMovement, ...]:
        return tuple(self.cash_by_payment.get(payment, ()))

    def cash_positions(self) -> tuple[CashPosition, ...]:
        return tuple(self.positions.values())

    def cash_counts(self) -> tuple[CashCount, ...]:
        moved = list(self.cash.values())
        cuts = [n for n, m in enumerate(moved) if m.kind is MovementKind.CUT]
        since = moved[cuts[-1] if cuts else 0 :]
        return tuple(CashCount(m.kind, m.unit, m.amount_centavos, m.count) for m in since)

    def types(self) -> list[str]:
        """Types of all facts, in order."""
        return [f.type.value for f in self.facts]


@dataclass
class MemoryTerminal:
    """A terminal that a test drives; it lives on while the kiosk is dead.

    `then` is what it answers once the card is presented by `present`; `silent` answers nothing.
    """

    fuse: Fuse = field(default_factory=Fuse)
    state: DeviceState = DeviceState.READY
    silent: bool = False
    then: ChargeState = ChargeState.APPROVED
    instant: bool = False
    """Every charge is answered with `then` at once."""
    wrong_amount: int = 0
    charges: dict[str, Charge] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)

    def status(self) -> DeviceStatus:
        return DeviceStatus(DeviceState.UNKNOWN if self.silent else self.state)

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        self.fuse.around(lambda: self._start(key, amount_centavos))

    def _start(self, key: str, amount_centavos: int) -> None:
        if key in self.charges:
            return
        self.started.append(key)
        self.charges[key] = Charge(key, ChargeState.AT_TERMINAL, amount_centavos)
        if self.instant:
            self.present()

    def present(self) -> None:
        """The person presents a card: every waiting charge ends as `then`."""
        for key, charge in self.charges.items():
            if charge.state is not ChargeState.AT_TERMINAL:
                continue
            approved = self.then is ChargeState.APPROVED
            amount = self.wrong_amount or charge.amount_centavos
            code, last4 = ("123456", "4242") if approved else ("", "")
            self.charges[key] = Charge(key, self.then, amount, code, last4)

    def approve_late(self, key: str) -> None:
        """The bank approves what the terminal had already called an end."""
        amount = self.wrong_amount or self.charges[key].amount_centavos
        self.charges[key] = Charge(key, ChargeState.APPROVED, amount, "654321", "4242")

    def charge(self, key: str) -> Charge:
        result: Charge = self.fuse.around(lambda: self._answer(key))
        return result

    def query(self, key: str, timeout_s: float) -> Charge:
        return self.charge(key)

    def _answer(self, key: str) -> Charge:
        if self.silent:
            return Charge(key, ChargeState.UNKNOWN)
        return self.charges.get(key, Charge(key, ChargeState.IDLE))

    def cancel(self, key: str) -> None:
        charge = self.charges.get(key)
        if charge and charge.state is ChargeState.AT_TERMINAL and not self.silent:
            self.charges[key] = replace(charge, state=ChargeState.CANCELLED)

    def money_taken(self) -> int:
        """Centavos that the bank took, whatever the kiosk believes."""
        approved = (c for c in self.charges.values() if c.state is ChargeState.APPROVED)
        return sum(c.amount_centavos for c in approved)


@dataclass
class MemoryPrinter:
    """Prints into `papers`; `verdict` is what it claims, `cause` why, `state` what it says before."""

    fuse: Fuse = field(default_factory=Fuse)
    state: DeviceState = DeviceState.READY
    verdict: PrintVerdict = PrintVerdict.PRINTED
    cause: str = ""
    papers: list[str] = field(default_factory=list)

    def status(self) -> DeviceStatus:
        return DeviceStatus(self.state, self.cause)

    def render(self, paper: Paper) -> bytes:
        return "\n".join(repr(line) for line in paper.lines).encode()

    def print_rendered(self, rendered: bytes) -> PrintResult:
        result: PrintResult = self.fuse.around(lambda: self._print(rendered))
        return result

    def _print(self, rendered: bytes) -> PrintResult:
        if self.verdict is not PrintVerdict.FAILED:
            self.papers.append(rendered.decode())
        return PrintResult(self.verdict, self.cause)

    def originals_of(self, folio: str) -> int:
        """Papers with this folio that are not marked COPIA."""
        return sum(folio in p and "COPIA" not in p for p in self.papers)


@dataclass
class MemoryCity:
    """The city's answers; `offline` makes every question NoAnswer."""

    offline: bool = False
    cause: NoAnswerCause = NoAnswerCause.OFFLINE
    liquidaciones: dict[str, SignedLiquidacion | AlreadyPaid] = field(default_factory=dict)
    folios: dict[str, CityFolio] = field(default_factory=dict)

    def fresh_liquidacion(
        self, clave: str
    ) -> SignedLiquidacion | AlreadyPaid | UnknownAccount | NoAnswer:
        if self.offline:
            return NoAnswer(self.cause)
        return self.liquidaciones.get(clave, UnknownAccount(clave))

    def folio(self, folio: str) -> CityFolio | NoAnswer | None:
        return NoAnswer(self.cause) if self.offline else self.folios.get(folio)


@dataclass
class MemoryLink:
    state: LinkState = LinkState.ONLINE
    waiting: int = 0

    def report(self) -> LinkReport:
        return LinkReport(self.state, self.waiting)


class MemorySealer:
    """Seals so that a test can open it; a real one cannot be opened here."""

    def seal(self, recipient: str, plaintext: bytes) -> str:
        return f"sealed:{recipient}:{plaintext.hex()}"

    @staticmethod
    def open(sealed: str) -> bytes:
        return bytes.fromhex(sealed.split(":")[2])


class MemorySigner:
    """64 deterministic bytes that stand for an Ed25519 signature; `verify` knows them again."""

    def sign(self, message: bytes) -> bytes:
        return hashlib.sha512(b"demo:" + message).digest()

    def verify(self, signature: bytes, message: bytes) -> bool:
        return signature == self.sign(message)


@dataclass
class MemorySpeaker:
    """Keeps what was said."""

    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def stop(self) -> None:
        pass
