"""A month as the programme reports it: connections, transactions per module, reports by dependency.

Read from what the projector counted; nothing is counted here again. What each figure means, and what
cannot be known, is in the reference page of the indicators.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, func, select

from central.indicators_facts import What
from central.schema import folios, nodes
from central.schema_fleet import reports, services, tallies, tramites
from central.store import Store, insert_missing
from municipio.reports import Service
from municipio.tramites import Tramite

MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
STATES = ("Pendiente", "Desarrollo", "Atendido", "No procede")
"""The four of the attention system (SIAC)."""
OTHER = "Otro"
NO_DEPENDENCY = "Sin dependencia registrada"
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Site:
    """One node in one month; `centavos` is what its modules took."""

    node: str
    site: str
    connections: int
    transactions: int
    centavos: int
    pases: int
    receipts: int
    reports: int


@dataclass(frozen=True, slots=True)
class Cases:
    """Reports of one dependency or service that were filed in the month, by where they stand today."""

    name: str
    states: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class MonthReport:
    month: str
    sites: tuple[Site, ...]
    totals: dict[What, int]
    by_method: dict[str, tuple[int, int]]
    """Transactions and centavos by means of payment."""
    dependencies: tuple[Cases, ...]
    reported: tuple[Cases, ...]
    """The same reports by service, the most frequent first."""
    consulted: tuple[tuple[str, str, int], ...]
    """Id, name and openings of trámites, the most consulted first; each is told from five on."""
    series: tuple[tuple[str, int, int], ...]
    """Month, connections and transactions of the months up to this one, oldest first."""

    @property
    def modules(self) -> int:
        """Nodes that took at least one payment or issued a pase de caja in the month."""
        return sum(1 for site in self.sites if site.transactions or site.pases)

    @property
    def per_module(self) -> float:
        return self.totals[What.TRANSACTIONS] / self.modules if self.modules else 0.0

    @property
    def cases(self) -> Cases:
        return Cases("", {s: sum(d.states[s] for d in self.dependencies) for s in (*STATES, OTHER)})


def month_report(store: Store, inegi: str, month: str) -> MonthReport:
    """`month` is `2026-11`; ValueError for anything else."""
    if not MONTH.fullmatch(month):
        raise ValueError(f"not a month such as 2026-11: {month!r}")
    t = tallies.c
    with store.begin() as connection:
        counted = connection.execute(
            select(t.node, t.what, t.part, t.value).where(
                t.inegi == inegi, t.month == month, t.what != What.CONSULTED.value
            )
        ).all()
        consulted = _consulted(connection, inegi, month)
        known = select(nodes.c.node, nodes.c.site).where(nodes.c.inegi == inegi)
        sites = {node: site for node, site in connection.execute(known)}
        cases = _cases(connection, inegi, month)
        series = _series(connection, inegi, month)
    values: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    totals = dict.fromkeys(What, 0)
    totals[What.CONSULTED] = sum(number for _, _, number in consulted)
    methods: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for node, what, part, value in counted:
        values[node][what] += value
        totals[What(what)] += value
        if what in (What.TRANSACTIONS, What.CENTAVOS):
            methods[part][what == What.CENTAVOS] += value
    for node, _, _, _, number in cases:
        values[node]["reports"] += number
    return MonthReport(
        month=month,
        sites=tuple(_site(n, sites.get(n, ""), values[n]) for n in sorted({*sites, *values})),
        totals=totals,
        by_method={method: (n, centavos) for method, (n, centavos) in sorted(methods.items())},
        dependencies=_group((name, state, n) for _, name, _, state, n in cases),
        reported=_group((name, state, n) for _, _, name, state, n in cases),
        consulted=consulted,
        series=series,
    )


def months_known(store: Store, inegi: str) -> list[str]:
    """Months with any count, newest first."""
    t = tallies.c
    with store.begin() as connection:
        counted = and_(t.inegi == inegi, t.value != 0)  # a fact may have moved to its own month
        found = select(t.month).where(counted).distinct().order_by(t.month.desc())
        return [month for month in connection.scalars(found) if MONTH.fullmatch(month)]


def replace_services(connection: Connection, inegi: str, known: Iterable[Service]) -> int:
    """The names and dependencies of the published services; those that went stay named."""
    rows = [
        {
            "inegi": inegi,
            "code": s.code,
            "name": s.name,
            "dependency": s.dependency,
            "keywords": ",".join(s.keywords),
        }
        for s in known
    ]
    c = services.c
    codes = [row["code"] for row in rows]
    connection.execute(delete(services).where(c.inegi == inegi, c.code.in_(codes)))
    insert_missing(connection, services, rows)
    return len(rows)


def replace_tramites(connection: Connection, inegi: str, known: Iterable[Tramite]) -> int:
    """The names of the published trámites; those that went stay named."""
    rows = [{"inegi": inegi, "id": t.id, "name": t.name, "dependency": t.dependency} for t in known]
    c = tramites.c
    ids = [row["id"] for row in rows]
    connection.execute(delete(tramites).where(c.inegi == inegi, c.id.in_(ids)))
    insert_missing(connection, tramites, rows)
    return len(rows)


def _consulted(connection: Connection, inegi: str, month: str) -> tuple[tuple[str, str, int], ...]:
    """Summed where they lie: a city has a hundred trámites at thousands of nodes."""
    t, n = tallies.c, tramites.c
    what = and_(t.inegi == inegi, t.month == month, t.what == What.CONSULTED.value)
    summed = select(t.part, func.sum(t.value)).where(what).group_by(t.part)
    named = select(n.id, n.name).where(n.inegi == inegi)
    names: dict[str, str] = {row[0]: row[1] for row in connection.execute(named)}
    found = [(id, names.get(id, id), int(number)) for id, number in connection.execute(summed)]
    return tuple(sorted(found, key=lambda row: (-row[2], row[1])))


_Case = tuple[str, str, str, str, int]
"""Node, dependency, service, state, number."""


def _cases(connection: Connection, inegi: str, month: str) -> list[_Case]:
    r, f, s = reports.c, folios.c, services.c
    joined = reports.join(folios, and_(f.inegi == r.inegi, f.folio == r.folio)).outerjoin(
        services, and_(s.inegi == r.inegi, s.code == r.service_code)
    )
    grouped = (r.node, s.dependency, s.name, r.service_code, f.state)
    found = (
        select(*grouped, func.count())
        .select_from(joined)
        .where(r.inegi == inegi, r.month == month)
        .group_by(*grouped)
    )
    return [
        (node, dependency or NO_DEPENDENCY, name or code or "(sin dato)", state, number)
        for node, dependency, name, code, state, number in connection.execute(found)
    ]


def _group(rows: Iterable[tuple[str, str, int]]) -> tuple[Cases, ...]:
    found: dict[str, dict[str, int]] = {}
    for name, state, number in rows:
        states = found.setdefault(name, dict.fromkeys((*STATES, OTHER), 0))
        states[state if state in STATES else OTHER] += number
    made = (Cases(name, states) for name, states in found.items())
    return tuple(sorted(made, key=lambda c: (-c.total, c.name)))


def _series(connection: Connection, inegi: str, month: str) -> tuple[tuple[str, int, int], ...]:
    months = [month]
    while len(months) < MONTHS_SHOWN:
        months.append(month_before(months[-1]))
    t = tallies.c
    shown = (What.CONNECTIONS.value, What.TRANSACTIONS.value)
    wanted = and_(t.inegi == inegi, t.month.in_(months), t.what.in_(shown))
    grouped = select(t.month, t.what, func.sum(t.value)).where(wanted).group_by(t.month, t.what)
    sums = {(row[0], row[1]): int(row[2]) for row in connection.execute(grouped)}
    first, second = shown
    return tuple((m, sums.get((m, first), 0), sums.get((m, second), 0)) for m in reversed(months))


def month_before(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1:04d}-12" if number == 1 else f"{year:04d}-{number - 1:02d}"


def _site(node: str, site: str, values: dict[str, int]) -> Site:
    return Site(
        node,
        site,
        values.get(What.CONNECTIONS, 0),
        values.get(What.TRANSACTIONS, 0),
        values.get(What.CENTAVOS, 0),
        values.get(What.PASES, 0),
        values.get(What.RECEIPTS, 0),
        values.get("reports", 0),
    )


def rows_of(report: MonthReport) -> Sequence[tuple[str, str, str, str, str, str]]:
    """The report as lines for a spreadsheet: month, node, site, indicator, part, value."""
    m = report.month
    rows = []
    for site in report.sites:
        for name, value in (
            ("conexiones", site.connections),
            ("transacciones", site.transactions),
            ("importe_pesos", f"{site.centavos // 100}.{site.centavos % 100:02d}"),
            ("pases_de_caja", site.pases),
            ("recibos_impresos", site.receipts),
            ("reportes", site.reports),
        ):
            rows.append((m, site.node, site.site, name, "", str(value)))
    whole = (
        ("modulos_con_movimiento", "", str(report.modules)),
        ("transacciones_por_modulo", "", f"{report.per_module:.2f}"),
        *((f"transacciones_{CSV_METHODS.get(k, k)}", "", str(n)) for k, (n, _) in report.by_method.items()),
        *(("ciudad_" + name, "", str(report.totals[what])) for what, name in CSV_TOTALS.items()),
        *(
            ("reportes_por_dependencia", f"{d.name}: {state}", str(number))
            for d in report.dependencies
            for state, number in d.states.items()
        ),
        *(("tramites_consultados", f"{name} ({id})", str(n)) for id, name, n in report.consulted),
        *(("reportes_por_servicio", s.name, str(s.total)) for s in report.reported),
    )  # fmt: skip
    return [*rows, *((m, "", "", *row) for row in whole)]


CSV_METHODS = {"card": "tarjeta", "cash": "efectivo", "": "sin_dato"}
CSV_TOTALS = {
    What.CONNECTIONS: "conexiones",
    What.RESUMED: "conexiones_reanudadas",
    What.VISITS: "visitas_terminadas",
    What.VISIT_MINUTES: "minutos",
    What.VISIT_MIB: "mib",
    What.FEW_VISITS: "horas_con_menos_de_cinco_visitas",
    What.COMPLAINTS: "quejas",
    What.APPOINTMENTS: "citas",
    What.APPEALS: "apelaciones_del_filtro",
    What.SURVEYS: "encuestas",
    What.UNDATED: "hechos_sin_hora",
}
