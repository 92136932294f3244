"""The audit export: facts as they came, the nodes' signatures, the books, and what checks them.

Everything that arrived in the days asked, each chain as one stretch, widened to whole batches. The
manifest names every file's SHA-256 and the totals, and the city signs it. What an office alone can open
stays sealed inside its fact.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import Connection, Row, Table, and_, func, select

from central import audit_verify
from central.city import City
from central.keys import CityKey
from central.moments_read import TIMES_HEAD, chain_times
from central.nodes import NodeState
from central.rights_facts import is_husk
from central.schema import facts, heads, node_keys, nodes, payments, quarantine
from central.schema_money import batch_seals, polizas, settlement_lines
from central.store import Store
from municipio.facts import ZERO_HASH, format_time

STRETCH = 500
_CHAIN = ("inegi", "node", "epoch", "lane")
_PAYMENTS = (
    *("fact_id", "folio", "node", "clave", "liquidacion_id", "amount_centavos", "method"),
    *("paid_on", "state", "note", "posted_at"),
)
_LINES = (
    *("id", "file", "mapping", "kind", "number", "day", "gross_centavos", "commission_centavos"),
    *("net_centavos", "reference", "authorization", "node", "state", "subject"),
    "expected_centavos",
)


class AuditError(ValueError):
    """An export that cannot be made; fit for a terminal."""


@dataclass(frozen=True, slots=True)
class AuditExport:
    chains: int
    facts: int
    payments: int
    unsigned: int
    """Facts without a signature of their node: stored before signatures were kept."""


def export_audit(
    store: Store, city: City, key: CityKey, first: date, last: date, out: Path, at: datetime
) -> AuditExport:
    """Write the export into a new or empty directory. Raises AuditError, OSError."""
    if last < first:
        raise AuditError(f"{last} is before {first}")
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise AuditError(f"{out} is not empty")
    for name in ("facts", "times"):
        (out / name).mkdir()
    days = (_midnight(first, city), _midnight(last + timedelta(days=1), city))
    writer = _Writer(store, city, days, out)
    writer.write_chains()
    writer.write_books()
    writer.put("keys.json", _json(writer.keys()))
    writer.put("city.pub", key.public_pem)
    source = resources.files("central").joinpath("audit_verify.py").read_bytes()
    writer.put("verify.py", source)
    manifest = {
        "v": 1,
        "inegi": city.inegi,
        "city": city.name,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "made_at": format_time(at),
        "files": writer.files,
        "held": writer.held(),
        "totals": writer.totals,
    }
    raw = rfc8785.dumps(manifest)  # type: ignore[arg-type]  # plain JSON values, nested
    (out / audit_verify.MANIFEST).write_bytes(raw)
    (out / audit_verify.SIGNATURE).write_bytes(base64.b64encode(key.sign(raw)) + b"\n")
    return writer.result()


class _Writer:
    def __init__(self, store: Store, city: City, days: tuple[str, str], out: Path) -> None:
        self._store = store
        self._city = city
        self._days = days
        self._out = out
        self._taken: dict[str, tuple[str, int, str]] = {}
        self._unsigned = 0
        self._payments = 0
        self._chains = 0
        self.files: dict[str, str] = {}
        self.totals: dict[str, Any] = {"facts": {}, "payments": {}, "settlements": {}}

    def put(self, name: str, raw: bytes) -> None:
        (self._out / name).write_bytes(raw)
        self.files[name] = hashlib.sha256(raw).hexdigest()

    def result(self) -> AuditExport:
        total = sum(self.totals["facts"].values())
        return AuditExport(self._chains, total, self._payments, self._unsigned)

    def write_chains(self) -> None:
        h = heads.c
        with self._store.begin() as connection:
            mine = select(heads).where(h.inegi == self._city.inegi)
            chains = connection.execute(mine.order_by(h.node, h.epoch, h.lane)).all()
        documents = []
        for chain in chains:
            with self._store.begin() as connection:
                stretch = self._stretch(connection, chain)
            if stretch is not None:
                documents.append(self._write_chain(chain, *stretch))
                self._write_times(chain, *stretch[:2])
        self.put("chains.json", _json(documents))
        self.totals["payments"] = audit_verify.summed(self._taken)
        self._chains = len(documents)

    def _stretch(
        self, connection: Connection, chain: Row[Any]
    ) -> tuple[int, int, list[Row[Any]]] | None:
        """First and last seq that arrived in the days, widened to whole batches, and their seals."""
        ends: list[int] = []
        for table in (facts, quarantine):
            days = and_(table.c.received_at >= self._days[0], table.c.received_at < self._days[1])
            low, high = func.min(table.c.seq), func.max(table.c.seq)
            row = connection.execute(select(low, high).where(_of(table, chain), days)).one()
            ends += [seq for seq in row if seq is not None]
        if not ends:
            return None
        s = batch_seals.c
        touching = and_(_of(batch_seals, chain), s.last >= min(ends), s.first <= max(ends))
        seals = list(
            connection.execute(select(batch_seals).where(touching).order_by(s.first)).all()
        )
        first = min([min(ends), *(seal.first for seal in seals)])
        return first, max([max(ends), *(seal.last for seal in seals)]), seals

    def _write_chain(
        self, chain: Row[Any], first: int, last: int, seals: Sequence[Row[Any]]
    ) -> dict[str, Any]:
        prev, head = ZERO_HASH if first == 1 else "", ""
        raws: list[bytes] = []
        aside: list[int] = []
        erased: dict[str, str] = {}
        for low in range(first, last + 1, STRETCH):
            with self._store.begin() as connection:
                rows = list(_facts(connection, chain, low, min(low + STRETCH - 1, last)))
                if not prev:
                    prev = next(h for _, _, h, _ in _facts(connection, chain, first - 1, first - 1))
            for seq, raw, sha256, is_aside in rows:
                raws.append(raw)
                head = sha256
                if is_husk(raw) or not raw:  # bytes that were no fact leave nothing at all
                    erased[str(seq)] = sha256
                if is_aside:
                    aside.append(seq)
                elif not is_husk(raw):
                    self._taken |= audit_verify.taken_in(raw)
        lanes = self.totals["facts"]
        lanes[chain.lane] = lanes.get(chain.lane, 0) + len(raws)
        self.put(
            f"facts/{chain.node}-{chain.epoch}-{chain.lane}.ndjson",
            b"".join(raw + b"\n" for raw in raws),
        )
        self._unsigned += last - max([first - 1, *(seal.last for seal in seals)])
        names = ("first", "last", "prev", "signature")
        return {
            "node": chain.node,
            "epoch": chain.epoch,
            "lane": chain.lane,
            "first": first,
            "last": last,
            "prev": prev,
            "head": head,
            "quarantined": aside,
            "erased": erased,
            "seals": [{name: getattr(seal, name) for name in names} for seal in seals],
        }

    def _write_times(self, chain: Row[Any], first: int, last: int) -> None:
        """When each of these facts happened and how surely, as the city computes it."""
        text = io.StringIO(newline="")
        lines = csv.writer(text)
        lines.writerow(TIMES_HEAD)
        lines.writerows(chain_times(self._store, chain, first, last))
        name = f"times/{chain.node}-{chain.epoch}-{chain.lane}.csv"
        self.put(name, text.getvalue().encode())

    def write_books(self) -> None:
        """Payments posted in those days or told by these facts, movements and pólizas of the days."""
        p, s = payments.c, settlement_lines.c
        inegi = self._city.inegi
        found: dict[str, Row[Any]] = {}
        folios = sorted(self._taken)
        with self._store.begin() as connection:
            days = and_(p.posted_at >= self._days[0], p.posted_at < self._days[1])
            wanted = [days, *(p.folio.in_(folios[n : n + STRETCH])
                              for n in range(0, len(folios), STRETCH))]  # fmt: skip
            for some in wanted:
                rows = connection.execute(select(payments).where(p.inegi == inegi, some))
                found |= {row.fact_id: row for row in rows}
            first, last = (self._local(moment) for moment in self._days)
            of_days = and_(s.inegi == inegi, s.day >= first, s.day < last)
            lines = connection.execute(
                select(settlement_lines).where(of_days).order_by(s.day, s.id)
            ).all()
            closed = and_(polizas.c.inegi == inegi, polizas.c.day >= first, polizas.c.day < last)
            books = connection.execute(select(polizas).where(closed).order_by(polizas.c.day)).all()
        self._payments = len(found)
        self.put("payments.csv", _csv(_PAYMENTS, [found[id] for id in sorted(found)]))
        self.put("settlements.csv", _csv(_LINES, lines))
        names = ("day", "closed_at", "sha256", "lines", "total_centavos")
        self.put("polizas.csv", _csv(names, books))
        sums = self.totals["settlements"]
        for row in lines:
            zero = {"count": 0, "gross": 0, "commission": 0, "net": 0}
            one = sums.setdefault(row.kind, zero)
            one["count"] += 1
            for name in ("gross", "commission", "net"):
                one[name] += getattr(row, f"{name}_centavos")

    def keys(self) -> dict[str, list[str]]:
        """Every key that each node ever had, in hexadecimal."""
        k = node_keys.c
        found: dict[str, list[str]] = {}
        with self._store.begin() as connection:
            mine = select(node_keys).where(k.inegi == self._city.inegi).order_by(k.node, k.key_id)
            for row in connection.execute(mine):
                found.setdefault(row.node, []).append(bytes(row.public).hex())
        return found

    def held(self) -> list[str]:
        """Nodes whose facts have no effect in the books until the staff release them."""
        n = nodes.c
        mine = and_(n.inegi == self._city.inegi, n.state == NodeState.QUARANTINED.value)
        with self._store.begin() as connection:
            return list(connection.scalars(select(n.node).where(mine).order_by(n.node)))

    def _local(self, moment: str) -> str:
        found = datetime.fromisoformat(moment).astimezone(self._city.zone)
        return found.date().isoformat()


def _facts(
    connection: Connection, chain: Row[Any], first: int, last: int
) -> Iterator[tuple[int, bytes, str, bool]]:
    """(seq, raw, hash, is quarantined) in order of seq."""
    found = []
    for table in (facts, quarantine):
        wanted = and_(_of(table, chain), table.c.seq.between(first, last))
        rows = connection.execute(select(table.c.seq, table.c.raw, table.c.hash).where(wanted))
        found += [(row.seq, bytes(row.raw), row.hash, table is quarantine) for row in rows]
    yield from sorted(found)


def _of(table: Table, chain: Row[Any]) -> Any:
    return and_(*(table.c[name] == getattr(chain, name) for name in _CHAIN))


def _csv(names: Sequence[str], rows: Sequence[Row[Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in rows)
    return out.getvalue().encode()


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode() + b"\n"


def _midnight(day: date, city: City) -> str:
    return format_time(datetime.combine(day, time(), city.zone).astimezone(UTC))
