"""Differences: what should agree and does not, since when, and until when it did not.

They are derived anew at each run and compared with what is written down: new ones are opened, those
that are gone are closed and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from central.city import City
from central.schema import payments
from central.schema_money import cash_cuts, charges, differences, settlement_lines
from central.store import upsert

KINDS = ("missing", "unmatched", "doubled", "amount", "unknown", "refund_owed")
"""A fact without its money, money without its fact, money twice, another amount, a charge that nobody
can judge yet, and what the city owes back."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`day` is the money's own day (ISO, empty when unknown); `age_days` counts from it or from when
    it was first seen. Amounts are centavos, 0 when that side has none."""

    id: str
    kind: str
    subject: str
    node: str
    day: str
    expected_centavos: int
    found_centavos: int
    detail: str
    opened_at: str = ""
    age_days: int = 0


def note_differences(
    connection: Connection, city: City, today: date, grace: timedelta, at: str
) -> None:
    """Open what is new, refresh what stands, close what is gone."""
    d = differences.c
    now = {found.id: found for found in _derived(connection, city.inegi, today, grace)}
    known = {
        row.id: row
        for row in connection.execute(
            select(differences).where(d.inegi == city.inegi, d.closed_at == "")
        )
    }
    for found in now.values():
        row: dict[str, Any] = {
            name: getattr(found, name)
            for name in ("id", "kind", "subject", "node", "day", "detail")
        }
        row |= {"expected_centavos": found.expected_centavos}
        row |= {"found_centavos": found.found_centavos, "inegi": city.inegi, "closed_at": ""}
        if known.get(found.id) is None or not _same(known[found.id], row):
            upsert(connection, differences, row | {"opened_at": _opened(known, found.id, at)})
    for gone in known.keys() - now.keys():
        mine = and_(d.inegi == city.inegi, d.id == gone)
        connection.execute(update(differences).where(mine).values(closed_at=at))


def standing(connection: Connection, inegi: str, today: date) -> tuple[Difference, ...]:
    """Every difference that is open, oldest first."""
    d = differences.c
    rows = connection.execute(
        select(differences).where(d.inegi == inegi, d.closed_at == "")
    ).mappings()
    found = []
    for row in rows:
        since = date.fromisoformat(row["day"] or row["opened_at"][:10])
        names = Difference.__slots__[:-1]
        found.append(
            Difference(**{n: row[n] for n in names}, age_days=max((today - since).days, 0))
        )
    return tuple(sorted(found, key=lambda f: (-f.age_days, KINDS.index(f.kind), f.id)))


def _same(row: Any, new: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in new.items())


def _opened(known: dict[str, Any], id: str, at: str) -> str:
    """A difference that comes back counts from its return."""
    return str(known[id].opened_at) if id in known else at


def _derived(
    connection: Connection, inegi: str, today: date, grace: timedelta
) -> Iterator[Difference]:
    late = (today - grace).isoformat()
    yield from _charges(connection, inegi, late)
    yield from _cuts(connection, inegi, late)
    yield from _lines(connection, inegi)
    yield from _payments(connection, inegi)


def _charges(connection: Connection, inegi: str, late: str) -> Iterator[Difference]:
    c = charges.c
    unsettled = and_(c.state == "taken", c.settled == "", c.day <= late)
    standing = or_(unsettled, c.state == "unknown")
    wanted = and_(c.inegi == inegi, c.method == "card", standing)
    for row in connection.execute(select(charges).where(wanted)):
        kind = "unknown" if row.state == "unknown" else "missing"
        why = (
            "nobody knows yet whether it was charged" if kind == "unknown" else "no bank reports it"
        )
        yield Difference(
            f"{kind}:{row.folio}", kind, row.folio, row.node, row.day, row.amount_centavos, 0, why
        )


def _cuts(connection: Connection, inegi: str, late: str) -> Iterator[Difference]:
    c = cash_cuts.c
    waits = and_(c.settled == "", c.counted_centavos > 0, c.day <= late)
    wanted = and_(c.inegi == inegi, or_(waits, c.difference_centavos != 0))
    for row in connection.execute(select(cash_cuts).where(wanted)):
        counted = row.counted_centavos
        place = (row.folio, row.node, row.day)
        if not row.settled and counted > 0 and row.day <= late:
            yield Difference(
                f"missing:{row.folio}", "missing", *place, counted, 0, "no deposit slip of this cut"
            )
        if row.difference_centavos:
            expected = counted - row.difference_centavos
            why = "the count of the cut differs from the kiosk's journal"
            yield Difference(f"amount:{row.folio}", "amount", *place, expected, counted, why)


def _lines(connection: Connection, inegi: str) -> Iterator[Difference]:
    s = settlement_lines.c
    other = and_(s.state.in_(("matched", "returned")), s.expected_centavos != s.gross_centavos)
    sums = s.gross_centavos - s.commission_centavos != s.net_centavos
    wanted = and_(s.inegi == inegi, or_(s.state.in_(("open", "doubled")), other, sums))
    for row in connection.execute(select(settlement_lines).where(wanted)):
        named = row.subject or row.reference or row.authorization
        place = (named, row.node, row.day)
        gross = row.gross_centavos
        about = f"{row.mapping}, line {row.number}"
        if row.state == "open":
            why = f"{about}: no charge, pase or cut like it"
            yield Difference(f"unmatched:{row.id}", "unmatched", *place, 0, gross, why)
        elif row.state == "doubled":
            why = f"{about}: the bank reports this money a second time"
            yield Difference(f"doubled:{row.id}", "doubled", *place, 0, gross, why)
        elif row.expected_centavos != gross:
            why = f"{about}: another amount than in the books"
            yield Difference(
                f"amount:{row.id}", "amount", *place, row.expected_centavos, gross, why
            )
        if gross - row.commission_centavos != row.net_centavos:
            why = f"{about}: gross less commission is not the net"
            left = gross - row.commission_centavos
            yield Difference(f"net:{row.id}", "amount", *place, left, row.net_centavos, why)


def _payments(connection: Connection, inegi: str) -> Iterator[Difference]:
    p = payments.c
    wanted = and_(p.inegi == inegi, or_(p.state.in_(("refund_owed", "unmatched")), p.note != ""))
    for row in connection.execute(select(payments).where(wanted)):
        if row.state == "refunded":
            continue
        kind = row.state if row.state in ("refund_owed", "unmatched") else "amount"
        amount = row.amount_centavos
        expected = 0 if kind != "amount" else amount - _short_by(row.note)
        yield Difference(
            f"{kind}:{row.fact_id}",
            kind,
            row.folio,
            row.node,
            row.paid_on,
            expected,
            amount,
            row.note,
        )


def _short_by(note: str) -> int:
    """The figure in the note of a payment that differs from its liquidación."""
    figures = [word for word in note.split() if word.lstrip("-").isdigit()]
    return int(figures[0]) if figures else 0
