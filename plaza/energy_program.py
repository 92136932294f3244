"""`plaza energy run`: look at the controller, think, switch, tell; about once a second, until stopped.

All decisions are `plaza.energy_mind`; this module reads and writes for it. Nothing here waits for the
network: the queue is the carrier's work, and guard only watches how much of it is left.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw

from hardware.power.state import Cause, ChargeController, nothing_known
from municipio.clock import Clock, Instant
from municipio.energy import RENEW_S, Band, EnergyNote
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Ledger, Link, LinkState, NotRecorded
from plaza.energy import Sample, Why
from plaza.energy_edge import Edge
from plaza.energy_files import keep_proof, radio_until, read_proof, service_note
from plaza.energy_mind import Known, Mind, Rules, stayed, think, wake_up
from plaza.energy_plan import Action, Arm, Halt
from plaza.energy_wake import Proof, halting, returned
from plaza.quiet import Busy
from sync.database import LedgerUnreadable
from sync.energy_note import read_energy, write_energy
from sync.whole_file import replace_file

LOOK_EVERY_S = 1.0
LEAST_LOOK_S = 0.05
SERVICE_EVERY_S = 300.0
"""The portal believes the hours for a quarter of an hour."""
RETRY_S = 60.0
"""How often a switch that did not move is pressed again."""

_log = logging.getLogger("plaza.energy")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the program is given. `controller` None: the site has none, and the node saves.

    `busy` says whom the node serves now; it may read the ledger.
    """

    controller: ChargeController | None
    edge: Edge
    ledger: Ledger
    link: Link
    clock: Clock
    busy: Callable[[], Busy | None]
    zone: ZoneInfo
    note_file: Path
    service_file: Path
    proof_file: Path


@dataclass
class EnergyProgram:
    parts: Parts
    rules: Rules
    pace: float = 1.0
    """Seconds that the mind counts for each that passes: more than 1 only where the sun is simulated."""
    _mind: Mind = field(init=False)
    _told: str = field(init=False, default="")
    _written: tuple[int, EnergyNote] | None = field(init=False, default=None)
    _hours_written: tuple[int, str] | None = field(init=False, default=None)
    _failed_at: dict[Action, float] = field(init=False, default_factory=dict)
    halted: bool = field(init=False, default=False)
    """The halt was asked for and taken: the system is going down."""

    def __post_init__(self) -> None:
        at = self.parts.clock.now()
        before = read_energy(self.parts.note_file)
        self._mind = wake_up(self._seconds(at), before, at.boot)
        self._told = level_word(before.band, before.why) if before else ""
        proof = read_proof(self.parts.proof_file)
        fresh = returned(proof, at.boot)
        if fresh != proof:
            self._keep_proof(fresh)
        self.rules = replace(self.rules, proof=fresh)

    @property
    def mind(self) -> Mind:
        return self._mind

    def run(self, stop: threading.Event, alive: Callable[[], None]) -> None:
        while not stop.is_set():
            self.step()
            alive()
            stop.wait(max(LEAST_LOOK_S, LOOK_EVERY_S / self.pace))

    def step(self) -> None:
        at = self.parts.clock.now()
        known = self._look(at)
        self._mind, actions = think(self._mind, known, self.rules)
        self._press(actions, known.boot_s)
        self._tell(known)
        self._publish(known, at)
        self._hours(known, at)

    def _seconds(self, at: Instant) -> float:
        return at.boot_ms / 1000 * self.pace

    # --- seeing -------------------------------------------------------------------------------

    def _look(self, at: Instant) -> Known:
        parts = self.parts
        guarded = self._mind.held.band is Band.GUARD
        report = parts.link.report() if guarded else None
        return Known(
            sample=sample_of(parts.controller),
            boot_s=self._seconds(at),
            local=at.time.astimezone(parts.zone) if at.is_trusted and at.time else None,
            busy=self._busy(),
            waiting=report.waiting if report else 0,
            link_up=report is not None and report.state is LinkState.ONLINE,
        )

    def _busy(self) -> Busy | None:
        try:
            return self.parts.busy()
        except (LedgerUnreadable, apsw.Error, OSError) as trouble:
            _log.warning("nobody knows who is served: %s", trouble)
            return None

    # --- switching ----------------------------------------------------------------------------

    def _press(self, actions: tuple[Action, ...], now: float) -> None:
        if any(isinstance(a, Halt) for a in actions):
            self._let_go(actions, now)
            return
        due = tuple(a for a, at in self._failed_at.items() if now - at >= RETRY_S)
        for action in (*due, *actions):
            self._failed_at = {a: t for a, t in self._failed_at.items() if not _same(a, action)}
            trouble = self.parts.edge.do(action)
            if trouble:
                _log.warning("%s", trouble)
                self._failed_at[action] = now

    def _let_go(self, actions: tuple[Action, ...], now: float) -> None:
        """Arm, say so, remember it, halt. Any trouble on this way means that the node stays awake."""
        for action in actions:
            if isinstance(action, Halt):
                self._tell_halt()
                if not self._keep_proof(
                    halting(self.rules.proof, self.rules.wake, self.parts.clock.now().boot)
                ):
                    self._mind = stayed(self._mind, now)
                    return
            trouble = self.parts.edge.do(action)
            if trouble and isinstance(action, Arm | Halt):
                _log.warning("the node stays awake: %s", trouble)
                self._keep_proof(self.rules.proof)
                self._mind = stayed(self._mind, now)
                return
        self.halted = True

    def _keep_proof(self, proof: Proof) -> bool:
        trouble = keep_proof(self.parts.proof_file, proof)
        if trouble:
            _log.warning("%s", trouble)
        return not trouble

    # --- telling ------------------------------------------------------------------------------

    def _tell(self, known: Known) -> None:
        """A change of band is a fact, once; it goes with the vitals, least urgent of all."""
        held = self._mind.held
        word = level_word(held.band, held.why)
        if held.why is Why.START or word == self._told:
            return
        if self._record({"level": word, "before": self._told}, known.sample):
            self._told = word

    def _tell_halt(self) -> None:
        held = self._mind.held
        sample = sample_of(self.parts.controller)
        told = {"level": held.band.value, "before": self._told, "halts": self.rules.wake.value}
        self._record(told, sample)

    def _record(self, told: Mapping[str, object], sample: Sample) -> bool:
        power = sample.power
        data = {
            **told,
            "band": self._mind.held.band.value,
            "why": self._mind.held.why.value,
            "soc_percent": power.soc_percent,
            "battery_mv": power.battery_mv,
            "confidence": power.confidence.value,
        }
        try:
            recorded = self.parts.ledger.record(FactDraft(FactType.ENERGY_CHANGED, data))
        except (LedgerUnreadable, apsw.Error, OSError) as trouble:
            # A card that fails must not keep a node from saving what its battery has left.
            _log.warning("not told: %s", trouble)
            return False
        return not isinstance(recorded, NotRecorded)

    def _publish(self, known: Known, at: Instant) -> None:
        """For every program that spends: at once when it says something new, else each `RENEW_S`."""
        note = self._note(known, at)
        if self._written is not None:
            written_at, old = self._written
            if at.boot_ms - written_at < RENEW_S * 1000 and _content(old) == _content(note):
                return
        try:
            write_energy(self.parts.note_file, note)
        except OSError as trouble:
            _log.warning("%s: %s", self.parts.note_file, trouble.strerror)
            return
        self._written = (at.boot_ms, note)

    def _note(self, known: Known, at: Instant) -> EnergyNote:
        power, held, wanted = known.sample.power, self._mind.held, self._mind.wanted
        status = None if self.parts.controller is None else self.parts.controller.status()
        return EnergyNote(
            band=held.band,
            why=held.why.value,
            boot=at.boot,
            written_boot_ms=at.boot_ms,
            since_boot_ms=round(held.since * 1000),
            soc_percent=power.soc_percent,
            battery_mv=power.battery_mv,
            battery_ma=power.battery_ma,
            solar_w=power.solar_w,
            load_w=power.load_w,
            temperature_c=power.temperature_c,
            confidence=power.confidence.value,
            state=status.state.value if status else "absent",
            cause=status.cause if status else "",
            radio=wanted is None or wanted.radio,
            phase=self._mind.watch.phase.value,
        )

    def _hours(self, known: Known, at: Instant) -> None:
        """Today's hours for the portal's visitors, while the battery sets them."""
        until = radio_until(self._mind, self.rules.hours.radio, known.local)
        text = service_note(until, at)
        file = self.parts.service_file
        with contextlib.suppress(OSError):
            if not text:
                file.unlink(missing_ok=True)
                self._hours_written = None
                return
            before = self._hours_written
            is_fresh = before is not None and at.boot_ms - before[0] < SERVICE_EVERY_S * 1000
            if before is not None and is_fresh and before[1] == until:
                return
            replace_file(file, text)
            self._hours_written = (at.boot_ms, until)


def sample_of(controller: ChargeController | None) -> Sample:
    """What the controller says now, with the cause that it is judged by."""
    if controller is None:
        return Sample(nothing_known(float("inf")))
    word = controller.status().cause
    return Sample(controller.power(), Cause(word) if word in set(Cause) else None)


def level_word(band: Band, why: str) -> str:
    """The five words that a fact's `level` has: silence is `unknown`, whatever the node spends then."""
    return "unknown" if why in (Why.SILENT, Why.START, Why.HELD) else band.value


def _content(note: EnergyNote) -> tuple[object, ...]:
    """What is news. Figures alone are not: they ride along when the note is renewed."""
    return (note.band, note.why, note.state, note.cause, note.radio, note.phase)


def _same(one: Action, other: Action) -> bool:
    """The same switch, whichever way."""
    if type(one) is not type(other):
        return False
    return getattr(one, "service", None) == getattr(other, "service", None)
