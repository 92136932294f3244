"""Corrected times for who shows them: rows of facts with what the books know of their moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, and_, or_, select

from central.moments import OLDEST_MS, Bound, Happened, as_moment, bound
from central.moments_books import stamp_of, told_of
from central.schema import facts, heads
from central.schema_fleet import fact_times
from central.store import Store
from municipio.facts import format_time

TIMES_HEAD = (
    *("nodo", "epoca", "carril", "numero", "id", "tipo", "calidad", "hora_del_nodo", "recibido"),
    *("hora_corregida", "error_s", "no_antes", "no_despues", "dudosa"),
)
STRETCH = 500
_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS

Place = tuple[str, int, str, int]
"""Node, epoch, lane and seq."""


def times_of(connection: Connection, inegi: str, rows: Sequence[Any]) -> dict[Place, Happened]:
    """When each of these rows of `facts` happened. They have node, epoch, lane, seq, raw, received_at."""
    t = fact_times.c
    chains: dict[tuple[str, int, str], list[int]] = {}
    for row in rows:
        chains.setdefault((row.node, row.epoch, row.lane), []).append(row.seq)
    mine = [
        and_(t.node == node, t.epoch == epoch, t.lane == lane, t.seq.in_(seqs))
        for (node, epoch, lane), seqs in chains.items()
    ]
    found: dict[Place, Happened] = {}
    for row in connection.execute(select(fact_times).where(t.inegi == inegi, or_(False, *mine))):
        found[row.node, row.epoch, row.lane, row.seq] = told_of(row)
    for row in rows:
        place = (row.node, row.epoch, row.lane, row.seq)
        if place not in found:
            stamp = stamp_of(bytes(row.raw), row.received_at)
            found[place] = Happened(stamp, bound(stamp, ()))
    return found


def moment_with_error(told: Happened, zone: ZoneInfo) -> str:
    """`20/01/2026 10:42`, `20/01/2026 10:42 ± 3 min`, or between which days; and a doubt."""
    found = told.bound
    doubt = "; su reloj no era creíble" if found.doubted else ""
    if told.is_sure:
        return _clock(told.moment.astimezone(zone))
    if found.earliest_ms <= OLDEST_MS and found.error_ms > _DAY_MS:
        return f"antes del {_day(found.latest_ms, zone)}{doubt}"
    if found.error_ms > _DAY_MS:
        days = f"entre el {_day(found.earliest_ms, zone)} y el {_day(found.latest_ms, zone)}"
        return days + doubt
    return f"{_clock(told.moment.astimezone(zone))} ± {_error(found)}{doubt}"


def _error(found: Bound) -> str:
    if found.error_ms < _MINUTE_MS:
        return f"{-(-found.error_ms // 1000)} s"
    if found.error_ms < 2 * _HOUR_MS:
        return f"{-(-found.error_ms // _MINUTE_MS)} min"
    return f"{-(-found.error_ms // _HOUR_MS)} h"


def _clock(moment: Any) -> str:
    return str(moment.strftime("%d/%m/%Y %H:%M"))


def _day(ms: int, zone: ZoneInfo) -> str:
    return as_moment(ms).astimezone(zone).strftime("%d/%m/%Y")


def time_rows(
    store: Store, inegi: str, node: str = "", lane: str = ""
) -> Iterator[tuple[str, ...]]:
    """Each stored fact with its corrected time and bound, as lines for a spreadsheet."""
    h = heads.c
    narrowed = [column == value for column, value in ((h.node, node), (h.lane, lane)) if value]
    with store.begin() as connection:
        mine = select(heads).where(h.inegi == inegi, *narrowed).order_by(h.node, h.epoch, h.lane)
        chains = connection.execute(mine).all()
    for chain in chains:
        yield from chain_times(store, chain, 1, chain.through)


def chain_times(store: Store, chain: Any, first: int, last: int) -> Iterator[tuple[str, ...]]:
    """The same of a stretch of one chain; `chain` is its row of `heads`."""
    f = facts.c
    here = and_(f.inegi == chain.inegi, f.node == chain.node, f.epoch == chain.epoch)
    for low in range(first, last + 1, STRETCH):
        wanted = and_(here, f.lane == chain.lane, f.seq.between(low, min(low + STRETCH - 1, last)))
        with store.begin() as connection:
            rows = connection.execute(select(facts).where(wanted).order_by(f.seq)).all()
            times = times_of(connection, chain.inegi, rows)
        yield from _lines(rows, times)


def _lines(rows: Iterable[Any], times: dict[Place, Happened]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        place = (row.node, row.epoch, row.lane, row.seq)
        told, said = times[place], msgspec.json.decode(bytes(row.raw))
        yield (
            *(str(part) for part in place),
            row.id,
            str(said.get("type", "")),
            told.stamp.quality.value,
            str(said.get("time", "")),
            row.received_at,
            format_time(told.moment),
            f"{told.bound.error_ms / 1000:.3f}",
            format_time(as_moment(told.bound.earliest_ms)),
            format_time(as_moment(told.bound.latest_ms)),
            "sí" if told.bound.doubted else "no",
        )


def told_document(told: Happened) -> dict[str, Any]:
    """A corrected time for an export."""
    return {
        "time": format_time(told.moment),
        "error_s": told.bound.error_ms / 1000,
        "not_before": format_time(as_moment(told.bound.earliest_ms)),
        "not_after": format_time(as_moment(told.bound.latest_ms)),
        "doubted": told.bound.doubted,
    }
