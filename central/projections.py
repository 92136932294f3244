"""Projections: folios, payment postings and counts, made from facts after these are committed.

Each chain remembers how far it was projected, in the same transaction as the effects; after a crash
the next call goes on there. Applying a fact twice changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, and_, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from central.cases import KIND, apply_states, note_photos
from central.city import City
from central.doubled import is_one_matter, note_carried
from central.effects import LANES_WITH_EFFECTS, Effect, Matter, Photo, Posting, effects_of
from central.indicators_books import note_facts, note_postings
from central.moments import Happened
from central.moments_books import settle_times
from central.nodes import NodeState
from central.schema import (
    accounts,
    counters,
    facts,
    folios,
    heads,
    liquidaciones,
    nodes,
    payments,
)
from central.store import Store, insert_missing, insert_new, take_turn, update_many
from municipio.facts import format_time, parse_time

log = logging.getLogger("plaza.central.projections")

STEP = 500
"""Facts per transaction."""

LONGEST_WAIT_S = 600.0
_CHAIN = ("inegi", "node", "epoch", "lane")


def project(
    store: Store,
    inegi: str,
    zone: ZoneInfo,
    at: datetime,
    is_closing: Callable[[], bool] = lambda: False,
    rest: Callable[[float], None] = lambda took_s: None,
) -> int:
    """Bring every projection of this municipality up to date; returns how many facts were read.

    A chain that another process holds is left to it, and one that failed waits for its time.
    `is_closing` is asked between steps, because a backlog can be long, and `rest` is told the seconds
    that each took, because nodes that deliver go before the books.
    """
    done = 0
    with store.begin() as connection:
        h = heads.c
        # What a quarantined node sent is kept and has no effect until the staff release the node.
        held = select(nodes.c.node).where(
            nodes.c.inegi == inegi, nodes.c.state == NodeState.QUARANTINED.value
        )
        behind = select(heads).where(h.inegi == inegi, h.projected < h.through, h.node.not_in(held))
        chains = connection.execute(behind).all()
    for chain in chains:
        if not _is_waiting(chain, at):
            done += _project_chain(store, chain, zone, at, is_closing, rest)
    return done


def _project_chain(
    store: Store,
    chain: Row[Any],
    zone: ZoneInfo,
    at: datetime,
    is_closing: Callable[[], bool],
    rest: Callable[[float], None],
) -> int:
    done = 0
    try:
        while not is_closing():
            began_s = time.monotonic()
            with store.begin() as connection:
                count = _project_step(connection, chain, zone, format_time(at))
            rest(time.monotonic() - began_s)
            done += count
            if count < STEP:
                break
    except Exception as e:
        place = f"{chain.node}, epoch {chain.epoch}, lane {chain.lane}"
        log.error("the projection of %s failed: %s", place, type(e).__name__)
        log.debug("the projection of %s failed", place, exc_info=e)
        with store.begin() as connection:
            trouble = {"failures": heads.c.failures + 1, "trouble": type(e).__name__}
            values = {**trouble, "tried_at": format_time(at)}
            connection.execute(update(heads).where(_same_chain(chain)).values(values))
    return done


def _is_waiting(chain: Row[Any], at: datetime) -> bool:
    """Twice as long after each failure in a row, up to ten minutes."""
    if not chain.failures:
        return False
    wait_s = min(2.0**chain.failures, LONGEST_WAIT_S)
    return at < parse_time(chain.tried_at) + timedelta(seconds=wait_s)


def _same_chain(chain: Row[Any]) -> ColumnElement[bool]:
    return and_(*(heads.c[name] == getattr(chain, name) for name in _CHAIN))


def _project_step(connection: Connection, chain: Row[Any], zone: ZoneInfo, at: str) -> int:
    # The lanes of a node share its clocks and counts: whoever is at one of them has them all, and goes
    # on with it; here it is then as good as done. The row itself is not locked, or the node's next
    # batch would wait for its books.
    if not take_turn(connection, turn_of(chain.inegi, chain.node), wait=False):
        return 0
    mine = _same_chain(chain)
    head = connection.execute(select(heads).where(mine)).one()
    through = min(head.through, head.projected + STEP)
    rows = _stretch(connection, chain, head.projected + 1, through)
    told = settle_times(connection, chain, rows, zone)
    _apply_effects(connection, chain, rows, told, zone, at)
    note_facts(connection, chain, rows, told, zone)
    settled = {"projected": through, "failures": 0, "trouble": "", "tried_at": ""}
    connection.execute(update(heads).where(mine).values(settled))
    return int(through - head.projected)


def turn_of(inegi: str, node: str) -> str:
    """Whose books a transaction works on."""
    return f"books {inegi}/{node}"


def apply_late(
    connection: Connection, chain: Row[Any], seqs: Sequence[int], zone: ZoneInfo, at: str
) -> None:
    """Let facts have their effects that came into a chain behind its mark; `chain` is its locked head.

    What follows them is applied again, which changes nothing but lets the newest word stand.
    """
    late = {seq for seq in seqs if seq <= chain.projected}
    if not late:
        return
    for first in range(min(late), chain.projected + 1, STEP):
        rows = _stretch(connection, chain, first, min(first + STEP - 1, chain.projected))
        told = settle_times(connection, chain, rows, zone)
        _apply_effects(connection, chain, rows, told, zone, at)
        here = [(row, one) for row, one in zip(rows, told, strict=True) if row.seq in late]
        note_facts(connection, chain, [row for row, _ in here], [one for _, one in here], zone)


def _stretch(connection: Connection, chain: Row[Any], first: int, last: int) -> Sequence[Row[Any]]:
    f = facts.c
    here = and_(*(f[name] == getattr(chain, name) for name in _CHAIN), f.seq.between(first, last))
    stretch = select(f.seq, f.raw, f.received_at).where(here).order_by(f.seq)
    found: Sequence[Any] = connection.execute(stretch).all()
    return found


def _apply_effects(
    connection: Connection,
    chain: Row[Any],
    rows: Sequence[Any],
    told: Sequence[Happened],
    zone: ZoneInfo,
    at: str,
) -> None:
    effects: list[Effect] = []
    if chain.lane in LANES_WITH_EFFECTS:
        note_carried(connection, chain, rows)
        effects = [
            effect
            for row, one in zip(rows, told, strict=True)
            for effect in effects_of(bytes(row.raw), chain.node, zone, one)
        ]
    matters = [effect for effect in effects if isinstance(effect, Matter)]
    _apply_matters(connection, chain.inegi, chain.node, matters, at, zone)
    note_photos(connection, chain.inegi, [e for e in effects if isinstance(e, Photo)], at)
    posted = [
        effect
        for effect in effects
        if isinstance(effect, Posting)
        and _apply_posting(connection, chain.inegi, chain.node, effect, at)
    ]
    note_postings(connection, chain.inegi, chain.node, posted, at, zone)


def _apply_matters(
    connection: Connection,
    inegi: str,
    node: str,
    matters: Sequence[Matter],
    at: str,
    zone: ZoneInfo,
) -> None:
    """Open new folios and move known ones on; a numbered matter's state is the city's own."""
    rows: dict[str, dict[str, Any]] = {}
    first = {}
    moved: dict[str, dict[str, Any]] = {}
    for matter in matters:
        key = {"inegi": inegi, "folio": matter.folio}
        state = {"state": matter.state, "updated_on": matter.on or at[:10]}
        if matter.folio not in first:
            first[matter.folio] = matter
            about = {"node": node, "kind": matter.kind, "opened_on": matter.on, "city_folio": ""}
            rows[matter.folio] = key | about | state
        if not matter.series:
            moved[matter.folio] = key | state
    opened = insert_new(connection, folios, list(rows.values()), folios.c.folio)
    new = set(opened)
    _number(connection, inegi, [first[folio] for folio in rows if folio in new])
    update_many(connection, folios, ("inegi", "folio"), list(moved.values()))
    # A change may have waited for its folio; SIAC has no say over a complaint.
    apply_states(connection, inegi, [f for f in opened if first[f].kind == KIND], zone)


def _number(connection: Connection, inegi: str, matters: Sequence[Matter]) -> None:
    """The city's own number: `SIAC-000123`, one sequence per municipality and series."""
    c = counters.c
    numbered: list[dict[str, Any]] = []
    for series in sorted({matter.series for matter in matters if matter.series}):
        mine = [matter for matter in matters if matter.series == series]
        insert_missing(connection, counters, [{"inegi": inegi, "name": series, "value": 0}])
        counter = and_(c.inegi == inegi, c.name == series)
        connection.execute(update(counters).where(counter).values(value=c.value + len(mine)))
        last = connection.scalars(select(c.value).where(counter)).one()
        for number, matter in enumerate(mine, start=last - len(mine) + 1):
            key = {"inegi": inegi, "folio": matter.folio}
            numbered.append(key | {"city_folio": f"{series}-{number:06d}"})
    update_many(connection, folios, ("inegi", "folio"), numbered)


def _apply_posting(
    connection: Connection, inegi: str, node: str, posting: Posting, at: str
) -> bool:
    """Post a payment; False when its folio was posted before."""
    p = payments.c
    # One folio is one payment, however many facts say that it was taken: but for two cards' folio.
    same = and_(
        p.folio == posting.folio,
        p.liquidacion_id == posting.liquidacion_id,
        p.amount_centavos == posting.amount_centavos,
    )
    again = and_(p.inegi == inegi, or_(p.fact_id == posting.fact_id, same))
    for known in connection.scalars(select(p.fact_id).where(again)).all():
        if is_one_matter(connection, inegi, posting.folio, known, posting.fact_id):
            return False
    state, note = _settle(connection, inegi, posting)
    row = {name: getattr(posting, name) for name in posting.__slots__}
    row |= {"inegi": inegi, "node": node, "state": state, "note": note, "posted_at": at}
    connection.execute(payments.insert().values(row))
    if state == "refund_owed":
        f = folios.c
        folio = and_(f.inegi == inegi, f.folio == posting.folio)
        connection.execute(update(folios).where(folio).values(state="Devolución en trámite"))
    return True


def apply_payment(connection: Connection, city: City, node: str, posting: Posting, at: str) -> bool:
    """Post money that a bank reported and no node did; False when its folio was posted before."""
    posted = _apply_posting(connection, city.inegi, node, posting, at)
    if posted:
        note_postings(connection, city.inegi, node, [posting], at, city.zone)
    return posted


def owe_back(
    connection: Connection, city: City, node: str, posting: Posting, at: str, why: str
) -> None:
    """Money that came a second time for one folio: it settles nothing and is owed back."""
    row = {name: getattr(posting, name) for name in posting.__slots__}
    row |= {"inegi": city.inegi, "node": node, "state": "refund_owed", "note": why}
    insert_missing(connection, payments, [row | {"posted_at": at}])
    mine = and_(folios.c.inegi == city.inegi, folios.c.folio == posting.folio)
    connection.execute(update(folios).where(mine).values(state="Devolución en trámite"))


def _settle(connection: Connection, inegi: str, posting: Posting) -> tuple[str, str]:
    """Match a payment with its debt: (state, note). Locks the account, so two payments take turns."""
    liquidacion_row = and_(
        liquidaciones.c.inegi == inegi, liquidaciones.c.id == posting.liquidacion_id
    )
    issued = connection.execute(select(liquidaciones).where(liquidacion_row)).first()
    if issued is None:
        return "unmatched", "no liquidación with this id was issued"
    account_row = and_(accounts.c.inegi == inegi, accounts.c.clave == issued.clave)
    account = connection.execute(select(accounts).where(account_row).with_for_update()).first()
    if account is None:
        return "unmatched", "the account of this liquidación does not exist"
    if account.paid_through >= issued.through_year:
        return "refund_owed", f"paid before with folio {account.paid_folio or '(unknown)'}"
    paid = {"paid_through": issued.through_year, "paid_on": posting.paid_on}
    connection.execute(update(accounts).where(account_row).values(**paid, paid_folio=posting.folio))
    short = issued.total_centavos - posting.amount_centavos
    return "posted", "" if short == 0 else f"amount differs by {-short} centavos"
