"""A perfil hacendario is read strictly: a misspelt rule must never be a rule left out."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from municipio.perfil import parse_account_tax, parse_perfil

EXAMPLE = Path(__file__).parents[2] / "docs" / "reference" / "ejemplos" / "perfil-demo.toml"


@pytest.fixture
def document() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text("utf-8"))


def test_every_rule_of_the_example_carries_its_legal_source(document: dict[str, Any]) -> None:
    perfil = parse_perfil(document)
    sources = [*perfil.legal.values(), *(b.legal for b in perfil.benefits.values())]
    assert perfil.early is not None
    assert all(sources)
    assert "art. 118" in perfil.early.legal
    assert perfil.adicional_percent == 10


def test_the_examples_invented_indices_are_marked_as_demonstration() -> None:
    assert "inventados para la demostración" in EXAMPLE.read_text("utf-8")


MISTAKES: list[tuple[tuple[str, ...], Any, str]] = [
    (("nombre",), "", "«nombre» must be a text that is not empty"),
    (("nombre",), None, "«nombre» is missing"),
    (("recargos", "fundamento"), None, "«recargos.fundamento» is missing"),
    (("recargos", "porcentaje_mensual"), 1.5, "«recargos.porcentaje_mensual» must be a decimal"),
    (("recargos", "porcentaje_mensual"), "-2", "must be a decimal"),
    (("recargos", "porcentage"), "2", "«recargos.porcentage» is unknown; .* «porcentaje_mensual»"),
    (("recargos", "desde_mes"), 13, "«recargos.desde_mes» must be a whole number from 1 to 12"),
    (("recargos", "desde_mes"), True, "whole number"),
    (("adicional",), "10", "«adicional» must be a table"),
    (("adicional", "porcentaje"), True, "«adicional.porcentaje» must be a decimal"),
    (("actualizacion", "inpc", "2025-13"), "1", "«actualizacion.inpc.2025-13» is not a month"),
    (("actualizacion", "inpc", "2025-12"), "0", "must be more than 0"),
    (("cuota_minima", "por_anio", "26"), "1", "«cuota_minima.por_anio.26» is not a year"),
    (("cuota_minima", "por_anio", "2026"), 354.0, "must be pesos written as text"),
    (("cuota_minima", "por_anio", "2026"), "3.541", "«cuota_minima.por_anio.2026»"),
    (("pronto_pago", "hasta"), "31-01", "«pronto_pago.hasta» must be a month and day"),
    (("pronto_pago", "hasta"), "02-30", "month and day"),
    (("pronto_pago", "desde"), "03-01", "«pronto_pago.hasta» is before «desde»"),
    (("pronto_pago", "prorroga"), {"2026": "13-01"}, "«pronto_pago.prorroga.2026»"),
    (("pronto_pago", "porcentaje"), "101", "«pronto_pago.porcentaje» is over 100"),
    (("pronto_pago", "al_corriente"), "si", "«pronto_pago.al_corriente» must be true or false"),
    (("beneficio_pensionado",), "nadie", "«beneficio_pensionado» names «nadie»"),
    (("beneficios",), {}, "«beneficios» must be a list of tables"),
    (("otra_regla",), "x", "«otra_regla» is unknown"),
]


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES)
def test_a_mistake_in_the_perfil_is_named(
    document: dict[str, Any], path: tuple[str, ...], value: Any, message: str
) -> None:
    table = document
    for key in path[:-1]:
        table = table[key]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    with pytest.raises(ValueError, match=message):
        parse_perfil(document)


def test_a_mistake_in_a_benefit_names_which_one(document: dict[str, Any]) -> None:
    document["beneficios"][1]["porcentaje"] = "x"
    with pytest.raises(ValueError, match=r"«beneficios\[1\].porcentaje»"):
        parse_perfil(document)


def test_two_benefits_cannot_share_a_code(document: dict[str, Any]) -> None:
    document["beneficios"].append(deepcopy(document["beneficios"][0]))
    with pytest.raises(ValueError, match="two entries with the same «codigo»"):
        parse_perfil(document)


def test_a_perfil_may_have_no_discounts_at_all(document: dict[str, Any]) -> None:
    for key in ("pronto_pago", "beneficios", "beneficio_pensionado"):
        del document[key]
    perfil = parse_perfil(document)
    assert (perfil.early, dict(perfil.benefits)) == (None, {})


def test_a_window_to_the_29th_of_february_means_the_end_of_february(
    document: dict[str, Any],
) -> None:
    document["pronto_pago"]["hasta"] = "02-29"
    early = parse_perfil(document).early
    assert early is not None
    assert early.window.bounds(2026)[1] == date(2026, 2, 28)
    assert early.window.bounds(2028)[1] == date(2028, 2, 29)


def test_an_account_is_read_with_whole_and_exact_pesos() -> None:
    found = parse_account_tax(
        {
            "clave": "06-200",
            "valor_catastral": "350000",
            "impuesto_anual_pendiente": {"2025": "1200.10", "2026": 1245, "2024": Decimal("7.5")},
        }
    )
    assert found.clave == "06200"
    assert found.annual_tax_centavos == {2024: 7_50, 2025: 1_200_10, 2026: 1_245_00}
    assert found.value_centavos == 350_000_00


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "«clave» is missing"),
        ({"clave": "A", "impuesto_anual_pendiente": {}}, "«clave» must have digits only"),
        ({"clave": "1"}, "«impuesto_anual_pendiente» is missing"),
        ({"clave": "1", "impuesto_anual_pendiente": {"2026": 1.5}}, "pesos written as text"),
        ({"clave": "1", "impuesto_anual_pendiente": {"x": "1"}}, "is not a year"),
        ({"clave": "1", "impuesto_anual_pendiente": {}, "dueño": "x"}, "«dueño» is unknown"),
    ],
)
def test_a_mistake_in_an_account_is_named(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_account_tax(document)
