"""Roll-outs in the database: begun and stopped by staff, moved on by time, fed by facts and by asking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from central.nodes import NodeError
from central.rollout import (
    LAST_RING,
    Count,
    OpenRing,
    Outcome,
    Plan,
    RolloutState,
    Stop,
    is_silent,
    judge,
)
from central.rollout_facts import ended_of
from central.rollout_words import stored_reason
from central.schema_rollout import rollout_nodes, rollouts
from central.store import Store, insert_missing, upsert
from municipio.facts import format_time, parse_time
from municipio.wire.software import version_key


@dataclass(frozen=True, slots=True)
class Standing:
    """A roll-out as it stands, with its rings in order."""

    plan: Plan
    counts: dict[int, Count]


@dataclass(frozen=True, slots=True)
class Answer:
    go: bool
    reason: str


def start(
    store: Store, inegi: str, version: str, at: datetime, *,
    rings: int = 3, bound_percent: int = 10, wait: timedelta = timedelta(days=1),
    silent: timedelta = timedelta(days=3),
) -> None:  # fmt: skip
    """Open a version's first ring, or go on with one that was stopped. NodeError for what is no version."""
    try:
        version_key(version)
    except ValueError as e:
        raise NodeError(str(e)) from e
    if not 1 <= rings <= LAST_RING:
        raise NodeError(f"there are 1 to {LAST_RING} rings, not {rings}")
    now = format_time(at)
    with store.begin() as connection:
        plan = _plan(connection, inegi, version)
        if plan is not None and plan.state is RolloutState.GOING:
            raise NodeError(f"{version} is on its way already (ring {plan.ring} of {plan.rings})")
        row = {
            "inegi": inegi, "version": version, "state": RolloutState.GOING.value, "reason": "",
            "started_at": now if plan is None else format_time(plan.started_at),
            "ring_since": now, "changed_at": now, "ring": 1 if plan is None else plan.ring,
            "rings": rings, "bound_percent": bound_percent,
            "wait_s": int(wait.total_seconds()), "silent_s": int(silent.total_seconds()),
        }  # fmt: skip
        if plan is not None:
            _forget_failures(connection, inegi, version)
        upsert(connection, rollouts, row)


def stop(store: Store, inegi: str, version: str, reason: str, at: datetime) -> None:
    """No further node is told to go. NodeError when the version is not on its way."""
    with store.begin() as connection:
        plan = _plan(connection, inegi, version)
        if plan is None or plan.state is RolloutState.STOPPED:
            raise NodeError(f"{version} is not on its way")
        _set(connection, inegi, version, at, state=RolloutState.STOPPED.value, reason=reason)


def ask(store: Store, inegi: str, node: str, version: str, ring: int, at: datetime) -> Answer:
    """A node asks whether it may have a version now. What was told is remembered."""
    with store.begin() as connection:
        plan = _plan(connection, inegi, version)
        if plan is None:
            return Answer(False, "no_rollout")
        standing = _moved_on(connection, inegi, plan, at)
        if standing.plan.state is RolloutState.STOPPED:
            return Answer(False, "stopped")
        if ring > standing.plan.ring:
            return Answer(False, "ring")
        now, key = format_time(at), {"inegi": inegi, "version": version, "node": node}
        fresh = {"outcome": Outcome.ASKED.value, "cause": "", "ended_at": "", "ring": ring}
        insert_missing(connection, rollout_nodes, [{**key, **fresh, "asked_at": now}])
        n = rollout_nodes.c
        mine = (n.inegi == inegi, n.version == version, n.node == node)
        connection.execute(update(rollout_nodes).where(*mine).values(asked_at=now))
        return Answer(True, "")


def standings(store: Store, inegi: str, at: datetime) -> list[Standing]:
    """Every roll-out, newest first, moved on to now."""
    with store.begin() as connection:
        mine = select(rollouts).where(rollouts.c.inegi == inegi)
        plans = [_read(row) for row in connection.execute(mine)]
        found = [_moved_on(connection, inegi, plan, at) for plan in plans]
    return sorted(found, key=lambda s: s.plan.started_at, reverse=True)


def nodes_of(store: Store, inegi: str, version: str) -> list[Row[Any]]:
    """Nodes that were told to go, those that came back first."""
    n = rollout_nodes.c
    asked = select(rollout_nodes).where(n.inegi == inegi, n.version == version)
    with store.begin() as connection:
        rows = connection.execute(asked.order_by(n.ring, n.node)).all()
    return sorted(rows, key=lambda row: row.outcome != Outcome.RETURNED)


def note_updates(connection: Connection, inegi: str, node: str, rows: Iterable[Any]) -> None:
    """What facts of a node say of its updates; of versions that came by stick there is a row too."""
    for stored in rows:
        ended = ended_of(bytes(stored.raw))
        if ended is None:
            continue
        at = str(stored.received_at)
        outcome = Outcome.UPDATED if ended.is_good else Outcome.RETURNED
        row = {
            "inegi": inegi, "version": ended.version, "node": node, "ring": ended.ring,
            "outcome": outcome.value, "cause": ended.cause, "ended_at": at,
        }  # fmt: skip
        upsert(connection, rollout_nodes, row, once={"asked_at": ""})


def _moved_on(connection: Connection, inegi: str, plan: Plan, at: datetime) -> Standing:
    """Judge a plan over what is known, and write down what follows."""
    counts = _counts(connection, inegi, plan, at)
    match judge(plan, counts, at):
        case Stop() as stopped:
            reason = stored_reason(stopped)
            state = RolloutState.STOPPED
            _set(connection, inegi, plan.version, at, state=state.value, reason=reason)
            plan = replace(plan, state=state, reason=reason)
        case OpenRing(ring):
            since = format_time(at)
            _set(connection, inegi, plan.version, at, ring=ring, ring_since=since)
            plan = replace(plan, ring=ring, ring_since=at)
    return Standing(plan, counts)


def _counts(connection: Connection, inegi: str, plan: Plan, at: datetime) -> dict[int, Count]:
    n = rollout_nodes.c
    mine = select(n.ring, n.outcome, n.asked_at).where(n.inegi == inegi, n.version == plan.version)
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for ring, outcome, asked_at in connection.execute(mine):
        kind = str(outcome)
        if kind == Outcome.ASKED:
            kind = "silent" if is_silent(plan, parse_time(asked_at), at) else "waiting"
        found[ring][kind] += 1
    return {ring: Count(**kinds) for ring, kinds in sorted(found.items())}


def _forget_failures(connection: Connection, inegi: str, version: str) -> None:
    """Staff who go on have looked at what failed: it counts anew from here."""
    n = rollout_nodes.c
    kept = (n.inegi == inegi, n.version == version, n.outcome != Outcome.UPDATED.value)
    connection.execute(rollout_nodes.delete().where(*kept))


def _plan(connection: Connection, inegi: str, version: str) -> Plan | None:
    r = rollouts.c
    row = connection.execute(
        select(rollouts).where(r.inegi == inegi, r.version == version).with_for_update()
    ).first()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Plan:
    return Plan(
        row.version, RolloutState(row.state), row.reason, row.ring, row.rings, row.bound_percent,
        timedelta(seconds=row.wait_s), timedelta(seconds=row.silent_s),
        parse_time(row.started_at), parse_time(row.ring_since),
    )  # fmt: skip


def _set(connection: Connection, inegi: str, version: str, at: datetime, **values: Any) -> None:
    r = rollouts.c
    mine = update(rollouts).where(r.inegi == inegi, r.version == version)
    connection.execute(mine.values(changed_at=format_time(at), **values))
