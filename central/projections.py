"""Projections: folios and payment postings, made from facts after these are committed.

Each chain remembers how far it was projected, in the same transaction as the effects; after a crash
the next call goes on there. Applying a fact twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, and_, select, update

from central.effects import Effect, Matter, Posting, effects_of
from central.schema import accounts, counters, facts, folios, heads, liquidaciones, payments
from central.store import Store, insert_missing
from municipio.facts import decode_fact, format_time

STEP = 500
"""Facts per transaction."""


def project(store: Store, inegi: str, zone: ZoneInfo, at: datetime) -> int:
    """Bring every projection of this municipality up to date; returns how many facts were read."""
    done = 0
    with store.begin() as connection:
        behind = select(heads).where(heads.c.inegi == inegi, heads.c.projected < heads.c.through)
        chains = connection.execute(behind).all()
    for chain in chains:
        while True:
            with store.begin() as connection:
                count = _project_step(connection, chain, zone, format_time(at))
            done += count
            if count < STEP:
                break
    return done


def _project_step(connection: Connection, chain: Row[Any], zone: ZoneInfo, at: str) -> int:
    names = ("inegi", "node", "epoch", "lane")
    mine = and_(*(heads.c[name] == getattr(chain, name) for name in names))
    # The lock makes two processes on PostgreSQL take turns at one chain.
    head = connection.execute(select(heads).where(mine).with_for_update()).one()
    through = min(head.through, head.projected + STEP)
    here = and_(*(facts.c[name] == getattr(chain, name) for name in names))
    wanted = facts.c.seq.between(head.projected + 1, through)
    rows = connection.execute(select(facts.c.raw).where(here, wanted).order_by(facts.c.seq))
    for (raw,) in rows.all():
        for effect in effects_of(decode_fact(bytes(raw)), chain.node, zone):
            apply(connection, chain.inegi, chain.node, effect, at)
    connection.execute(update(heads).where(mine).values(projected=through))
    return int(through - head.projected)


def apply(connection: Connection, inegi: str, node: str, effect: Effect, at: str) -> None:
    """Apply one effect; the same effect again leaves the books as they are."""
    match effect:
        case Matter():
            _apply_matter(connection, inegi, node, effect, at)
        case Posting():
            _apply_posting(connection, inegi, node, effect, at)


def _apply_matter(connection: Connection, inegi: str, node: str, matter: Matter, at: str) -> None:
    f = folios.c
    mine = and_(f.inegi == inegi, f.folio == matter.folio)
    updated = matter.on or at[:10]
    if connection.execute(select(f.folio).where(mine)).first() is None:
        number = _next_number(connection, inegi, matter.series) if matter.series else ""
        row = {"inegi": inegi, "folio": matter.folio, "node": node, "opened_on": matter.on}
        row |= {"kind": matter.kind, "state": matter.state}
        insert_missing(connection, folios, [{**row, "city_folio": number, "updated_on": updated}])
        return
    if matter.series:
        return  # filed once; its state is the city's from then on
    connection.execute(update(folios).where(mine).values(state=matter.state, updated_on=updated))


def _next_number(connection: Connection, inegi: str, series: str) -> str:
    """`SIAC-000123`: one sequence per municipality and series."""
    insert_missing(connection, counters, [{"inegi": inegi, "name": series, "value": 0}])
    c = counters.c
    mine = and_(c.inegi == inegi, c.name == series)
    connection.execute(update(counters).where(mine).values(value=c.value + 1))
    value = connection.scalars(select(c.value).where(mine)).one()
    return f"{series}-{value:06d}"


def _apply_posting(
    connection: Connection, inegi: str, node: str, posting: Posting, at: str
) -> None:
    p = payments.c
    again = and_(p.inegi == inegi, p.fact_id == posting.fact_id)
    if connection.execute(select(p.fact_id).where(again)).first() is not None:
        return
    state, note = _settle(connection, inegi, posting)
    row = {name: getattr(posting, name) for name in posting.__slots__}
    row |= {"inegi": inegi, "node": node, "state": state, "note": note, "posted_at": at}
    connection.execute(payments.insert().values(row))
    if state == "refund_owed":
        f = folios.c
        folio = and_(f.inegi == inegi, f.folio == posting.folio)
        connection.execute(update(folios).where(folio).values(state="Devolución en trámite"))


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
