"""The month of indicators as CSV and as text for a terminal. Pure."""

from __future__ import annotations

import csv
import io

from central.indicators import MonthReport, rows_of
from central.indicators_facts import What
from municipio.money import format_mxn

HEAD = ("mes", "nodo", "sitio", "indicador", "detalle", "valor")


def month_csv(report: MonthReport) -> str:
    """Comma-separated, for any spreadsheet; no cell of it is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    for row in rows_of(report):
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in row])
    return out.getvalue()


def month_text(report: MonthReport) -> str:
    t = report.totals
    lines = [
        f"Indicadores de {report.month}",
        f"conexiones                {t[What.CONNECTIONS]:>12,}",
        f"transacciones             {t[What.TRANSACTIONS]:>12,}",
        f"módulos con movimiento    {report.modules:>12,}",
        f"transacciones por módulo  {report.per_module:>12,.2f}",
        f"recaudado                 {format_mxn(t[What.CENTAVOS]):>12}",
        f"pases de caja             {t[What.PASES]:>12,}",
        f"reportes                  {report.cases.total:>12,}",
        *(f"  {name:<24}{number:>12,}" for name, number in report.cases.states.items() if number),
        *(f"consultas {n:>6,}  {name}" for _, name, n in report.consulted[:10]),
        "",
    ]
    for site in report.sites:
        lines.append(
            f"{site.node}  {site.connections:>8,} conexiones {site.transactions:>6,} transacciones "
            f"{site.reports:>6,} reportes  {site.site}"
        )
    return "\n".join(lines).rstrip()
