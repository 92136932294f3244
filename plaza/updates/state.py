"""An update's way through a node: which step may follow which, and what is remembered between steps.

idle -> available -> downloading -> ready -> installing -> installed -> trial -> good -> idle, and from
installing, installed or trial to returned -> idle. Every step is journalled before the actuation that it
announces, so that after a cut in any instruction the journal and the slot that runs say what to do next.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from municipio.wire.software import Bundle


class State(StrEnum):
    IDLE = "idle"
    AVAILABLE = "available"
    DOWNLOADING = "downloading"
    READY = "ready"
    """The bundle is here whole; it waits for a moment when nobody is in the way."""
    INSTALLING = "installing"
    """The other slot may be half written; the one that runs is whole."""
    INSTALLED = "installed"
    """The other slot is what starts next."""
    TRIAL = "trial"
    """The new version runs, and nobody has said yet that it is good."""
    LEAVING = "leaving"
    """The version that runs was judged bad, or a person wants the one before: it is what starts next."""
    GOOD = "good"
    RETURNED = "returned"
    """The version before runs again, and the city has not been told."""


class Event(StrEnum):
    OFFERED = "offered"
    FETCHING = "fetching"
    FETCHED = "fetched"
    DROPPED = "dropped"
    """No longer offered, no longer fit, or its file is damaged."""
    BROUGHT = "brought"
    """A person put a bundle here."""
    INSTALL_BEGUN = "install_begun"
    INSTALL_DONE = "install_done"
    INSTALL_FAILED = "install_failed"
    INTERRUPTED = "interrupted"
    """The machine was started anew, in the old slot, before the installing had ended."""
    NEW_RUNS = "new_runs"
    OLD_RUNS = "old_runs"
    FOUND_GOOD = "found_good"
    FOUND_BAD = "found_bad"
    WANTED_BACK = "wanted_back"
    TOLD = "told"


_S, _E = State, Event
_WAITING = (_S.IDLE, _S.AVAILABLE, _S.DOWNLOADING, _S.READY)

TRANSITIONS: dict[tuple[State, Event], State] = {
    **{(state, _E.OFFERED): _S.AVAILABLE for state in _WAITING},
    **{(state, _E.BROUGHT): _S.READY for state in _WAITING},
    (_S.AVAILABLE, _E.FETCHING): _S.DOWNLOADING,
    (_S.DOWNLOADING, _E.FETCHING): _S.DOWNLOADING,
    (_S.DOWNLOADING, _E.FETCHED): _S.READY,
    **{(state, _E.DROPPED): _S.IDLE for state in _WAITING},
    (_S.READY, _E.INSTALL_BEGUN): _S.INSTALLING,
    (_S.INSTALLING, _E.INSTALL_DONE): _S.INSTALLED,
    (_S.INSTALLING, _E.INSTALL_FAILED): _S.RETURNED,
    (_S.INSTALLING, _E.INTERRUPTED): _S.READY,
    # RAUC may have ended, and the cut came before the journal knew.
    (_S.INSTALLING, _E.NEW_RUNS): _S.TRIAL,
    (_S.INSTALLED, _E.NEW_RUNS): _S.TRIAL,
    (_S.INSTALLED, _E.OLD_RUNS): _S.RETURNED,
    (_S.TRIAL, _E.OLD_RUNS): _S.RETURNED,
    (_S.TRIAL, _E.FOUND_GOOD): _S.GOOD,
    (_S.TRIAL, _E.FOUND_BAD): _S.LEAVING,
    (_S.IDLE, _E.WANTED_BACK): _S.LEAVING,
    (_S.TRIAL, _E.WANTED_BACK): _S.LEAVING,
    (_S.LEAVING, _E.OLD_RUNS): _S.RETURNED,
    # Cuts before anybody was told may use up the tries of the slot that had come to stay.
    (_S.GOOD, _E.OLD_RUNS): _S.RETURNED,
    (_S.RETURNED, _E.NEW_RUNS): _S.LEAVING,
    (_S.GOOD, _E.TOLD): _S.IDLE,
    (_S.RETURNED, _E.TOLD): _S.IDLE,
}


class RuleBroken(ValueError):
    """A step that the table does not know: a programmer's error."""


class Cause(StrEnum):
    """Why the version before runs again."""

    INSTALL_FAILED = "install_failed"
    NOT_STARTED = "not_started"
    """The start loader gave it up: it did not start, or never long enough to be judged."""
    UNHEALTHY = "unhealthy"
    BY_HAND = "by_hand"


class Source(StrEnum):
    CITY = "city"
    STICK = "stick"
    HAND = "hand"


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the card about the update under way. `boot` is that of the last step.

    `old_slot` is the one to come back to. `file` is the bundle's path; `told` that a person said "now".
    `returned` counts tries that were spent, by version that did not serve.

    The version before reads what a newer one wrote: members may be added, never taken or renamed.
    """

    state: State = State.IDLE
    version: str = ""
    before: str = ""
    bundle: Bundle | None = None
    file: str = ""
    source: Source = Source.CITY
    told: bool = False
    boot: str = ""
    old_slot: str = ""
    attempts: int = 0
    wave: bool = False
    """The city said go, at the moment below; it is asked again and again."""
    wave_boot: str = ""
    wave_ms: int = 0
    rows_before: str = ""
    """What of the ledger the version before could not read either: no fault of the new one."""
    cause: Cause | None = None
    detail: str = ""
    returned: dict[str, int] = {}


def after(state: State, event: Event) -> State:
    """The state after an event. RuleBroken for a step that is not in the table."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise RuleBroken(f"no step from {state.value} on {event.value}") from None
