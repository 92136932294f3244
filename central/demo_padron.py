"""The demonstration padrón: invented properties, the same ones for the same date every time.

Nobody here exists: initials, streets and amounts are drawn from a fixed seed. Four accounts are well
known, so that a page, a test or a technician can name them; their data are DEMOSTRACIÓN like the rest.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from municipio.perfil import Perfil

MIN_ACCOUNTS = 2_000
_SEED = 30_039
_INITIALS = "ABCDEFGHIJLMNOPRSTUVZ"
_STREETS = (
    *("Chabacano", "Álamo", "Clavel", "Flamboyán", "Tamarindo", "Ceiba", "Malecón Costero"),
    *("Av. Universidad", "Av. Juárez", "Hidalgo", "Morelos", "Zaragoza", "Ignacio Allende"),
    *("Corregidora", "18 de Marzo", "Prolongación Quintana Roo", "Río Calzadas", "Nicaragua"),
)
_COLONIAS = (
    *("Iquisa", "Petrolera", "Adolfo López Mateos", "Fracc. Ciudad Olmeca", "Centro"),
    *("Benito Juárez Norte", "María de la Piedad", "Francisco Villa", "Puerto México"),
    *("Playa Sol", "20 de Noviembre", "Cuauhtémoc", "Las Gaviotas", "Rancho Alegre I"),
)
_VILLAGES = ("Mundo Nuevo", "Guillermo Prieto", "Las Barrillas", "Colorado")


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One invented property; `annual_tax` are pesos as text per year, unpaid or not."""

    clave: str
    owner_masked: str
    street: str
    colonia: str
    kind: str
    benefit: str
    annual_tax: dict[int, str]
    paid_through: int
    paid_on: str = ""
    paid_folio: str = ""

    def row(self, inegi: str) -> dict[str, Any]:
        """The row of the accounts table; `tax` is what `municipio.perfil` parses."""
        tax = {"clave": self.clave, "beneficio": self.benefit}
        years = {str(year): pesos for year, pesos in self.annual_tax.items()}
        names = ("clave", "owner_masked", "street", "colonia", "kind", "benefit")
        plain = {name: getattr(self, name) for name in names}
        paid = {"paid_through": self.paid_through, "paid_on": self.paid_on}
        return {
            "inegi": inegi,
            **plain,
            **paid,
            "paid_folio": self.paid_folio,
            "tax": json.dumps({**tax, "impuesto_anual_pendiente": years}, sort_keys=True),
        }


def known_accounts(on: date) -> tuple[tuple[str, DemoAccount], ...]:
    """The four accounts with a name: (what it shows, account)."""
    year = on.year
    arrears = dict(zip(range(year - 3, year + 1), ("1100.00", "1150.00", "1200.00", "1245.00"),
                       strict=True))  # fmt: skip
    current = {year: "1245.00"}
    place = ("Chabacano", "Iquisa", "urbano")
    paid_on = min(f"{year}-01-02", on.isoformat())
    return (
        ("debe cuatro años", DemoAccount("0620000101023005000007", "M. L. H.", *place, "", arrears, 0)),
        ("debe este año", DemoAccount("0620000101023006000005", "R. G. P.", *place, "", current, 0)),
        ("pensionado registrado",
         DemoAccount("0620000101023007000003", "A. S. T.", *place, "pensionado", current, 0)),
        ("ya pagado",
         DemoAccount("0620000101023008000001", "J. C. V.", *place, "", current, year, paid_on)),
    )  # fmt: skip


def make_padron(perfil: Perfil, on: date, count: int) -> Iterator[DemoAccount]:
    """The known accounts, then invented ones up to `count`."""
    known = [account for _, account in known_accounts(on)]
    yield from known
    draw = random.Random(_SEED)  # noqa: S311 - the same invented city every time
    for number in range(count - len(known)):
        yield _invent(draw, perfil, on, number)


def _invent(draw: random.Random, perfil: Perfil, on: date, number: int) -> DemoAccount:
    rural = draw.random() < 0.08
    block, lot = divmod(number, 40)
    region, block = divmod(block, 900)
    clave = f"06039{'050' if rural else '001'}{region + 2:02d}{block + 1:03d}{lot + 1:03d}00000"
    owner = " ".join(f"{draw.choice(_INITIALS)}." for _ in range(3))
    years_owed = draw.choices((0, 1, 2, 3, 4, 5), (18, 48, 14, 9, 6, 5))[0]
    newest = _annual_tax(draw, perfil, on.year)
    taxes = {
        on.year - back: f"{newest * (1 - 0.035 * back):.2f}" for back in range(max(years_owed, 1))
    }
    benefits = draw.choices(("", "pensionado", "viudez", "discapacidad"), (88, 8, 3, 1))
    benefit = benefits[0] if years_owed <= 1 else ""
    paid_on = date(on.year, 1, draw.randint(2, 31)).isoformat() if years_owed == 0 else ""
    return DemoAccount(
        clave=f"{clave}{draw.randint(0, 9)}",
        owner_masked=owner,
        street=draw.choice(_STREETS),
        colonia=draw.choice(_VILLAGES if rural else _COLONIAS),
        kind="rustico" if rural else "urbano",
        benefit=benefit,
        annual_tax=dict(sorted(taxes.items())),
        paid_through=on.year if years_owed == 0 else 0,
        paid_on=min(paid_on, on.isoformat()) if paid_on else "",
    )


def _annual_tax(draw: random.Random, perfil: Perfil, year: int) -> float:
    """Pesos: one in six at the minimum quota, the rest spread like a city's houses."""
    if draw.random() < 1 / 6:
        return perfil.minimum(year) / 100 or 350.0
    return round(min(400 + draw.expovariate(1 / 1100), 24_000), 2)
