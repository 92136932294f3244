"""Corrected times in the database, written in the transaction that moves a chain's mark.

What is known of a boot is one row, shared by the lanes of its node. A fact whose own time is the answer
needs no row; each other fact has one, which is narrowed when its boot becomes better known, and the month
that it was counted in then moves with it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Row, and_, select

from central.indicators_facts import Reading, month_told, read
from central.moments import (
    Anchor,
    Bound,
    Clock,
    Happened,
    Kind,
    Stamp,
    as_ms,
    bound,
    chain_bounds,
    is_much_better,
    learn,
    narrowed,
)
from central.rights_facts import is_husk
from central.schema import facts
from central.schema_fleet import boot_clocks, fact_times, reports, tallies
from central.store import add_up, insert_missing, update_many, upsert
from municipio.clock import TimeQuality
from municipio.clock_anchor import read_anchor
from municipio.facts import FactType, Lane, parse_time

_CHAIN = ("inegi", "node", "epoch", "lane")
_KEY = (*_CHAIN, "seq")


class _Wire(msgspec.Struct):
    """What a stored fact says of its time; ingest checked it."""

    boot: str
    bootms: str
    timequality: TimeQuality
    type: str = ""
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


_LONGEST = 64
_DECODER = msgspec.json.Decoder(_Wire)
_CLOCK = msgspec.json.Decoder(list[tuple[int, int, int | None, int | None]])


@dataclass(frozen=True, slots=True)
class _Retold:
    """A fact whose bound narrowed."""

    row: Row[Any]
    was: Happened
    now: Happened


def stamp_of(raw: bytes, received_at: str) -> Stamp:
    """The stamp of a stored fact's bytes."""
    said = _DECODER.decode(raw)
    time = None if said.time is None else as_ms(parse_time(said.time))
    received = as_ms(parse_time(received_at))
    check = _check(said) if said.type == FactType.NODE_CLOCK_CHECKED else None
    return Stamp(_name(said.boot), int(said.bootms), said.timequality, time, received, check)


def _name(boot: str) -> str:
    """A boot's id as it is, or a short one for what no database takes for a text."""
    if len(boot) <= _LONGEST and boot.isprintable():
        return boot
    return hashlib.sha256(boot.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _check(said: _Wire) -> tuple[int, int, int] | None:
    """The city's own time, as the node says that it heard it."""
    data = msgspec.json.decode(said.data)
    anchor = read_anchor(said.boot, data) if isinstance(data, dict) else None
    if anchor is None:
        return None
    return anchor.asked_ms, anchor.heard_ms, as_ms(anchor.city_time)


def settle_times(
    connection: Connection, chain: Row[Any], rows: Sequence[Any], zone: ZoneInfo
) -> list[Happened]:
    """When each of a stretch of a chain happened; what is known of their boots is kept.

    `rows` have `seq`, `raw` and `received_at`, in the order of the chain.
    """
    if not rows:
        return []
    stamps = [stamp_of(bytes(row.raw), row.received_at) for row in rows]
    line = [*_just_before(connection, chain, rows[0].seq), *stamps]
    boots = sorted({stamp.boot for stamp in line})
    old = _locked(connection, chain, boots)
    by_boot = {boot: [s for s in line if s.boot == boot] for boot in boots}
    new = chain_bounds(line, {boot: learn(old[boot], by_boot[boot]) for boot in boots})
    for boot in boots:
        if new[boot] != old[boot]:
            row = {"inegi": chain.inegi, "node": chain.node, "boot": boot}
            upsert(connection, boot_clocks, row | {"anchors": _encoded(new[boot])})
            if is_much_better(old[boot], new[boot]):
                _tell_again(connection, chain, boot, new[boot], zone)
    return [Happened(stamp, bound(stamp, new[stamp.boot])) for stamp in stamps]


def keep_times(
    connection: Connection,
    chain: Row[Any],
    rows: Sequence[Any],
    told: Sequence[Happened],
    counted: Sequence[bool],
) -> None:
    """A row for each fact that cannot speak for itself; `counted` where the indicators have it."""
    place = {name: getattr(chain, name) for name in _CHAIN}
    unsure = [
        {
            **place,
            "seq": row.seq,
            "boot": one.stamp.boot,
            "quality": one.stamp.quality.value,
            "boot_ms": one.stamp.boot_ms,
            "time_ms": one.stamp.time_ms or 0,
            "received_ms": one.stamp.received_ms,
            **_ends(one.bound),
            "counted": int(is_counted),
        }
        for row, one, is_counted in zip(rows, told, counted, strict=True)
        if not one.is_sure
    ]
    insert_missing(connection, fact_times, unsure)


def told_of(row: Row[Any]) -> Happened:
    """What a row of `fact_times` holds."""
    quality = TimeQuality(row.quality)
    time = None if quality is TimeQuality.UNKNOWN else int(row.time_ms)
    stamp = Stamp(row.boot, row.boot_ms, quality, time, row.received_ms)
    return Happened(stamp, Bound(row.earliest_ms, row.latest_ms, bool(row.doubted)))


def _ends(found: Bound) -> dict[str, int]:
    ends = {"earliest_ms": found.earliest_ms, "latest_ms": found.latest_ms}
    return ends | {"doubted": int(found.doubted)}


def _just_before(connection: Connection, chain: Row[Any], seq: int) -> list[Stamp]:
    here = and_(*(facts.c[name] == getattr(chain, name) for name in _CHAIN), facts.c.seq < seq)
    newest = select(facts.c.raw, facts.c.received_at).where(here).order_by(facts.c.seq.desc())
    row = connection.execute(newest.limit(1)).first()
    return [] if row is None else [stamp_of(bytes(row.raw), row.received_at)]


def _locked(connection: Connection, chain: Row[Any], boots: Sequence[str]) -> dict[str, Clock]:
    """What is known of these boots; the rows are this transaction's until it ends."""
    key = {"inegi": chain.inegi, "node": chain.node}
    insert_missing(connection, boot_clocks, [key | {"boot": b, "anchors": "[]"} for b in boots])
    c = boot_clocks.c
    mine = and_(c.inegi == chain.inegi, c.node == chain.node, c.boot.in_(boots))
    held = select(c.boot, c.anchors).where(mine).order_by(c.boot).with_for_update()
    return {boot: _decoded(text) for boot, text in connection.execute(held)}


def _encoded(clock: Clock) -> str:
    rows = [(a.kind.value, a.boot_ms, a.low, a.high) for a in clock]
    return msgspec.json.encode(rows).decode()


def _decoded(text: str) -> Clock:
    found = _CLOCK.decode(text)
    return tuple(Anchor(Kind(kind), boot_ms, low, high) for kind, boot_ms, low, high in found)


def _tell_again(
    connection: Connection, chain: Row[Any], boot: str, clock: Clock, zone: ZoneInfo
) -> None:
    """Narrow what was told of this boot's facts, in every lane, and move the months with them."""
    t = fact_times.c
    mine = and_(t.inegi == chain.inegi, t.node == chain.node, t.boot == boot)
    retold = []
    for row in connection.execute(select(fact_times).where(mine)):
        was = told_of(row)
        now = Happened(was.stamp, narrowed(was.bound, bound(was.stamp, clock)))
        if now.bound != was.bound:
            retold.append(_Retold(row, was, now))
    changed = [{n: getattr(r.row, n) for n in _KEY} | _ends(r.now.bound) for r in retold]
    update_many(connection, fact_times, _KEY, changed)
    _move_months(connection, [r for r in retold if r.row.counted], zone)


def _move_months(connection: Connection, retold: Sequence[_Retold], zone: ZoneInfo) -> None:
    moved: Counter[tuple[str, str, str, str, str]] = Counter()
    filed: list[dict[str, Any]] = []
    for one in retold:
        row = one.row
        before, after = _read_twice(connection, one, zone)
        if before is None or after is None:
            continue
        for reading, sign in ((before, -1), (after, 1)):
            for count in reading.counts:
                place = (row.inegi, count.month, row.node, count.what.value, count.part)
                moved[place] += sign * count.value
        if after.report is not None:
            filed.append(
                {
                    "inegi": row.inegi,
                    "folio": after.report.folio,
                    "month": after.report.month,
                    "filed_at": after.report.filed_at,
                }
            )
    names = ("inegi", "month", "node", "what", "part")
    rows = [dict(zip(names, place, strict=True)) | {"value": n} for place, n in moved.items() if n]
    add_up(connection, tallies, sorted(rows, key=_tally), "value")
    update_many(connection, reports, ("inegi", "folio"), filed)


def _tally(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["month"], row["node"], row["what"], row["part"]


def _read_twice(
    connection: Connection, one: _Retold, zone: ZoneInfo
) -> tuple[Reading | None, Reading | None]:
    """What a fact counted, and what it counts now; nothing when that is the same."""
    row = one.row
    if row.lane != Lane.REP and month_told(one.was, zone) == month_told(one.now, zone):
        return None, None
    here = and_(*(facts.c[name] == getattr(row, name) for name in _KEY))
    stored = connection.execute(select(facts.c.raw, facts.c.received_at).where(here)).first()
    if stored is None or is_husk(bytes(stored.raw)):
        return None, None
    raw = bytes(stored.raw)
    both = (read(raw, stored.received_at, row.node, zone, told) for told in (one.was, one.now))
    return next(both), next(both)
