"""Every paper says all that it must, in both languages, and nothing that it must not."""

from __future__ import annotations

import gettext
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from municipio import papers
from municipio.liquidacion import Liquidacion
from municipio.papers import Gettext
from municipio.payments import PaymentMethod
from municipio.perfil import AccountTax, parse_perfil
from municipio.predial import compute_liquidacion
from municipio.receipts import Barcode, Check, Cut, Pair, Paper, PaperKind, Qr, Size, Text
from municipio.references import ReferenceProblem
from municipio.settings import Settings, parse_settings
from municipio.tramites import Cost, CostKind, Requirement, Tramite

ROOT = Path(__file__).parents[2]
PERFIL = parse_perfil(
    tomllib.loads((ROOT / "docs/reference/ejemplos/perfil-demo.toml").read_text("utf-8"))
)
CLAVE = "0620000101023005000007"
JANUARY_20 = date(2026, 1, 20)
AT = datetime(2026, 1, 20, 16, 42, tzinfo=UTC)
CURRENT = compute_liquidacion(PERFIL, AccountTax(CLAVE, {2026: 1_245_00}), JANUARY_20)
FOUR_YEARS = compute_liquidacion(
    PERFIL,
    AccountTax(CLAVE, {2023: 1_100_00, 2024: 1_150_00, 2025: 1_200_00, 2026: 1_245_00}),
    JANUARY_20,
)
FOLIO = "COA007-P1-000123-A"
TRAMITE = Tramite(
    id="COA-T-TES-ING-1",
    name="Constancia de no adeudo predial",
    dependency="Tesorería",
    unit="Ingresos",
    category="vivienda",
    description="",
    cases="",
    requirements=(
        Requirement("Identificación oficial", 1, 2, "Vigente"),
        Requirement("Escritura", 0, 0),
        Requirement("Último recibo de predial", 0, 1, held_by_government=True),
    ),
    cost=Cost(CostKind.FIXED, 120_00, note="Por predio"),
    time_text="3 días hábiles",
    time_days=3,
    validity="1 año",
    hours="Lunes a viernes, 9 a 17 h",
    place="Palacio Municipal (demostración)",
    phone="921 000 0000 (demostración)",
    legal_basis=("Ley de demostración, art. 1",),
    obtains=("Constancia",),
    channels=("ventanilla",),
)


def settings_with(**sections: dict[str, Any]) -> Settings:
    return parse_settings(sections)


def spanish(text: str) -> str:
    return text


@pytest.fixture
def english() -> Gettext:
    found = gettext.translation("municipio", ROOT / "municipio" / "strings", languages=["en"])
    return found.gettext


def text_of(paper: Paper) -> str:
    """All that a person can read on a paper, line by line."""
    lines = []
    for line in paper.lines:
        match line:
            case Text(text):
                lines.append(text)
            case Pair(label, value):
                lines.append(f"{label}: {value}")
            case Qr(content, caption) | Barcode(content, caption):
                lines.append(f"[{content}] {caption}")
            case Check(text, detail):
                lines.append(f"[ ] {text} {detail}")
            case _:
                pass
    return "\n".join(lines)


def recibo(settings: Settings, _: Gettext = spanish, **changes: Any) -> Paper:
    values: dict[str, Any] = {
        "folio": FOLIO,
        "paid_at": AT,
        "clave": CLAVE,
        "owner_masked": "M. L. H.",
        "concepts": papers.concepts_of(CURRENT, _),
        "amount_centavos": CURRENT.total_centavos,
        "method": PaymentMethod.CARD,
        "authorization": "123456",
        "card_last4": "4242",
        "security_chain": papers.cadena_de_seguridad("CODE"),
        "verify_url": papers.verification_url(settings, "CODE"),
    }
    return papers.recibo(settings, _, **{**values, **changes})


def pase(settings: Settings, liquidacion: Liquidacion = CURRENT, **changes: Any) -> Paper:
    due = changes.pop("due", liquidacion.valid_until)
    found = papers.make_pase_references(
        settings, "0390001234", changes.pop("amount", liquidacion.total_centavos), due
    )
    return papers.pase_de_caja(
        settings,
        spanish,
        folio=FOLIO,
        issued_at=AT,
        liquidacion=liquidacion,
        owner_masked="M. L. H.",
        references=found,
        follow_url=papers.follow_url(settings, FOLIO),
        **changes,
    )


def test_a_receipt_says_all_that_the_law_and_the_citizen_need() -> None:
    paper = recibo(settings_with())
    text = text_of(paper)
    for wanted in (
        "H. AYUNTAMIENTO DE EJEMPLO",
        "Tesorería Municipal · RFC XAXX010101000",
        "COMPROBANTE PROVISIONAL",
        "IMPUESTO PREDIAL",
        f"Folio: {FOLIO}",
        "Fecha: 20/01/2026 10:42 (UTC-6)",
        "Kiosco: 007 Parque Independencia (demostración)",
        "Clave: 06-200-001-01-023-005-00-000-7",
        "Titular: M. L. H.",
        "2026 Impuesto: 1,245.00",
        "2026 Adicional: 124.50",
        "Descuento enero 20 %: -273.90",
        "TOTAL: $ 1,095.60",
        "MIL NOVENTA Y CINCO PESOS 60/100 M.N.",
        "Tarjeta 4242, aut. 123456: APROBADA",
        "Cadena de seguridad: ",
        "[http://127.0.0.1:8311/r/CODE]",
        "Conserve este comprobante.",
        "Ayuda: 921 000 0000 (demostración)",
    ):
        assert wanted in text
    assert "COPIA" not in text
    assert (paper.kind, paper.folio, paper.lines[-1]) == (PaperKind.RECIBO, FOLIO, Cut())


def test_only_the_total_and_the_copy_mark_are_large() -> None:
    paper = recibo(settings_with(), copy=2)
    large = [line for line in paper.lines if getattr(line, "size", None) is Size.LARGE]
    assert [getattr(line, "text", None) or getattr(line, "label", "") for line in large] == [
        "COPIA 2",
        "TOTAL",
    ]


def test_settings_say_whether_it_is_the_official_receipt() -> None:
    official = text_of(recibo(settings_with(city={"receipt_kind": "recibo_oficial"})))
    assert "RECIBO OFICIAL" in official
    assert "PROVISIONAL" not in official
    assert "CFDI" not in official


def test_cash_and_a_card_without_digits_say_so() -> None:
    assert "Efectivo: RECIBIDO" in text_of(recibo(settings_with(), method=PaymentMethod.CASH))
    assert "Tarjeta, aut. 123456: APROBADA" in text_of(recibo(settings_with(), card_last4=""))


def test_the_law_of_a_discount_is_printed_only_beside_a_discount() -> None:
    settings = settings_with(city={"discount_law": "Art. 118, segundo párrafo"})
    assert "Art. 118" in text_of(recibo(settings))
    plain = recibo(settings, concepts=[("2026 Impuesto", 100)], amount_centavos=100)
    assert "Art. 118" not in text_of(plain)


def test_a_clock_that_is_not_believed_prints_no_time() -> None:
    assert "Fecha: por confirmar" in text_of(recibo(settings_with(), paid_at=None))


def test_the_city_zone_decides_the_hour() -> None:
    tijuana = settings_with(city={"timezone": "America/Tijuana"})
    assert "20/01/2026 08:42 (UTC-8)" in text_of(recibo(tijuana))
    kolkata = settings_with(city={"timezone": "Asia/Kolkata"})
    assert "20/01/2026 22:12 (UTC+5:30)" in text_of(recibo(kolkata))


def test_a_receipt_whose_concepts_do_not_add_up_is_never_built() -> None:
    with pytest.raises(ValueError, match="must add up"):
        recibo(settings_with(), amount_centavos=1)
    with pytest.raises(ValueError, match="time zone"):
        recibo(settings_with(), paid_at=AT.replace(tzinfo=None))
    with pytest.raises(ValueError, match="copy is 0"):
        recibo(settings_with(), copy=-1)


@pytest.mark.parametrize("years", range(1, 31))
def test_a_receipt_has_at_most_forty_lines_however_old_the_debt(years: int) -> None:
    row = FOUR_YEARS.rows[0]
    rows = tuple(replace(row, year=2026 - n) for n in reversed(range(years)))
    old = replace(FOUR_YEARS, rows=rows, total_centavos=row.subtotal_centavos * years)
    concepts = papers.concepts_of(old, spanish)
    assert sum(amount for _label, amount in concepts) == old.total_centavos
    settings = settings_with(city={"discount_law": "Art. 118"})
    paper = recibo(settings, concepts=concepts, amount_centavos=old.total_centavos, copy=1)
    assert len(paper.lines) <= 40


def test_four_years_of_debt_are_printed_concept_by_concept() -> None:
    text = text_of(
        recibo(
            settings_with(),
            concepts=papers.concepts_of(FOUR_YEARS, spanish),
            amount_centavos=FOUR_YEARS.total_centavos,
        )
    )
    assert "2023 Actualización: 143.99" in text
    assert "2023 Recargos: 895.67" in text
    assert "TOTAL: $ 7,236.09" in text


def test_a_pase_says_where_until_when_and_how_much() -> None:
    settings = settings_with(bank={"clabe": "032180000118359719"})
    text = text_of(pase(settings))
    for wanted in (
        "PASE DE CAJA",
        "Este papel no es un recibo de pago.",
        "TOTAL: $ 1,095.60",
        "MIL NOVENTA Y CINCO PESOS 60/100 M.N.",
        "Pague a más tardar: 31/01/2026",
        "Banco: BBVA",
        "Convenio: 0000000 (demostración)",
        "Referencia: 039000123444947220",
        "[0903900012342601311095608]",
        "CLABE: 032180000118359719",
        "Concepto: 0390001234",
        f"[http://127.0.0.1:8380/es/folio?folio={FOLIO}]",
    ):
        assert wanted in text
    assert "no pague otra vez" not in text


def test_a_pase_from_an_old_snapshot_warns_not_to_pay_twice() -> None:
    text = text_of(pase(settings_with(), may_be_paid_elsewhere=True))
    assert "Si ya pagó en otro lugar, no pague otra vez." in text


def test_a_large_debt_has_no_oxxo_code_and_says_why() -> None:
    row = replace(CURRENT.rows[0], tax_centavos=1_500_000, adicional_centavos=0,
                  discount_centavos=0, subtotal_centavos=1_500_000)  # fmt: skip
    text = text_of(pase(settings_with(), replace(CURRENT, rows=(row,), total_centavos=1_500_000)))
    assert "OXXO recibe hasta $ 9,999.99" in text
    assert "Referencia: 0390001234" in text


def test_ways_to_pay_that_the_city_has_not_configured_are_not_printed() -> None:
    text = text_of(pase(settings_with(bank={"oxxo_enabled": False})))
    assert "OXXO" not in text
    assert "CLABE" not in text
    only_shop = text_of(pase(settings_with(bank={"bbva_enabled": False})))
    assert "Convenio" not in only_shop


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"due": date(2026, 2, 1)}, "later than its liquidación"),
        ({"amount": 1}, "not for this liquidación's total"),
    ],
)
def test_a_pase_that_would_mislead_is_never_built(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pase(settings_with(), **changes)


def test_a_pase_with_nowhere_to_pay_is_never_built() -> None:
    nowhere = settings_with(bank={"bbva_enabled": False, "oxxo_enabled": False})
    with pytest.raises(ValueError, match="at least one place"):
        pase(nowhere)


def test_a_bank_agreement_that_cannot_hold_the_debt_is_named() -> None:
    with pytest.raises(ReferenceProblem, match="prefix «9»"):
        pase(settings_with(bank={"oxxo_prefix": "9"}))
    with pytest.raises(ReferenceProblem, match="CLABE"):
        pase(settings_with(bank={"clabe": "123"}))


def test_a_ficha_has_no_reference_and_says_that_it_cannot_be_paid_with() -> None:
    paper = papers.ficha_consulta(
        settings_with(bank={"clabe": "032180000118359719"}),
        spanish,
        liquidacion=FOUR_YEARS,
        known_on=JANUARY_20,
        owner_masked="M. L. H.",
        street="CHABACANO",
        colonia="IQUISA",
    )
    text = text_of(paper)
    assert "Adeudo conocido al: 20/01/2026" in text
    assert "No sirve para pagar" in text
    assert "Si ya pagó en otro lugar, no pague otra vez." in text
    assert "Ubicación: CHABACANO, IQUISA" in text
    assert "Referencia" not in text
    assert not any(isinstance(line, Qr | Barcode) for line in paper.lines)
    assert paper.folio == ""


def test_an_unknown_payment_says_what_not_to_do() -> None:
    text = text_of(
        papers.pago_en_verificacion(
            settings_with(),
            spanish,
            folio=FOLIO,
            at=AT,
            clave=CLAVE,
            amount_centavos=1_095_60,
            follow_url="http://example.test/f",
            resolved_by="mañana a las 12:00",
        )
    )
    for wanted in ("NO VUELVA A PAGAR", "no comprueba el pago", f"Folio: {FOLIO}",
                   "Importe: $ 1,095.60", "mañana a las 12:00", "[http://example.test/f]"):  # fmt: skip
        assert wanted in text


def test_a_report_slip_carries_its_provisional_folio_large_and_a_way_to_follow_it() -> None:
    paper = papers.comprobante_reporte(
        settings_with(),
        spanish,
        folio="COA007-R1-000123-E",
        filed_at=AT,
        service_name="Bache",
        dependency="Obras Públicas",
        colonia="IQUISA",
        street="CHABACANO",
        follow_url="http://example.test/f",
    )
    assert Size.LARGE in [line.size for line in paper.lines
                          if isinstance(line, Text) and line.text == paper.folio]  # fmt: skip
    text = text_of(paper)
    for wanted in ("Folio provisional", "Servicio: Bache", "Atiende: Obras Públicas",
                   "Colonia: IQUISA", "Calle: CHABACANO", "[http://example.test/f]"):  # fmt: skip
        assert wanted in text


def test_the_requirements_of_a_tramite_can_be_ticked_off() -> None:
    text = text_of(
        papers.requisitos(settings_with(), spanish, tramite=TRAMITE, url="http://example.test/t")
    )
    for wanted in (
        "[ ] Identificación oficial 1 original, 2 copias. Vigente",
        "[ ] Escritura",
        "no se lo pueden pedir: Último recibo de predial",
        "Costo: $ 120.00",
        "Por predio",
        "Horario: Lunes a viernes, 9 a 17 h",
        "Dónde: Palacio Municipal (demostración)",
        "Fundamento: Ley de demostración, art. 1",
        "[http://example.test/t]",
    ):
        assert wanted in text
    assert "[ ] Último recibo" not in text


def test_a_tramite_without_requirements_says_so() -> None:
    bare = replace(TRAMITE, requirements=(), legal_basis=())
    text = text_of(papers.requisitos(settings_with(), spanish, tramite=bare, url="u"))
    assert "No necesita llevar documentos." in text


def test_what_to_bring_for_a_benefit_comes_from_the_city_or_from_the_general_list() -> None:
    general = text_of(papers.requisitos_beneficio(settings_with(), spanish, clave=CLAVE))
    assert "[ ] Identificación oficial vigente del titular" in general
    assert "puede perder el descuento" in general
    own = settings_with(city={"registered_benefits_note": "Una cosa; Otra cosa;"})
    text = text_of(papers.requisitos_beneficio(own, spanish))
    assert "[ ] Una cosa" in text
    assert "[ ] Otra cosa" in text
    assert "Identificación" not in text


def test_an_english_receipt_keeps_the_legal_words_in_spanish(english: Gettext) -> None:
    paper = recibo(settings_with(), english, language="en", copy=1)
    text = text_of(paper)
    for wanted in ("PROVISIONAL RECEIPT", "COPY 1", "2026-01-20 10:42 (UTC-6)", "2026 Tax: 1,245.00",
                   "MIL NOVENTA Y CINCO PESOS 60/100 M.N.", "Keep this receipt."):  # fmt: skip
        assert wanted in text
    assert paper.language == "en"


def test_the_security_text_depends_on_every_character_of_the_code() -> None:
    first = papers.cadena_de_seguridad("COA007-P1-000123-A.109560.20260120.sig")
    assert first == papers.cadena_de_seguridad("COA007-P1-000123-A.109560.20260120.sig")
    assert first != papers.cadena_de_seguridad("COA007-P1-000123-A.109561.20260120.sig")
    assert [len(group) for group in first.split("-")] == [4, 4, 4, 4, 4]


def test_the_verification_address_may_differ_from_the_api() -> None:
    settings = settings_with(central={"verify_url": "https://verifica.example/"})
    assert papers.verification_url(settings, "CODE") == "https://verifica.example/r/CODE"
