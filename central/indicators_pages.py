"""The staff's page of a month: figures, charts, tables; the same as CSV and, by print CSS, on paper."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from central.charts import draw_bars
from central.context import central
from central.dashboard import page, staff_only
from central.indicators import (
    MONTH,
    OTHER,
    STATES,
    MonthReport,
    month_report,
    months_known,
)
from central.indicators_facts import What
from central.indicators_text import month_csv
from central.pages import error_page
from central.words import month_in_words
from municipio.money import format_mxn

indicators = Blueprint("indicators", __name__)

METHODS = {"card": "tarjeta", "cash": "efectivo", "": "sin dato"}
MOST_BARS = 30


def _asked() -> MonthReport | None:
    c = central()
    month = request.args.get("mes", "") or c.today().strftime("%Y-%m")
    return month_report(c.store, c.city.inegi, month) if MONTH.fullmatch(month) else None


@indicators.get("/indicadores")
@staff_only
def month_page() -> Response:
    report = _asked()
    if report is None:
        return error_page(404)
    c = central()
    months = sorted({report.month, *months_known(c.store, c.city.inegi)}, reverse=True)
    return page(
        "indicators.html",
        report=report,
        title=month_in_words(report.month),
        months=[(m, month_in_words(m)) for m in months],
        what=What,
        methods=METHODS,
        states=(*STATES, OTHER) if report.cases.states[OTHER] else STATES,
        charts=_charts(report),
        made_on=c.today(),
    )


@indicators.get("/indicadores.csv")
@staff_only
def month_file() -> Response:
    report = _asked()
    if report is None:
        return error_page(404)
    name = f"indicadores-{report.month}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # The mark tells a spreadsheet that this is UTF-8.
    body = "\ufeff" + month_csv(report)
    return Response(body, headers=headers, content_type="text/csv; charset=utf-8")


def _charts(report: MonthReport) -> dict[str, Any]:
    by_site = sorted(report.sites, key=lambda s: -s.connections)[:MOST_BARS]
    by_module = sorted(report.sites, key=lambda s: -s.transactions)[:MOST_BARS]
    first = next((i for i, (_, n, _) in enumerate(report.series) if n), len(report.series) - 1)
    months = report.series[first:]
    return {
        "months": draw_bars([(month_in_words(m), n, f"{n:,}") for m, n, _ in months]),
        "sites": draw_bars(
            [
                (s.site or s.node, s.connections, f"{s.connections:,}")
                for s in by_site
                if s.connections
            ]
        ),
        "modules": draw_bars(
            [
                (s.site or s.node, s.transactions, f"{s.transactions:,} ({format_mxn(s.centavos)})")
                for s in by_module
                if s.transactions
            ]
        ),
        "dependencies": draw_bars(
            [(d.name, d.total, f"{d.total:,}") for d in report.dependencies[:MOST_BARS]]
        ),
        "consulted": draw_bars([(name, n, f"{n:,}") for _, name, n in report.consulted[:20]]),
        "services": draw_bars([(d.name, d.total, f"{d.total:,}") for d in report.reported[:10]]),
    }
