"""A small invented city for the simulators: properties, trámites, services (all demostración)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from kiosk.simulators import MemorySigner
from municipio.predial import (
    Account,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    encode_liquidacion,
)
from municipio.reports import Service
from municipio.terms import Terms, make_terms
from municipio.tramites import Category, Cost, CostKind, Requirement, Tramite
from municipio.usecases.ports import TramiteHit

CLAVE = "0620000101023005000007"
CLAVE_UP_TO_DATE = "0620000101023006000008"
CLAVE_WITH_BENEFIT = "0620000101023007000009"

_CATEGORIES = ("apoyos", "educacion", "legal", "vehiculos", "vivienda", "negocios", "empleo")


def sign(liquidacion: Liquidacion) -> SignedLiquidacion:
    payload = encode_liquidacion(liquidacion)
    return SignedLiquidacion(liquidacion, payload, MemorySigner().sign(payload))


def debt(clave: str = CLAVE, *, id: str = "L20260120-DEMO", **changes: date) -> Liquidacion:
    """Two years owed: 1,662.91 and 1,369.50 pesos."""
    rows = (
        LiquidacionRow(2025, 120000, 12000, "1.0369", 4428, 12, 29863, 0, 166291),
        LiquidacionRow(2026, 124500, 12450, "1", 0, 0, 0, 0, 136950),
    )
    issued = changes.get("issued_on", date(2026, 1, 20))
    until = changes.get("valid_until", date(2026, 1, 31))
    total = sum(r.subtotal_centavos for r in rows)
    return Liquidacion(id, clave, issued, until, rows, total, "", "demo")


def nothing_due(clave: str) -> Liquidacion:
    return Liquidacion(
        "L20260120-CERO", clave, date(2026, 1, 20), date(2026, 1, 31), (), 0, "", "demo"
    )


def _tramite(number: int, name: str, category: str, cost: Cost) -> Tramite:
    return Tramite(
        id=f"COA-T-TES-ING-{number}",
        name=name,
        dependency="Tesorería (demostración)",
        unit="Ingresos",
        category=category,
        description="Documento de demostración.",
        cases="Cuando se lo pidan.",
        requirements=(
            Requirement("CURP", 0, 1, held_by_government=True),
            Requirement("Identificación oficial", 1, 2, "vigente"),
        ),
        cost=cost,
        time_text="5 días hábiles",
        time_days=5,
        validity="1 año",
        hours="9 a 15 h",
        place="Palacio Municipal",
        phone="921 000 0000",
        legal_basis=("Por confirmar (demostración)",),
        obtains=("Constancia",),
        channels=("ventanilla",),
    )


@dataclass
class MemoryCatalogue:
    """Three properties, three trámites, two services; change the fields to change the city."""

    accounts: dict[str, Account] = field(
        default_factory=lambda: {
            CLAVE: Account(CLAVE, "M. L. H.", "Chabacano", "Iquisa", "urbano"),
            CLAVE_UP_TO_DATE: Account(CLAVE_UP_TO_DATE, "J. P. S.", "Álamo", "Iquisa", "urbano"),
            CLAVE_WITH_BENEFIT: Account(
                CLAVE_WITH_BENEFIT, "R. T.", "Clave", "Centro", "urbano", "pensionado"
            ),
        }
    )
    liquidaciones: dict[str, SignedLiquidacion] = field(
        default_factory=lambda: {
            CLAVE: sign(debt()),
            CLAVE_UP_TO_DATE: sign(nothing_due(CLAVE_UP_TO_DATE)),
            CLAVE_WITH_BENEFIT: sign(debt(CLAVE_WITH_BENEFIT, id="L20260120-BEN")),
        }
    )
    dated: date | None = date(2026, 1, 20)
    keys: tuple[str, ...] = ("age1demo",)
    tramites: tuple[Tramite, ...] = (
        _tramite(1, "Constancia de no adeudo predial", "vivienda", Cost(CostKind.FIXED, 35400)),
        _tramite(2, "Licencia de funcionamiento", "negocios", Cost(CostKind.VARIABLE)),
        _tramite(3, "Constancia de residencia", "legal", Cost(CostKind.NONE)),
    )

    def search_tramites(self, query: str, limit: int = 20) -> tuple[TramiteHit, ...]:
        return self._hits(lambda t: query.casefold() in t.name.casefold())[:limit]

    def tramite(self, tramite_id: str) -> Tramite | None:
        return next((t for t in self.tramites if t.id == tramite_id), None)

    def categories(self) -> tuple[Category, ...]:
        return tuple(Category(c, c.capitalize(), "folder") for c in _CATEGORIES)

    def tramites_in(self, category_id: str) -> tuple[TramiteHit, ...]:
        return self._hits(lambda t: t.category == category_id)

    def most_consulted(self, limit: int = 6) -> tuple[TramiteHit, ...]:
        return self._hits(lambda _: True)[:limit]

    def _hits(self, keep: object) -> tuple[TramiteHit, ...]:
        assert callable(keep)
        return tuple(
            TramiteHit(t.id, t.name, t.dependency, "Sin costo", t.category, 1.0)
            for t in self.tramites
            if keep(t)
        )

    def account(self, clave: str) -> Account | None:
        return self.accounts.get(clave)

    def liquidacion(self, clave: str) -> SignedLiquidacion | None:
        return self.liquidaciones.get(clave)

    def services(self) -> tuple[Service, ...]:
        return (
            Service("bache", "Bache", "Obras Públicas", ("hoyo",), "construction"),
            Service("luminaria", "Luminaria fundida", "Alumbrado Público", ("luz",), "lightbulb"),
        )

    def colonias(self) -> tuple[str, ...]:
        return ("Centro", "Iquisa", "Petrolera", "Puerto México")

    def terms(self, language: str) -> Terms | None:
        return make_terms(
            version="2026-01-20",
            language=language,
            title="Términos de uso",
            body="Red gratuita.",
            notice_simple="Guardamos solo lo que usted escribe.",
            notice_full="Aviso de privacidad integral de demostración.",
        )

    def emergency_numbers(self) -> tuple[tuple[str, str], ...]:
        return (("Emergencias", "911"), ("Protección Civil (demostración)", "921 000 0001"))

    def recipient_keys(self, recipient: str) -> tuple[str, ...]:
        return self.keys

    def content_date(self) -> date | None:
        return self.dated
