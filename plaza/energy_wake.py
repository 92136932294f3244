"""When a node may halt, and what proves that it will be woken. Pure.

A node never halts on a promise. Its wake path must be declared (`energy.wake`), must be one that takes
the power away and returns it, or wakes the board, whatever the sun does meanwhile, and must have
brought this node back once (`plaza energy wake-test`, with the technician there, or any halt since).

`controller_voltage` is no such path: a controller that cuts by voltage and returns by voltage does
nothing for a node that halted and whose battery then charges *before* the cut. The sun returns, the
load output was never off, and the node stays dark in full sunshine until somebody comes. There, and
where no path is declared, guard rests: awake, with radio, screen and USB off and the disk clean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from municipio.energy import Wake
from plaza.quiet import Busy

BRINGS_BACK = frozenset({Wake.RTC_ALARM, Wake.CONTROLLER_TIMER, Wake.EXTERNAL_TIMER})
"""Paths that do not depend on the battery reaching a voltage first."""
ALARM_S = 4 * 3600
"""How long a board with an alarm sleeps before it looks at the sun again."""
AWAKE_AT_LEAST_S = 300.0
"""A technician who came because the node was dark can stop it from going dark again."""
AWAKE_FOR_DAWN_S = 3600.0
"""A timer that returns the current at dawn does so before the panel gives anything."""
FLUSH_S = 180.0
"""How long guard waits for the queue to reach the city, on a link that is up."""
LINK_TRY_S = 60.0
"""A link that slept with slow heartbeats gets this long to come up for what waits."""
PATIENCE_S = {Busy.PAYMENT: 600.0, Busy.PERSON: 180.0}
"""How long the screen of somebody who is being served stays on after it should go dark."""


class Proof(msgspec.Struct, frozen=True):
    """`DATA/wake.json`: how often this node halted by this path, and how often it came back."""

    wake: Wake = Wake.NONE
    halts: int = 0
    returns: int = 0
    boot: str = ""
    """The boot that halted: another boot afterwards is the return."""


def parse_proof(raw: bytes) -> Proof:
    """Nothing is proven by bytes that cannot be read."""
    try:
        return msgspec.json.decode(raw, type=Proof)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Proof()


def halting(proof: Proof, wake: Wake, boot: str) -> Proof:
    """What is written before the halt."""
    same = proof if proof.wake is wake else Proof(wake)
    return Proof(wake, same.halts + 1, same.returns, boot)


def returned(proof: Proof, boot: str) -> Proof:
    """What is true at the start of a program in `boot`."""
    if proof.boot and proof.boot != boot:
        return Proof(proof.wake, proof.halts, proof.returns + 1)
    return proof


def is_proven(proof: Proof, wake: Wake) -> bool:
    return proof.wake is wake and proof.returns > 0


class Refusal(StrEnum):
    """Why a node in guard stays awake instead of halting."""

    NO_PATH = "no_path"
    NEEDS_THE_CUT = "needs_the_cut"
    """Its path brings it back only from a cut, and the sun may return before it."""
    NOT_PROVEN = "not_proven"
    NOT_ARMED = "not_armed"
    """The alarm was not there when it was read back."""
    BY_DAY = "by_day"
    """A timer wakes it once a day: halted by day it would miss the sun until tomorrow."""


def may_halt(wake: Wake, proof: Proof) -> Refusal | None:
    """None when a halt is safe (an alarm must still be armed and read back)."""
    if wake is Wake.NONE:
        return Refusal.NO_PATH
    if wake not in BRINGS_BACK:
        return Refusal.NEEDS_THE_CUT
    return None if is_proven(proof, wake) else Refusal.NOT_PROVEN


class Phase(StrEnum):
    SERVING = "serving"
    LETTING_GO = "letting_go"
    """Guard began: nobody new is served, who is paying finishes, the queue goes out."""
    RESTING = "resting"
    HALTING = "halting"


@dataclass(frozen=True, slots=True)
class Seen:
    """What matters to guard: seconds of one monotonic clock that began with the boot."""

    in_guard: bool
    busy: Busy | None
    waiting: int
    """Facts that the city does not have."""
    link_up: bool
    by_day: bool
    """The panel gives something, or nobody knows."""
    about_to_cut: bool
    """The controller or the voltage says that the cut is near: nothing is waited for."""
    now: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Where a node is on its way to rest."""

    phase: Phase = Phase.SERVING
    since: float = 0.0
    refused: Refusal | None = None


def watch(before: Watch, seen: Seen, wake: Wake, proof: Proof) -> Watch:
    """The next phase. HALTING is an order: the caller arms, reads back, and halts or calls `stay`."""
    if not seen.in_guard:
        return before if before.phase is Phase.SERVING else Watch(Phase.SERVING, seen.now)
    if before.phase is Phase.SERVING:
        return Watch(Phase.LETTING_GO, seen.now)
    if before.phase is Phase.LETTING_GO and _may_rest(before, seen):
        return Watch(Phase.RESTING, seen.now)
    if before.phase is Phase.RESTING and before.refused is not Refusal.NOT_ARMED:
        refused = may_halt(wake, proof)
        if refused is None and seen.by_day and wake is not Wake.RTC_ALARM:
            refused = Refusal.BY_DAY
        least_s = AWAKE_AT_LEAST_S if wake is Wake.RTC_ALARM else AWAKE_FOR_DAWN_S
        if refused is None and seen.now >= least_s:
            return Watch(Phase.HALTING, seen.now)
        return replace(before, refused=refused)
    return before


def stay(before: Watch, now: float) -> Watch:
    """The halt was refused at the last moment (no alarm): rest, until guard is left."""
    return Watch(Phase.RESTING, now, Refusal.NOT_ARMED)


def _may_rest(before: Watch, seen: Seen) -> bool:
    waited = seen.now - before.since
    if seen.about_to_cut:
        return True
    if seen.busy is not None and waited < PATIENCE_S[seen.busy]:
        return False
    may_still_go = seen.waiting and (seen.link_up or waited < LINK_TRY_S)
    return not may_still_go or waited >= FLUSH_S
