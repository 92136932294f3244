"""How long the content of each kind of fact is kept; past it, a husk stays in its place.

The plazos below are what a city starts from: its own are in a TOML file, decided by whoever decides
them there. A matter that is still open keeps its facts. Payments and receipts are never touched here.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.rights import drop_files, empty
from central.rights_audit import note
from central.rights_facts import attachments_of, folio_of, is_husk, type_of
from central.schema import facts, folios, heads
from central.store import Store
from municipio.facts import FactType, Lane, format_time, lane_of

FOR_EVER = 0
RETENTION_DAYS: dict[FactType, int] = {
    **dict.fromkeys(FactType, FOR_EVER),
    FactType.TERMS_ACCEPTED: 365,
    FactType.REPORT_FILED: 5 * 365,
    FactType.REPORT_PHOTO_ADDED: 2 * 365,
    FactType.COMPLAINT_FILED: 7 * 365,
    FactType.APPOINTMENT_ASKED: 365,
    FactType.SURVEY_ANSWERED: 365,
    FactType.FILTER_APPEALED: 365,
    FactType.TECHNICIAN_ACTED: 3 * 365,
}
CLOSED = ("Atendido", "No procede", "Cancelado", "Rechazado")
STRETCH = 500


class RetentionError(ValueError):
    """A file of plazos that cannot be used; the message is fit for a terminal."""


@dataclass(slots=True)
class Applied:
    """What was erased, or would be, by kind of fact; `open` had to wait for their matter's end."""

    erased: Counter[FactType] = field(default_factory=Counter)
    open: Counter[FactType] = field(default_factory=Counter)
    files: int = 0


def parse_retention(text: str) -> dict[FactType, int]:
    """`[retention]` with days by kind of fact, 0 for ever; what is not named keeps its default."""
    try:
        table = tomllib.loads(text).get("retention", {})
    except tomllib.TOMLDecodeError as e:
        raise RetentionError(f"not TOML: {e}") from e
    days = dict(RETENTION_DAYS)
    for name, value in table.items() if isinstance(table, dict) else ():
        try:
            kind = FactType(name)
        except ValueError as e:
            raise RetentionError(f"there is no kind of fact «{name}»") from e
        if type(value) is not int or not 0 <= value <= 36500:
            raise RetentionError(f"«{name}» wants whole days, 0 for ever")
        if lane_of(kind) is Lane.PAY and value:
            raise RetentionError(f"«{name}» is kept by law (CFF art. 30); leave it out")
        days[kind] = value
    return days


def apply(
    store: Store,
    inegi: str,
    days: Mapping[FactType, int],
    at: datetime,
    *,
    who: str,
    dry_run: bool,
) -> Applied:
    """Erase the content of facts whose plazo is over; each stretch of a chain is one transaction."""
    due = {kind: format_time(at - timedelta(days=n)) for kind, n in days.items() if n}
    done = Applied()
    if not due:
        return done
    h = heads.c
    lanes = sorted({lane_of(kind).value for kind in due})
    with store.begin() as connection:
        chains = connection.execute(select(heads).where(h.inegi == inegi, h.lane.in_(lanes))).all()
    for chain in chains:
        for first in range(1, chain.projected + 1, STRETCH):
            last = min(first + STRETCH - 1, chain.projected)
            with store.begin() as connection:
                _stretch(connection, chain, (first, last), due, at, done, dry_run)
    if not dry_run:
        with store.begin() as connection:
            detail = ", ".join(f"{kind}: {n}" for kind, n in sorted(done.erased.items()))
            note(connection, inegi, who, "retention.applied", at, detail=detail or "nada")
    return done


def _stretch(
    connection: Connection,
    chain: Row[Any],
    places: tuple[int, int],
    due: Mapping[FactType, str],
    at: datetime,
    done: Applied,
    dry_run: bool,
) -> None:
    f = facts.c
    here = and_(*(f[n] == getattr(chain, n) for n in ("inegi", "node", "epoch", "lane")))
    newest = max(due.values())
    wanted = select(facts).where(here, f.seq.between(*places), f.received_at < newest)
    old = []
    for row in connection.execute(wanted.order_by(f.seq)):
        raw = bytes(row.raw)
        kind = type_of(raw)
        if kind is not None and kind in due and row.received_at < due[kind] and not is_husk(raw):
            old.append((row, kind, folio_of(raw, row.node)))
    if not old:
        return
    waits = _open_matters(connection, chain.inegi, [folio for _, _, folio in old])
    ended = []
    for row, kind, folio in old:
        if folio in waits:
            done.open[kind] += 1
        else:
            done.erased[kind] += 1
            ended.append(row)
    names = [name for row in ended for name in attachments_of(bytes(row.raw))]
    done.files += len(names)
    if not dry_run:
        empty(connection, ended, "plazo de conservación", at)
        drop_files(connection, chain.inegi, chain.node, names)


def _open_matters(connection: Connection, inegi: str, names: Sequence[str]) -> set[str]:
    f = folios.c
    mine = select(f.folio).where(f.inegi == inegi, f.folio.in_(names), f.state.not_in(CLOSED))
    return set(connection.scalars(mine))
