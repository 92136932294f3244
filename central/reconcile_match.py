"""To which charge, pase or cut a bank's movement belongs; never a guess between two.

A match is what both sides named: the key that the terminal saw, the folio, the authorization, the
referencia de cobro. Only a charge whose end nobody knows is also found by its amount and day, and
only when it is the only one and the movement the only one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from central.schema import payments
from central.schema_money import cash_cuts, charges, settlement_lines
from central.settlements import Kind

WINDOW = timedelta(days=5)
"""How far the bank's day may be from the citizen's."""


def find_charge(connection: Connection, line: Row[Any]) -> Row[Any] | None:
    """The charge or pase that a sale belongs to, or None when none or several could be it."""
    if line.kind == Kind.CARD:
        return _card(connection, line)
    if line.collection:
        return _pase(connection, line)
    return None


def find_cut(connection: Connection, line: Row[Any]) -> Row[Any] | None:
    """The cut that a deposit slip names, or the oldest open one of its node with that very amount."""
    c = cash_cuts.c
    mine = and_(c.inegi == line.inegi, c.folio == line.reference)
    named = connection.execute(select(cash_cuts).where(mine)).first()
    if named is not None:
        return named
    same = and_(
        c.inegi == line.inegi,
        c.node == line.node,
        c.counted_centavos == line.gross_centavos,
        c.settled == "",
        c.day <= line.day,
    )
    return connection.execute(select(cash_cuts).where(same).order_by(c.day, c.id)).first()


def find_owed_back(connection: Connection, line: Row[Any]) -> Row[Any] | None:
    """The payment owed back that a returned charge gives back: same folio or authorization, amount."""
    p, c = payments.c, charges.c
    named = [line.reference] if line.reference else []
    if line.authorization:
        mine = and_(c.inegi == line.inegi, c.authorization == line.authorization)
        named += connection.scalars(select(c.folio).where(mine)).all()
    if line.reference:
        mine = and_(c.inegi == line.inegi, c.code == line.reference)
        named += connection.scalars(select(c.folio).where(mine)).all()
    owed = and_(
        p.inegi == line.inegi,
        p.state == "refund_owed",
        p.folio.in_(named),
        p.amount_centavos == -line.gross_centavos,
    )
    return connection.execute(select(payments).where(owed).order_by(p.posted_at, p.fact_id)).first()


def _card(connection: Connection, line: Row[Any]) -> Row[Any] | None:
    c = charges.c
    cards = and_(c.inegi == line.inegi, c.method == "card")
    if line.reference:
        named = and_(cards, or_(c.code == line.reference, c.folio == line.reference))
        found = connection.execute(select(charges).where(named)).all()
        if found:
            return _only(found)
    if line.authorization:
        same = and_(cards, c.authorization == line.authorization)
        near = [r for r in connection.execute(select(charges).where(same)) if _is_near(r, line)]
        exact = [r for r in near if r.amount_centavos == line.gross_centavos]
        if exact or near:
            return _only(exact or near)
    return _unknown_card(connection, line)


def _unknown_card(connection: Connection, line: Row[Any]) -> Row[Any] | None:
    """The one unknown charge of that amount near that day, when this is the one movement like it."""
    c, s = charges.c, settlement_lines.c
    alike = and_(
        c.inegi == line.inegi,
        c.method == "card",
        c.state == "unknown",
        c.amount_centavos == line.gross_centavos,
    )
    near = [r for r in connection.execute(select(charges).where(alike)) if _is_near(r, line)]
    rivals = and_(
        s.inegi == line.inegi,
        s.kind == Kind.CARD.value,
        s.state == "open",
        s.gross_centavos == line.gross_centavos,
        s.id != line.id,
    )
    if any(
        _is_near(row, line) for row in connection.execute(select(settlement_lines).where(rivals))
    ):
        return None
    return _only(near)


def _pase(connection: Connection, line: Row[Any]) -> Row[Any] | None:
    """By node and running number; that comes round after 10,000 pases, so amount and due date too."""
    c = charges.c
    node_number, tail = line.collection[:3], line.collection[3:]
    alike = and_(
        c.inegi == line.inegi,
        c.method == "pase",
        c.node.like(f"%{node_number}"),
        c.seq % 10 ** len(tail) == int(tail),
    )
    found = connection.execute(select(charges).where(alike).order_by(c.day.desc())).all()
    due = [row for row in found if not line.due or row.due == line.due]
    exact = [row for row in due if row.amount_centavos == line.gross_centavos]
    return _only(exact or due)


def _only(found: Sequence[Row[Any]]) -> Row[Any] | None:
    return found[0] if len(found) == 1 else None


def _is_near(row: Row[Any], line: Row[Any]) -> bool:
    if not row.day:
        return True  # a node without a clock
    return abs(date.fromisoformat(row.day) - date.fromisoformat(line.day)) <= WINDOW
