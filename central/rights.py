"""What the city holds about one folio, to be shown, exported or erased (ARCO rights).

Erased is: the content of the facts of the folio, its sealed files, and what was set aside of it. Kept
are its place and hash in the chain, the folio with its state, and the counts, which name nobody.
Payments are not erased: the law makes the city keep them (Código Fiscal de la Federación, art. 30).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, select, update

from central.cases import events_of
from central.folio_facts import facts_about
from central.histories import matters_of, told
from central.moments import Happened
from central.moments_read import Place, times_of
from central.rights_audit import note
from central.rights_facts import attachments_of, fact_id, husk, is_husk
from central.schema import (
    attachment_parts,
    attachments,
    facts,
    folios,
    heads,
    payments,
    quarantine,
)
from central.schema_fleet import reports
from central.store import Store
from municipio.facts import Lane, format_time
from municipio.identifiers import Folio, FolioProblem, parse_folio

_PLACE = ("inegi", "node", "epoch", "lane", "seq")


@dataclass(frozen=True, slots=True)
class HeldMatter:
    """One of the matters of a folio that has several, by the id of the fact that opened it.

    `is_known` False: a single fact of which nobody can say to which of them it belongs.
    """

    id: str
    is_known: bool
    rows: tuple[Row[Any], ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Everything about a folio. `facts` and `aside` are rows with `raw` as received."""

    folio: Folio
    state: Row[Any] | None
    report: Row[Any] | None
    payments: Sequence[Row[Any]]
    facts: Sequence[Row[Any]]
    aside: Sequence[Row[Any]]
    attachments: Sequence[Row[Any]]
    times: Mapping[Place, Happened]
    events: Sequence[Row[Any]]

    @property
    def is_erased(self) -> bool:
        return bool(self.facts) and all(is_husk(bytes(row.raw)) for row in self.facts)

    @property
    def matters(self) -> tuple[HeldMatter, ...]:
        """Apart, where copies of a card gave this folio to more than one; empty for one matter."""
        facts = [told(bytes(row.raw), row.node, row.epoch) for row in self.facts]
        names = matters_of(facts)
        openers = {fact.id for fact in facts if fact.opens}
        found = dict.fromkeys(name for name in names if name)
        return tuple(
            HeldMatter(
                id,
                id in openers,
                tuple(row for row, name in zip(self.facts, names, strict=True) if name == id),
            )
            for id in sorted(found, key=lambda id: id not in openers)
        )


@dataclass(frozen=True, slots=True)
class NoFolio:
    """Mistyped, or nothing is held about it."""

    mistyped: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Not erased, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Erased:
    facts: int
    attachments: int


def find_held(store: Store, inegi: str, text: str) -> Held | NoFolio:
    """All about a folio as a person typed it."""
    parsed = parse_folio(text)
    if isinstance(parsed, FolioProblem):
        return NoFolio(mistyped=True)
    with store.begin() as connection:
        return held_in(connection, inegi, parsed)


def held_in(connection: Connection, inegi: str, folio: Folio) -> Held | NoFolio:
    f, r, p = folios.c, reports.c, payments.c
    rows = facts_about(connection, inegi, folio, facts)
    aside = facts_about(connection, inegi, folio, quarantine)
    names = sorted({name for row in (*rows, *aside) for name in attachments_of(bytes(row.raw))})
    a = attachments.c
    files = select(attachments).where(
        a.inegi == inegi, a.node == folio.node_code, a.sha256.in_(names)
    )
    text = folio.text
    state = connection.execute(select(folios).where(f.inegi == inegi, f.folio == text)).first()
    if state is None and not rows and not aside:
        return NoFolio(mistyped=False)
    return Held(
        folio,
        state,
        connection.execute(select(reports).where(r.inegi == inegi, r.folio == text)).first(),
        connection.execute(select(payments).where(p.inegi == inegi, p.folio == text)).all(),
        rows,
        aside,
        connection.execute(files).all() if names else (),
        times_of(connection, inegi, rows),
        events_of(connection, inegi, text),
    )


def narrow(found: Held, of: str) -> Held | Kept:
    """Only one matter of a folio that has several; `of` is the id of the fact that opened it.

    What the books say of the folio is left out then, because it may be of the other.
    """
    matters = found.matters
    if not matters:
        return found
    mine = next((m for m in matters if m.id == of), None)
    if mine is None:
        names = ", ".join(m.id for m in matters)
        return Kept(f"dos tarjetas dieron este folio; diga cuál de sus asuntos: {names}")
    named = {name for row in mine.rows for name in attachments_of(bytes(row.raw))}
    epochs = {row.epoch for row in mine.rows}
    return replace(
        found,
        state=None,
        report=None,
        payments=[p for p in found.payments if p.fact_id in {fact_id(row) for row in mine.rows}],
        facts=mine.rows,
        aside=[row for row in found.aside if row.epoch in epochs],
        attachments=[row for row in found.attachments if row.sha256 in named],
        times={place: at for place, at in found.times.items() if place[1] in epochs},
        events=(),
    )


def erase(
    store: Store, inegi: str, text: str, *, who: str, why: str, at: datetime, of: str = ""
) -> Erased | Kept | NoFolio:
    """Erase what a folio's facts hold about a person, and write down that it was done.

    `of` says which matter, where a folio has several.
    """
    parsed = parse_folio(text)
    if isinstance(parsed, FolioProblem):
        return NoFolio(mistyped=True)
    with store.begin() as connection:
        whole = held_in(connection, inegi, parsed)
        if isinstance(whole, NoFolio):
            return whole
        found = narrow(whole, of)
        if isinstance(found, Held) and (why_kept := _must_keep(connection, found)):
            found = Kept(why_kept)
        if isinstance(found, Kept):
            kept = found.why
            note(connection, inegi, who, "rights.refused", at, folio=parsed.text, detail=kept)
            return found
        open_facts = [row for row in found.facts if not is_husk(bytes(row.raw))]
        empty(connection, open_facts, why, at)
        q = quarantine.c
        for row in found.aside:
            here = and_(*(q[name] == getattr(row, name) for name in _PLACE))
            connection.execute(update(quarantine).where(here).values(raw=b""))
        names = [row.sha256 for row in found.attachments if row.state != "erased"]
        drop_files(connection, inegi, parsed.node_code, names)
        done = Erased(len(open_facts), len(names))
        detail = f"{why}: {done.facts} hechos, {done.attachments} archivos"
        note(connection, inegi, who, "rights.erased", at, folio=parsed.text, detail=detail)
    return done


def empty(connection: Connection, rows: Sequence[Row[Any]], why: str, at: datetime) -> None:
    """Put husks in the place of facts; the hash of each row stays."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    here = and_(*(facts.c[name] == bindparam(f"at_{name}") for name in _PLACE))
    moment = format_time(at)
    values = [
        {
            **{f"at_{name}": getattr(row, name) for name in _PLACE},
            "raw": husk(bytes(row.raw), row.hash, why, moment),
        }
        for row in rows
    ]
    connection.execute(update(facts).where(here), values)


def drop_files(connection: Connection, inegi: str, node: str, names: Sequence[str]) -> None:
    """Delete sealed files; that they were complete stays known, so no node sends them again."""
    for name in names:
        for table in (attachment_parts, attachments):
            c = table.c
            mine = and_(c.inegi == inegi, c.node == node, c.sha256 == name)
            if table is attachment_parts:
                connection.execute(delete(table).where(mine))
            else:
                connection.execute(update(table).where(mine).values(state="erased"))


def _must_keep(connection: Connection, found: Held) -> str:
    if found.folio.lane is Lane.PAY:
        return "los pagos se conservan por ley (CFF art. 30)"
    h = heads.c
    for row in found.facts:
        here = and_(*(h[name] == getattr(row, name) for name in _PLACE[:-1]))
        if (connection.scalar(select(h.projected).where(here)) or 0) < row.seq:
            return "todavía no está en los libros; inténtelo en un minuto"
    return ""
