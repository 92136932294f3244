"""The counts and the vitals in the database, written in the transaction that moves a chain's mark.

So each fact counts once, however often the program dies. A fact that travelled inside another counts
once too, also when it came by itself before or after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from central.effects import Posting
from central.indicators_facts import Reading, Report, Vital, What, month_of, read
from central.moments import Happened
from central.moments_books import keep_times
from central.rollout_books import note_updates
from central.schema import fact_ids
from central.schema_fleet import recovered_ids, reports, tallies, vitals
from central.store import add_up, insert_missing, insert_new, keep_newest
from municipio.facts import parse_time

Stored = Sequence[Any]
"""Rows of `seq`, `raw` and `received_at`, in the order of a chain."""

_SURE = ("synced", "rtc")


def note_facts(
    connection: Connection,
    chain: Row[Any],
    rows: Stored,
    told: Sequence[Happened],
    zone: ZoneInfo,
) -> None:
    """Count a stretch of a chain, and remember the last word about each part of its node."""
    if not rows:
        return
    inegi, node = str(chain.inegi), str(chain.node)
    arrived = [str(row.received_at) for row in rows]
    readings = [
        read(bytes(row.raw), row.received_at, node, zone, one)
        for row, one in zip(rows, told, strict=True)
    ]
    fresh = _not_counted(connection, inegi, node, readings)
    counted = {reading.id for reading in fresh if not reading.inside}
    keep_times(connection, chain, rows, told, [r.id in counted for r in readings])
    counts = Counter({(c.month, c.what.value, c.part): 0 for r in fresh for c in r.counts})
    for reading in fresh:
        for count in reading.counts:
            counts[count.month, count.what.value, count.part] += count.value
    _add(connection, inegi, node, counts)
    filed = [{"inegi": inegi, "node": node, **_columns(r.report)} for r in fresh if r.report]
    insert_missing(connection, reports, filed)
    clock = "doubted" if told[-1].bound.doubted else told[-1].stamp.quality.value
    _note_vitals(connection, inegi, node, chain.lane, readings, arrived, clock)
    note_updates(connection, inegi, node, rows)


_REPORT = tuple(field.name for field in fields(Report))


def _columns(report: Report) -> dict[str, str]:
    return {name: getattr(report, name) for name in _REPORT}


def note_postings(
    connection: Connection,
    inegi: str,
    node: str,
    postings: Iterable[Posting],
    at: str,
    zone: ZoneInfo,
) -> None:
    """Count payments that were posted now: one folio is one transaction, whatever facts tell of it."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for posting in postings:
        month = posting.paid_on[:7] or month_of(at, zone)
        counts[month, What.TRANSACTIONS.value, posting.method] += 1
        counts[month, What.CENTAVOS.value, posting.method] += posting.amount_centavos
    _add(connection, inegi, node, counts)


def _add(
    connection: Connection, inegi: str, node: str, counts: Counter[tuple[str, str, str]]
) -> None:
    # In order, so that two processes with two chains of a node never wait for each other.
    rows = [
        {"inegi": inegi, "month": month, "node": node, "what": what, "part": part, "value": value}
        for (month, what, part), value in sorted(counts.items())
        if value
    ]
    add_up(connection, tallies, rows, "value")


def _not_counted(
    connection: Connection, inegi: str, node: str, readings: Sequence[Reading]
) -> list[Reading]:
    inside = {r.inside for r in readings if r.inside}
    new: set[str] = set()
    if inside:
        i = fact_ids.c
        # One that also came by itself counts there, now or when its own chain is read.
        direct = select(i.id).where(i.inegi == inegi, i.id.in_(inside))
        alone = sorted(inside - set(connection.scalars(direct)))
        rows = [{"inegi": inegi, "id": id, "node": node} for id in alone]
        new = set(insert_new(connection, recovered_ids, rows, recovered_ids.c.id))
    r = recovered_ids.c
    mine = select(r.id).where(r.inegi == inegi, r.node == node)
    counted = set(connection.scalars(mine))
    fresh = []
    for reading in readings:
        if reading.inside in new:
            new.discard(reading.inside)
            fresh.append(reading)
        elif not reading.inside and reading.id not in counted:
            fresh.append(reading)
    return fresh


def _note_vitals(
    connection: Connection,
    inegi: str,
    node: str,
    lane: str,
    readings: Sequence[Reading],
    arrived: Sequence[str],
    clock: str,
) -> None:
    newest: dict[str, tuple[Vital, str]] = {}
    for reading, told_at in zip(readings, arrived, strict=True):
        vital = reading.vital
        if vital is None:
            continue
        held = newest.get(vital.name)
        if held is None or (held[0].epoch, held[0].seq) <= (vital.epoch, vital.seq):
            newest[vital.name] = vital, told_at
    last, told_at = readings[-1], arrived[-1]
    # What lanes tell together is ranked by its arrival, which is the city's own clock.
    rank = int(parse_time(told_at).astimezone(UTC).timestamp() * 1000)
    newest["clock"] = Vital("clock", clock, "", "", last.time, 0, rank), told_at
    delay = _delay_s(readings[arrived.index(told_at)], told_at)
    newest[f"queue:{lane}"] = Vital(f"queue:{lane}", "", "", delay, "", 0, rank), told_at
    rows = [
        {"inegi": inegi, "node": node, **asdict(vital), "told_at": at}
        for _, (vital, at) in sorted(newest.items())
    ]
    keep_newest(connection, vitals, rows, ("epoch", "seq"))


def _delay_s(oldest: Reading, told_at: str) -> str:
    """How old the oldest fact of the newest delivery was when it came; empty when nobody can know."""
    if not oldest.time or oldest.timequality not in _SURE:
        return ""
    waited = parse_time(told_at) - parse_time(oldest.time)
    return str(max(0, int(waited.total_seconds())))
