"""The half of an update that touches the slots: install, start anew, judge, keep or go back.

`settle` first says where the node stands after whatever happened, from the journal and from the slot that
runs; `advance` then does at most one thing. Nothing here asks the network, and nothing is actuated before
the journal says so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from municipio.facts import FactType
from plaza.updates.journal import JournalStore
from plaza.updates.rauc import Mark, Rauc, RaucTrouble, Slots
from plaza.updates.rules import (
    MAX_INSTALLS,
    Here,
    Moment,
    No,
    Window,
    may_install,
    refusal,
    tries_spent,
)
from plaza.updates.state import Cause, Event, Journal, Source, State

WAVE_FRESH_MS = 2 * 3600 * 1000
"""The city's word to go on is asked for again after this long."""


class Did(StrEnum):
    NOTHING = "nothing"
    INSTALLED = "installed"
    FAILED = "failed"
    STARTING = "starting"
    """The machine was told to start anew."""


@dataclass(frozen=True, slots=True)
class NoWayBack:
    """The other slot holds nothing that starts, so this one stays."""

    detail: str = "la otra ranura no tiene una versión que arranque"


@dataclass(frozen=True, slots=True)
class Node:
    """What the updater needs of a machine. `tell` is True once a fact is on the disk."""

    boot: str
    boot_ms: Callable[[], int]
    here: Here
    window: Window
    moment: Callable[[bool], Moment]
    """How things are now; the argument is whether a person said "now"."""
    rows: Callable[[], str]
    """What of the ledger's old rows cannot be read, empty when all can."""
    tell: Callable[[FactType, Mapping[str, Any]], bool]
    restart: Callable[[], None]


class Updater:
    """One at a time on a machine."""

    def __init__(self, node: Node, journal: JournalStore, rauc: Rauc) -> None:
        self._node = node
        self._journal = journal
        self._rauc = rauc

    def settle(self) -> Journal | RaucTrouble:
        """Bring the journal up to what the slots say, and tell the city what ended."""
        journal = self._journal.read()
        slots = self._rauc.status()
        if isinstance(slots, RaucTrouble):
            return slots
        event = arrived(journal, slots.booted.name, self._node.boot)
        if event is Event.INTERRUPTED and journal.attempts >= MAX_INSTALLS:
            changes = {"cause": Cause.INSTALL_FAILED, "detail": f"{journal.attempts} times cut"}
            journal = self._journal.move(Event.INSTALL_FAILED, **changes)
        elif event is Event.OLD_RUNS:
            cause = journal.cause or Cause.NOT_STARTED
            journal = self._journal.move(event, cause=cause)
        elif event is not None:
            journal = self._journal.move(event, boot=self._node.boot)
        return self._tell(journal, slots)

    def started(self) -> Journal | RaucTrouble:
        """Once at every start: a version that was good before is good at once.

        Otherwise three power cuts within minutes of starting, as on a weak battery, would look to the
        start loader like a version that does not serve.
        """
        slots = self._rauc.status()
        if isinstance(slots, RaucTrouble):
            return slots
        if not is_on_trial(self._journal.read(), slots.booted.name):
            # Before anything else: each start that is cut short uses up a try of this slot too.
            trouble = self._rauc.mark(Mark.GOOD)
            if trouble is not None:
                return trouble
        return self.settle()

    def may_install(self, journal: Journal) -> No | None:
        """Why what is ready does not go on now, or None."""
        bundle, here = journal.bundle, self._node.here
        if journal.state is State.READY and bundle is not None:
            never = refusal(bundle, here, journal)
            if never is not None:
                return never
        if journal.source is Source.CITY and journal.state is State.READY:
            age_ms = self._node.boot_ms() - journal.wave_ms
            fresh = journal.wave_boot == self._node.boot and 0 <= age_ms <= WAVE_FRESH_MS
            if not (journal.wave and fresh):
                return No.WAVE
        return may_install(self._node.moment(journal.told), here, self._node.window)

    def advance(self) -> Did | No | RaucTrouble | NoWayBack:
        """Do the next thing that is allowed now, after `settle`."""
        journal = self._journal.read()
        if journal.state is State.LEAVING:
            return self._leave()
        if journal.state not in (State.READY, State.INSTALLED):
            return Did.NOTHING
        no = self.may_install(journal)
        if no is not None:
            return no
        if journal.state is State.INSTALLED:
            self._node.restart()
            return Did.STARTING
        return self._install(journal)

    def is_judging(self) -> bool:
        """Does the trial go on? A person may end it either way."""
        return self._journal.read().state is State.TRIAL

    def found_good(self) -> Journal | RaucTrouble:
        """The trial is over: what runs stays."""
        trouble = self._rauc.mark(Mark.GOOD)
        if trouble is not None:
            return trouble
        self._journal.move(Event.FOUND_GOOD)
        return self.settle()

    def found_bad(self, detail: str) -> Did | No | RaucTrouble | NoWayBack:
        """The trial is over: the version before comes back, now."""
        return self._go_back(Event.FOUND_BAD, Cause.UNHEALTHY, detail)

    def go_back(self) -> Did | No | RaucTrouble | NoWayBack:
        """A person wants the version before."""
        moment = self._node.moment(True)
        no = may_install(moment, self._node.here, self._node.window)
        return no or self._go_back(Event.WANTED_BACK, Cause.BY_HAND, "")

    def _go_back(
        self, event: Event, cause: Cause, detail: str
    ) -> Did | No | RaucTrouble | NoWayBack:
        slots = self._rauc.status()
        if isinstance(slots, RaucTrouble):
            return slots
        if not slots.other.bootable:
            return NoWayBack()
        changes: dict[str, Any] = {"cause": cause, "detail": detail[:300]}
        changes |= {"old_slot": slots.other.name, "boot": self._node.boot}
        if not self._journal.read().version:
            changes |= {"version": self._node.here.version, "before": slots.other.version}
        self._journal.move(event, **changes)
        return self._leave()

    def _leave(self) -> Did | RaucTrouble:
        for mark, other in ((Mark.ACTIVE, True), (Mark.BAD, False)):
            trouble = self._rauc.mark(mark, other=other)
            if trouble is not None:
                return trouble
        self._node.restart()
        return Did.STARTING

    def _install(self, journal: Journal) -> Did | RaucTrouble:
        slots, file = self._rauc.status(), Path(journal.file)
        if isinstance(slots, RaucTrouble):
            return slots
        found = self._rauc.info(file)
        if isinstance(found, RaucTrouble) or found.version != journal.version:
            said = found.detail if isinstance(found, RaucTrouble) else f"it is {found.version}"
            self._journal.move(Event.DROPPED, file="", bundle=None, version="")
            if journal.source is not Source.HAND:
                file.unlink(missing_ok=True)
            return RaucTrouble(said)
        self._journal.move(
            Event.INSTALL_BEGUN, boot=self._node.boot, old_slot=slots.booted.name,
            before=self._node.here.version, attempts=journal.attempts + 1, cause=None, detail="",
            rows_before=self._node.rows(),
        )  # fmt: skip
        trouble = self._rauc.install(file)
        if trouble is None:
            self._journal.move(Event.INSTALL_DONE, boot=self._node.boot)
            return Did.INSTALLED
        changes = {"cause": Cause.INSTALL_FAILED, "detail": trouble.detail[:300]}
        self._tell(self._journal.move(Event.INSTALL_FAILED, **changes), slots)
        return Did.FAILED

    def _tell(self, journal: Journal, slots: Slots) -> Journal:
        """What ended becomes a fact, at least once; then nothing is left of it but what not to try again."""
        if journal.state not in (State.GOOD, State.RETURNED):
            return journal
        data: dict[str, Any] = {"version": journal.version, "ring": self._node.here.ring}
        returned = journal.returned
        if journal.state is State.GOOD:
            kind = FactType.NODE_UPDATED
            data |= {"before": journal.before, "slot": slots.booted.bootname}
        else:
            kind, cause = FactType.NODE_UPDATE_RETURNED, journal.cause or Cause.NOT_STARTED
            if cause is not Cause.INSTALL_FAILED:
                # Nothing may start what did not serve, also when every try is used up.
                self._rauc.mark(Mark.BAD, other=True)
            data |= {"back_to": self._node.here.version, "slot": slots.booted.bootname}
            data |= {"cause": cause.value, "detail": journal.detail}
            spent = returned.get(journal.version, 0) + tries_spent(cause)
            returned = {**returned, journal.version: spent}
        if not self._node.tell(kind, data):
            return journal
        with contextlib.suppress(OSError):
            if journal.source is not Source.HAND and journal.file:
                Path(journal.file).unlink(missing_ok=True)
        fresh = msgspec.structs.asdict(Journal(returned=returned, boot=self._node.boot))
        del fresh["state"]
        return self._journal.move(Event.TOLD, **fresh)


def is_on_trial(journal: Journal, booted: str) -> bool:
    """Does a version run that nobody called good, or that was called bad?"""
    return booted != journal.old_slot and journal.state in (
        State.INSTALLING, State.INSTALLED, State.TRIAL, State.LEAVING, State.RETURNED,
    )  # fmt: skip


def arrived(journal: Journal, booted: str, boot: str) -> Event | None:
    """What the slot that runs says about the step that was under way, or None."""
    old = booted == journal.old_slot
    match journal.state:
        case State.INSTALLING:
            return Event.INTERRUPTED if old else Event.NEW_RUNS
        case State.INSTALLED if not old:
            return Event.NEW_RUNS
        case State.INSTALLED if boot != journal.boot:
            return Event.OLD_RUNS
        case State.TRIAL | State.LEAVING | State.GOOD if old:
            return Event.OLD_RUNS
        case State.RETURNED if not old:
            return Event.NEW_RUNS
    return None
