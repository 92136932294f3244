"""The reconciliation: what banks reported against what kiosks did, and every difference with its age.

A run imports files (each once, by the hash of its bytes; each movement once, by its own identity),
brings the evidence of the nodes up to date, matches, settles what is now known, and then writes down
what does not agree. A second run without news changes nothing. Two runs at once take turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, update

from central.city import City
from central.effects import Posting
from central.projections import apply_payment, owe_back, project
from central.reconcile_differences import Difference, note_differences, standing
from central.reconcile_evidence import gather
from central.reconcile_match import find_charge, find_cut, find_owed_back
from central.schema import counters, folios, payments
from central.schema_money import cash_cuts, charges, settlement_files, settlement_lines
from central.settlements import FileMapping, Kind, Line, SettlementFile
from central.store import Store, insert_missing, insert_new
from municipio.facts import format_time

GRACE = timedelta(days=3)
"""How long money may be on its way before its absence is a difference."""

STRETCH = 200
"""Movements settled per transaction, so that kiosks never wait long for an account."""

_TURN = "reconcile"
_METHODS = {Kind.CARD.value: "card", Kind.BANK.value: "bank", Kind.OXXO.value: "oxxo"}


@dataclass(frozen=True, slots=True)
class Imported:
    """One file: `lines` movements in it, `fresh` of them not reported before."""

    name: str
    lines: int
    fresh: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Reconciled:
    matched: int
    resolved: int
    pases_paid: int
    differences: tuple[Difference, ...]


def import_file(
    store: Store, city: City, name: str, file: SettlementFile, mapping: FileMapping, at: datetime
) -> Imported:
    """Take a file's movements; the same bytes again change nothing."""
    with store.begin() as connection:
        _take_turns(connection, city.inegi)
        f = settlement_files.c
        mine = and_(f.inegi == city.inegi, f.sha256 == file.sha256)
        if connection.execute(select(f.name).where(mine)).first() is not None:
            return Imported(name, len(file.lines), 0, again=True)
        rows = [_line_row(city.inegi, file.sha256, mapping.name, line) for line in file.lines]
        fresh = 0
        for first in range(0, len(rows), STRETCH):
            stretch = rows[first : first + STRETCH]
            ids = settlement_lines.c.id
            fresh += len(insert_new(connection, settlement_lines, stretch, ids))
        row = {"inegi": city.inegi, "sha256": file.sha256, "mapping": mapping.name}
        row |= {"kind": mapping.kind.value, "name": name, "imported_at": format_time(at)}
        connection.execute(settlement_files.insert().values(**row, lines=len(rows), fresh=fresh))
        return Imported(name, len(rows), fresh)


def reconcile(store: Store, city: City, at: datetime, grace: timedelta = GRACE) -> Reconciled:
    """Match what is open, settle what is known, and write down what does not agree."""
    project(store, city.inegi, city.zone, at)
    gather(store, city.inegi, city.zone)
    today = at.astimezone(city.zone).date()
    run = _Run(store, city, at)
    while run.settle_some():
        pass
    run.settle_silence(grace)
    with store.begin() as connection:
        _take_turns(connection, city.inegi)
        run.repeat_states(connection)
        note_differences(connection, city, today, grace, format_time(at))
        found = standing(connection, city.inegi, today)
    return Reconciled(run.matched, run.resolved, run.pases_paid, found)


class _Run:
    def __init__(self, store: Store, city: City, at: datetime) -> None:
        self._store = store
        self._city = city
        self._at = at
        self._after = ""
        self.matched = 0
        self.resolved = 0
        self.pases_paid = 0

    def settle_some(self) -> bool:
        """The next open movements, by id; False when there are no more."""
        s = settlement_lines.c
        with self._store.begin() as connection:
            _take_turns(connection, self._city.inegi)
            mine = and_(s.inegi == self._city.inegi, s.state == "open", s.id > self._after)
            rows = connection.execute(
                select(settlement_lines).where(mine).order_by(s.id).limit(STRETCH)
            ).all()
            for line in rows:
                self._settle(connection, line)
        if rows:
            self._after = rows[-1].id
        return len(rows) == STRETCH

    def _settle(self, connection: Connection, line: Row[Any]) -> None:
        if line.gross_centavos < 0:
            self._settle_return(connection, line)
        elif line.kind == Kind.DEPOSIT:
            cut = find_cut(connection, line)
            if cut is not None:
                self._mark(connection, line, cut.folio, cut.counted_centavos, bool(cut.settled))
                mine = and_(cash_cuts.c.inegi == line.inegi, cash_cuts.c.id == cut.id)
                connection.execute(update(cash_cuts).where(mine).values(settled=line.id))
        else:
            charge = find_charge(connection, line)
            if charge is not None:
                self._settle_charge(connection, line, charge)

    def _settle_charge(self, connection: Connection, line: Row[Any], charge: Row[Any]) -> None:
        twice = bool(charge.settled)
        if not twice and charge.state != "taken" and line.gross_centavos < charge.amount_centavos:
            return  # less money than the debt closes nothing; people look at it
        self._mark(connection, line, charge.folio, charge.amount_centavos, twice)
        posting = Posting(
            fact_id=f"line:{line.id}",
            folio=charge.folio,
            clave=charge.clave,
            liquidacion_id=charge.liquidacion_id,
            amount_centavos=line.gross_centavos,
            method=_METHODS[line.kind],
            paid_on=(charge.day if line.kind == Kind.CARD else "") or line.day,
        )
        place = (connection, self._city, charge.node, posting, format_time(self._at))
        if twice:
            owe_back(*place, f"reported twice, first as {charge.settled[:12]}")
            return
        if charge.state != "taken" and apply_payment(*place):
            _set_folio(connection, line.inegi, charge.folio, "Pagado", unless_owed=True)
            self.resolved += charge.method != "pase"
            self.pases_paid += charge.method == "pase"
        mine = and_(charges.c.inegi == line.inegi, charges.c.folio == charge.folio)
        connection.execute(update(charges).where(mine).values(settled=line.id, state="taken"))

    def _settle_return(self, connection: Connection, line: Row[Any]) -> None:
        """The bank gave money back: a payment that was owed back is not owed any more."""
        owed = find_owed_back(connection, line)
        if owed is None:
            return
        self._mark(connection, line, owed.folio, -owed.amount_centavos, False, "returned")
        mine = and_(payments.c.inegi == line.inegi, payments.c.fact_id == owed.fact_id)
        connection.execute(update(payments).where(mine).values(state="refunded"))
        s = settlement_lines.c
        twice = and_(s.inegi == line.inegi, s.state == "doubled", "line:" + s.id == owed.fact_id)
        settled = {"state": "matched", "expected_centavos": s.gross_centavos}
        connection.execute(update(settlement_lines).where(twice).values(settled))
        other = and_(
            payments.c.inegi == line.inegi,
            payments.c.folio == owed.folio,
            payments.c.state == "posted",
        )
        paid = connection.execute(select(payments.c.fact_id).where(other)).first() is not None
        _set_folio(connection, line.inegi, owed.folio, "Pagado" if paid else "Devuelto")

    def _mark(
        self,
        connection: Connection,
        line: Row[Any],
        subject: str,
        expected: int,
        twice: bool,
        state: str = "matched",
    ) -> None:
        mine = and_(settlement_lines.c.inegi == line.inegi, settlement_lines.c.id == line.id)
        values = {"state": "doubled" if twice else state, "subject": subject}
        connection.execute(
            update(settlement_lines).where(mine).values(**values, expected_centavos=expected)
        )
        self.matched += 1

    def settle_silence(self, grace: timedelta) -> None:
        """An unknown charge that no acquirer reported, long after its day, was never made.

        Only when every acquirer has reported later days, and none has an open movement of that
        amount, which could be it.
        """
        s, c = settlement_lines.c, charges.c
        with self._store.begin() as connection:
            _take_turns(connection, self._city.inegi)
            cards = and_(s.inegi == self._city.inegi, s.kind == Kind.CARD.value)
            newest = connection.execute(
                select(func.max(s.day)).where(cards).group_by(s.mapping)
            ).scalars()
            reported = min((date.fromisoformat(day) for day in newest), default=None)
            if reported is None:
                return
            open_ones = set(
                connection.scalars(select(s.gross_centavos).where(cards, s.state == "open"))
            )
            last = (reported - grace).isoformat()
            unknown = and_(
                c.inegi == self._city.inegi,
                c.method == "card",
                c.state == "unknown",
                c.day != "",
                c.day <= last,
            )
            for charge in connection.execute(select(charges).where(unknown)).all():
                if charge.amount_centavos in open_ones:
                    continue
                mine = and_(c.inegi == charge.inegi, c.folio == charge.folio)
                connection.execute(update(charges).where(mine).values(state="ended"))
                _set_folio(connection, charge.inegi, charge.folio, "Cancelado")
                self.resolved += 1

    def repeat_states(self, connection: Connection) -> None:
        """A node that learnt later that it knew nothing does not undo what the bank said."""
        f, c = folios.c, charges.c
        behind = ("Rechazado", "Cancelado", "En verificación", "En proceso", "Emitido")
        settled = select(c.folio).where(
            c.inegi == self._city.inegi, c.state == "taken", c.settled != ""
        )
        p = payments.c
        owed = select(p.folio).where(
            p.inegi == self._city.inegi, p.state.in_(("refund_owed", "refunded"))
        )
        lost = and_(f.folio.in_(settled), f.folio.not_in(owed))
        mine = and_(f.inegi == self._city.inegi, f.state.in_(behind), lost)
        connection.execute(update(folios).where(mine).values(state="Pagado"))


def _take_turns(connection: Connection, inegi: str) -> None:
    """One reconciliation of a municipality at a time: the row is locked until the commit."""
    insert_missing(connection, counters, [{"inegi": inegi, "name": _TURN, "value": 0}])
    mine = and_(counters.c.inegi == inegi, counters.c.name == _TURN)
    connection.execute(select(counters.c.value).where(mine).with_for_update())


def _set_folio(
    connection: Connection, inegi: str, folio: str, state: str, *, unless_owed: bool = False
) -> None:
    mine = and_(folios.c.inegi == inegi, folios.c.folio == folio)
    if unless_owed:
        mine = and_(mine, folios.c.state != "Devolución en trámite")
    connection.execute(update(folios).where(mine).values(state=state))


def _line_row(inegi: str, file: str, mapping: str, line: Line) -> dict[str, Any]:
    same = ("id", "number", "reference", "authorization", "last4", "node", "collection", "due")
    money = ("gross_centavos", "commission_centavos", "net_centavos")
    row: dict[str, Any] = {name: getattr(line, name) for name in (*same, *money)}
    row |= {"inegi": inegi, "file": file, "mapping": mapping, "kind": line.kind.value}
    return row | {
        "day": line.day.isoformat(),
        "state": "open",
        "subject": "",
        "expected_centavos": 0,
    }


def totals(differences: Sequence[Difference]) -> dict[str, int]:
    """How many differences of each kind stand."""
    found: dict[str, int] = {}
    for difference in differences:
        found[difference.kind] = found.get(difference.kind, 0) + 1
    return found
