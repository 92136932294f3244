"""The nodes of a city as their staff see them: where each stands, what troubles it, since when.

Read from projections only, with a fixed number of queries however many nodes there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.moments import Happened
from central.moments_books import told_of
from central.moments_read import times_of
from central.nodes import CITY_NUMBER, NODE_CODE, NodeError, NodeState
from central.schema import facts, heads, nodes, quarantine, tampering
from central.schema_fleet import fact_times, places, vitals
from central.store import Store, upsert
from municipio.facts import format_time, parse_time

SILENT_AFTER = timedelta(hours=1)
"""Twice the longest wait between two tries of a node that has a link."""

LIST_OLD_AFTER = timedelta(days=30)
"""A filter's list of names is renewed every week where the city publishes it."""

CONTENT = "content"
"""The part whose state is the day of a node's content, and its detail that of the filter's list."""

HISTORY = 60
_GOOD = ("ready", "busy", "starting", "absent", "full", "save", "synced", "rtc", "")


class Standing(StrEnum):
    """In the order in which they want attention."""

    QUARANTINED = "quarantined"
    SILENT = "silent"
    TROUBLED = "troubled"
    WAITING = "waiting"
    NEVER = "never"
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Part:
    """What a node said last about one of its parts (`device:printer`, `energy`, `clock`, ...)."""

    name: str
    state: str
    cause: str
    detail: str
    since: str
    told_at: str
    happened: Happened | None = None
    """When it became so, where the fact's own time is not the answer."""

    @property
    def is_good(self) -> bool:
        return self.state in _GOOD and not self.cause


@dataclass(frozen=True, slots=True)
class Machine:
    """One node. `place` is latitude and longitude in degrees, or None."""

    node: str
    site: str
    standing: Standing
    note: str
    added_at: str
    contact_at: str
    place: tuple[float, float] | None
    troubles: tuple[str, ...]
    """Names of parts that are not well, and `chain` for one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Detail:
    machine: Machine
    parts: dict[str, Part]
    chains: Sequence[Row[Any]]
    quarantine: Sequence[Row[Any]]
    tampering: Sequence[Row[Any]]
    history: Sequence[tuple[bytes, Happened]]


def fleet(store: Store, inegi: str, at: datetime) -> list[Machine]:
    """Every node, those that want attention first."""
    with store.begin() as connection:
        return sorted(_machines(connection, inegi, at), key=lambda m: (_RANK[m.standing], m.node))


_RANK = {standing: rank for rank, standing in enumerate(Standing)}


def parts_of(store: Store, inegi: str, codes: Sequence[str]) -> dict[str, dict[str, Part]]:
    """The last words of some nodes about themselves."""
    v = vitals.c
    columns = (v.node, v.name, v.state, v.cause, v.detail, v.since, v.told_at)
    found: dict[str, dict[str, Part]] = defaultdict(dict)
    with store.begin() as connection:
        mine = select(*columns).where(v.inegi == inegi, v.node.in_(codes))
        for node, name, *rest in connection.execute(mine):
            found[node][name] = Part(name, *rest)
    return found


def _with_times(
    connection: Connection, inegi: str, node: str, parts: dict[str, Part]
) -> dict[str, Part]:
    """The same parts, each with the corrected time of the fact that told it."""
    v, t = vitals.c, fact_times.c
    same = and_(t.inegi == v.inegi, t.node == v.node, t.epoch == v.epoch, t.seq == v.seq)
    joined = vitals.join(fact_times, and_(same, t.lane == "vit"))
    mine = select(v.name, fact_times).select_from(joined).where(v.inegi == inegi, v.node == node)
    unsure = {row.name: told_of(row) for row in connection.execute(mine)}
    return {name: replace(part, happened=unsure.get(name)) for name, part in parts.items()}


def detail(store: Store, inegi: str, node: str, at: datetime) -> Detail | None:
    """All about one node, None when it is not registered."""
    with store.begin() as connection:
        machine = next(iter(_machines(connection, inegi, at, node)), None)
        if machine is None:
            return None
        h, q, t = heads.c, quarantine.c, tampering.c
        chains = connection.execute(
            select(heads).where(h.inegi == inegi, h.node == node).order_by(h.epoch, h.lane)
        ).all()
        aside = select(quarantine).where(q.inegi == inegi, q.node == node)
        offences = select(tampering).where(t.inegi == inegi, t.node == node)
        found = Detail(
            machine,
            {},
            chains,
            connection.execute(aside.order_by(q.received_at.desc()).limit(50)).all(),
            connection.execute(offences.order_by(t.last_seen_at.desc()).limit(50)).all(),
            _history(connection, inegi, node, chains),
        )
    parts = parts_of(store, inegi, [node]).get(node, {})
    with store.begin() as connection:
        found.parts.update(_with_times(connection, inegi, node, parts))
    return found


def set_place(store: Store, inegi: str, node: str, lat: float, lon: float, at: datetime) -> None:
    """Remember where a node stands. Raises NodeError when it is not registered or nowhere on Earth."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise NodeError(f"{lat}, {lon} is no place on Earth (latitude, longitude)")
    row = {"inegi": inegi, "node": node, "placed_at": format_time(at)}
    with store.begin() as connection:
        mine = and_(nodes.c.inegi == inegi, nodes.c.node == node)
        known = NODE_CODE.fullmatch(node)
        if not known or connection.execute(select(nodes.c.node).where(mine)).first() is None:
            raise NodeError(f"{node} is not registered")
        degrees = {"lat_e6": round(lat * 1e6), "lon_e6": round(lon * 1e6)}
        upsert(connection, places, {**row, **degrees})


def _machines(connection: Connection, inegi: str, at: datetime, node: str = "") -> list[Machine]:
    n, p = nodes.c, places.c
    with_place = nodes.outerjoin(places, and_(n.inegi == p.inegi, n.node == p.node))
    columns = (n.node, n.site, n.state, n.note, n.added_at, n.last_contact_at, p.lat_e6, p.lon_e6)
    asked = [n.node == node] if node else []
    rows = connection.execute(
        # Where Open311 comes in no box stands.
        select(*columns)
        .select_from(with_place)
        .where(n.inegi == inegi, n.node.not_like(f"%{CITY_NUMBER}"), *asked)
    ).all()
    oldest_list = (at - LIST_OLD_AFTER).date().isoformat()
    troubles = _troubles(connection, inegi, oldest_list)
    silent = format_time(at - SILENT_AFTER)
    made = []
    for code, site, state, note, added_at, contact_at, lat, lon in rows:
        mine = tuple(troubles.get(code, ()))
        standing = _standing(state, contact_at, silent, mine)
        place = None if lat is None else (lat / 1e6, lon / 1e6)
        made.append(Machine(code, site, standing, note, added_at, contact_at, place, mine))
    return made


def _troubles(connection: Connection, inegi: str, oldest_list: str) -> dict[str, list[str]]:
    """Only what is not well is read, so a healthy fleet costs nothing.

    `oldest_list` is the ISO day before which a list of the filter is too old.
    """
    v, h = vitals.c, heads.c
    found: dict[str, list[str]] = defaultdict(list)
    bad = v.state.not_in(_GOOD) | ((v.cause != "") & v.name.like("device:%"))
    told = v.name.not_in(("node", CONTENT))
    old = and_(v.name == CONTENT, v.detail != "", v.detail < oldest_list)
    parts = select(v.node, v.name).where(v.inegi == inegi, and_(bad, told) | old)
    for node, name in connection.execute(parts.order_by(v.node, v.name)):
        found[node].append(name)
    stuck = select(h.node).where(h.inegi == inegi, h.failures > 0).distinct()
    for (node,) in connection.execute(stuck):
        found[node].append("chain")
    return found


def _standing(state: str, contact_at: str, silent: str, troubles: Sequence[str]) -> Standing:
    if state == NodeState.REVOKED:
        return Standing.REVOKED
    if state == NodeState.QUARANTINED:
        return Standing.QUARANTINED
    if state == NodeState.WAITING:
        return Standing.WAITING
    if not contact_at:
        return Standing.NEVER
    if contact_at < silent:
        return Standing.SILENT
    return Standing.TROUBLED if troubles else Standing.ACTIVE


def _history(
    connection: Connection, inegi: str, node: str, chains: Sequence[Row[Any]]
) -> list[tuple[bytes, Happened]]:
    """The newest facts about the node itself: no chain of theirs names a person."""
    f = facts.c
    found: list[Row[Any]] = []
    for chain in reversed([c for c in chains if c.lane == "vit"]):
        here = and_(f.inegi == inegi, f.node == node, f.epoch == chain.epoch, f.lane == chain.lane)
        wanted = select(facts).where(here).order_by(f.seq.desc()).limit(HISTORY - len(found))
        found.extend(connection.execute(wanted))
        if len(found) >= HISTORY:
            break
    times = times_of(connection, inegi, found)
    return [(bytes(r.raw), times[r.node, r.epoch, r.lane, r.seq]) for r in found]


def count_by_standing(machines: Sequence[Machine]) -> dict[Standing, int]:
    counts = dict.fromkeys(Standing, 0)
    for machine in machines:
        counts[machine.standing] += 1
    return counts


def age_s(moment: str, at: datetime) -> int:
    """Whole seconds since a moment, never negative."""
    return max(0, int((at - parse_time(moment)).total_seconds()))
