"""Walks through every screen without a display: what a person sees, may press, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import cast

import pytest

from kiosk.flow import Screen
from kiosk.language import ENGLISH
from kiosk.presenters.home import HomePresenter
from kiosk.presenters.views import (
    BenefitPhase,
    CardPhase,
    DebtState,
    FolioPhase,
    PasePhase,
    PayOutcome,
    PrintPhase,
    ReportStep,
)
from kiosk.simulated_city import (
    CLAVE,
    CLAVE_UP_TO_DATE,
    CLAVE_WITH_BENEFIT,
    MemoryCatalogue,
    debt,
    sign,
)
from kiosk.simulated_kiosk import SimulatedKiosk, World
from kiosk.simulators import MemorySealer
from municipio.clock import TimeQuality
from municipio.devices import ChargeState, DeviceState, PrintVerdict
from municipio.payments import PaymentState
from municipio.stick_words import StickState, Trip
from municipio.usecases.ports import AlreadyPaid, CityFolio, NotRecordedCause, TramiteHit


@pytest.fixture
def kiosk() -> SimulatedKiosk:
    return SimulatedKiosk()


def type_clave(kiosk: SimulatedKiosk, clave: str) -> None:
    kiosk.tap("home.predial")
    kiosk.type(clave, "predial.key")
    kiosk.tap("predial.continue")


def see_debt(kiosk: SimulatedKiosk, clave: str = CLAVE) -> None:
    type_clave(kiosk, clave)
    if kiosk.screen is Screen.PREDIAL_BENEFICIO:
        kiosk.tap("beneficio.no")


def pay(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.tap("pay.card", "card.charge")
    kiosk.tick()


def fill_report(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte", "reporte.service.bache", "reporte.colonia.1")
    kiosk.type("chabacano 7")
    kiosk.tap("reporte.next")
    kiosk.type("hay un hoyo")
    kiosk.tap("reporte.next", "reporte.next")


# --- first screen -------------------------------------------------------------------------------


def test_the_first_screen_says_how_far_a_usb_stick_is(kiosk: SimulatedKiosk) -> None:
    trip: list[Trip | None] = [Trip(StickState.WORKING, "facts", 3, 10)]
    cast(HomePresenter, kiosk.presenters[Screen.HOME]).follow_stick(lambda: trip[0])
    kiosk.tick(2)
    notice = kiosk.view.offer_notice
    assert notice.text == "Memoria USB: copia 3 de 10 datos. No la saque."
    assert notice.text in kiosk.view.speech
    assert kiosk.view.offer is None
    trip[0] = Trip(StickState.FULL, facts=10)
    kiosk.tick(2)
    assert "se llenó" in kiosk.view.offer_notice.text
    trip[0] = None
    kiosk.tick(2)
    assert kiosk.view.offer_notice is None


def test_the_first_screen_has_four_choices_and_four_helpers(kiosk: SimulatedKiosk) -> None:
    assert [c.id for c in kiosk.view.choices] == [
        "home.tramites", "home.predial", "home.reporte", "home.mas",
    ]  # fmt: skip
    assert [a.id for a in kiosk.view.bar] == [
        "bar.folio", "bar.help", "bar.emergency", "bar.language",
    ]  # fmt: skip
    assert all(c.label and c.detail and c.icon for c in kiosk.view.choices)


@pytest.mark.parametrize(
    ("id", "screen"),
    [
        ("home.tramites", Screen.TRAMITES),
        ("home.predial", Screen.PREDIAL_CLAVE),
        ("home.reporte", Screen.REPORTE),
        ("home.mas", Screen.MAS_SERVICIOS),
        ("bar.folio", Screen.FOLIO),
        ("bar.help", Screen.AYUDA),
        ("bar.emergency", Screen.EMERGENCIAS),
    ],
)
def test_each_choice_opens_its_screen_and_back_returns(
    kiosk: SimulatedKiosk, id: str, screen: Screen
) -> None:
    kiosk.tap(id)
    assert kiosk.screen is screen
    kiosk.tap("bar.back")
    assert kiosk.screen is Screen.HOME


def test_every_view_speaks_and_its_focus_ids_are_unique(kiosk: SimulatedKiosk) -> None:
    for screen, presenter in kiosk.presenters.items():
        ids = [item.id for item in presenter.view.focus]
        assert len(ids) == len(set(ids)), screen
        assert presenter.view.screen is screen
        assert screen is Screen.IMPRIMIENDO or presenter.view.speech.strip(), screen
        assert all(item.speech for item in presenter.view.focus), screen


def test_the_language_button_names_the_other_language_and_switches(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("bar.language")
    assert kiosk.words.code == ENGLISH
    assert kiosk.view.bar[3].label == "Español"


def test_without_a_voice_the_language_takes_the_place_of_listening() -> None:
    kiosk = SimulatedKiosk(voice=False)
    kiosk.tap("bar.help")
    assert [a.id for a in kiosk.view.bar] == [
        "bar.back", "bar.restart", "bar.help", "bar.language",
    ]  # fmt: skip
    assert not any("Escuchar" in p for p in kiosk.view.paragraphs)


def test_a_wipe_brings_back_the_first_language(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("bar.language")
    kiosk.wait(70)
    assert kiosk.words.code == "es_MX"


# --- trámites -----------------------------------------------------------------------------------


def test_tramites_start_with_the_most_consulted_and_seven_life_events(
    kiosk: SimulatedKiosk,
) -> None:
    kiosk.tap("home.tramites")
    assert kiosk.view.heading == "Lo más consultado"
    assert len(kiosk.view.categories) == 7
    assert len(kiosk.view.results) == 3


class WatchedCatalogue(MemoryCatalogue):
    """A city without trámites, whose kiosk is looked at while it is asked for them."""

    look: Callable[[], None]

    def most_consulted(self, limit: int = 6) -> tuple[TramiteHit, ...]:
        self.look()
        return ()


def test_before_a_slow_search_has_answered_nobody_is_told_that_there_is_nothing() -> None:
    catalogue, shown = WatchedCatalogue(), list[str]()
    kiosk = SimulatedKiosk(World(catalogue=catalogue))
    catalogue.look = lambda: shown.append(kiosk.view.empty_text)
    kiosk.tap("home.tramites")

    assert shown == ["Buscando…"]
    assert kiosk.view.empty_text == "Todavía no hay trámites en este kiosco."


def test_search_answers_with_every_key(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.search")
    kiosk.type("licen")
    assert kiosk.view.query == "licen"
    assert [r.name for r in kiosk.view.results] == ["Licencia de funcionamiento"]


def test_the_keyboard_is_put_away_and_the_results_stay(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.search")
    kiosk.type("resid")
    kiosk.tap("key.done")
    assert not kiosk.view.keyboard_open
    assert [r.name for r in kiosk.view.results] == ["Constancia de residencia"]


def test_a_search_without_results_says_what_to_do(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.search")
    kiosk.type("zzz")
    assert kiosk.view.results == ()
    assert "otra palabra" in kiosk.view.empty_text


def test_a_life_event_pressed_again_lets_go(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.category.legal")
    assert [r.name for r in kiosk.view.results] == ["Constancia de residencia"]
    kiosk.tap("tramites.category.legal")
    assert kiosk.view.heading == "Lo más consultado"


def test_a_card_prints_its_requirements_without_a_trace(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.open.COA-T-TES-ING-1")
    assert kiosk.view.requirements[0].name == "Identificación oficial"
    assert kiosk.view.requirements[1].held
    kiosk.tap("tramite.print")
    assert kiosk.view.phase is PrintPhase.PRINTED
    assert "Constancia de no adeudo predial" in kiosk.world.printer.papers[0]
    assert kiosk.world.ledger.facts == []
    assert kiosk.world.ledger.jobs == {}


def test_without_a_printer_the_card_offers_the_code(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.state = DeviceState.UNKNOWN
    kiosk.tap("home.tramites", "tramites.open.COA-T-TES-ING-1")
    assert not kiosk.view.print_action.enabled
    assert "no responde" in kiosk.view.notice.text
    assert kiosk.view.qr.startswith("http")


def test_the_print_button_follows_the_printer_while_the_card_is_up(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.open.COA-T-TES-ING-1")
    printer = kiosk.world.printer
    seen = [kiosk.view.print_action.enabled]
    for state, cause in [
        (DeviceState.ATTENTION, "paper_end"),
        (DeviceState.READY, ""),
        (DeviceState.ABSENT, "no_answer"),
        (DeviceState.READY, ""),
    ]:
        printer.state, printer.cause = state, cause
        kiosk.wait(2)
        seen.append(kiosk.view.print_action.enabled)
        assert (kiosk.view.notice is None) is kiosk.view.print_action.enabled

    assert seen == [True, False, True, False, True]


@pytest.mark.parametrize("screen", ["debt", "pay.card", "pay.pase"])
def test_every_screen_of_a_debt_tells_of_the_printer_as_it_is_now(
    kiosk: SimulatedKiosk, screen: str
) -> None:
    see_debt(kiosk)
    if screen != "debt":
        kiosk.tap(screen)
    kiosk.wait(2)
    before = [n.icon for n in kiosk.view.notices]
    kiosk.world.printer.state, kiosk.world.printer.cause = DeviceState.ATTENTION, "paper_end"
    kiosk.wait(2)
    without = [n.icon for n in kiosk.view.notices]
    kiosk.world.printer.state, kiosk.world.printer.cause = DeviceState.READY, ""
    kiosk.wait(2)

    assert "printer" not in before
    assert "printer" in without
    assert [n.icon for n in kiosk.view.notices] == before


def test_a_copy_is_offered_only_while_the_printer_can_print_it(kiosk: SimulatedKiosk) -> None:
    pay(kiosk)
    kiosk.world.terminal.present()
    kiosk.tick()
    [folio] = kiosk.world.ledger.stubs
    kiosk.tap("print.done")
    kiosk.tap("bar.folio")
    kiosk.type(folio)
    kiosk.tap("folio.look")
    copy = kiosk.view.actions[0]
    assert (copy.id, copy.enabled) == ("folio.copy", True)
    kiosk.world.printer.state, kiosk.world.printer.cause = DeviceState.ATTENTION, "paper_end"
    kiosk.wait(2)
    assert not kiosk.view.actions[0].enabled
    assert kiosk.view.notice is not None


# --- predial: clave -----------------------------------------------------------------------------


def test_a_clave_is_shown_in_the_masks_groups_while_typed(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    kiosk.type("062000", "predial.key")
    assert kiosk.view.formatted == "06-200-0"
    assert kiosk.view.formatted + kiosk.view.placeholder == "06-200-000-00-000-000-00-000-0"


@pytest.mark.parametrize(
    ("length", "enabled"),
    [(0, False), (15, False), (16, True), (17, True), (18, False), (22, True)],
)
def test_only_lengths_that_exist_may_continue(
    kiosk: SimulatedKiosk, length: int, enabled: bool
) -> None:
    kiosk.tap("home.predial")
    kiosk.type("0" * length, "predial.key")
    assert kiosk.view.continue_action.enabled is enabled


def test_a_23rd_digit_cannot_be_typed(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    kiosk.type("1" * 22, "predial.key")
    with pytest.raises(LookupError):
        kiosk.tap("predial.key.1")
    kiosk.tap("predial.key.erase")
    assert "21" in kiosk.view.counter


def test_an_unknown_clave_is_said_plainly(kiosk: SimulatedKiosk) -> None:
    type_clave(kiosk, "9" * 22)
    assert kiosk.screen is Screen.PREDIAL_CLAVE
    assert "No encontramos esa clave" in kiosk.view.problem


def test_look_ups_are_limited_per_person(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    kiosk.type("9" * 22, "predial.key")
    for _ in range(6):
        kiosk.tap("predial.continue")
    assert "No encontramos" in kiosk.view.problem
    kiosk.tap("predial.continue")
    assert "muchas consultas" in kiosk.view.problem


# --- predial: benefit and debt ------------------------------------------------------------------


def test_the_benefit_question_comes_only_when_none_is_registered(kiosk: SimulatedKiosk) -> None:
    type_clave(kiosk, CLAVE_WITH_BENEFIT)
    assert kiosk.screen is Screen.PREDIAL_ADEUDO
    kiosk.tap("bar.restart")
    type_clave(kiosk, CLAVE)
    assert kiosk.screen is Screen.PREDIAL_BENEFICIO
    assert len(kiosk.view.groups) == 4


def test_a_yes_warns_and_prints_what_to_bring_but_grants_nothing(kiosk: SimulatedKiosk) -> None:
    type_clave(kiosk, CLAVE)
    kiosk.tap("beneficio.yes")
    assert kiosk.view.phase is BenefitPhase.WHAT_TO_BRING
    assert "perder el descuento" in kiosk.view.warning.text
    assert kiosk.view.bring
    kiosk.tap("beneficio.pay_anyway")
    assert kiosk.view.total == "$ 3,032.41"


def test_the_debt_is_shown_by_year_with_masked_owner_and_validity(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    view = kiosk.view
    assert view.state is DebtState.DUE
    assert [(r.year, r.amount) for r in view.rows] == [
        ("2025", "$ 1,662.91"), ("2026", "$ 1,369.50"),
    ]  # fmt: skip
    assert view.owner == "M. L. H. · Chabacano, Iquisa"
    assert view.clave == "06-200-001-01-023-005-00-000-7"
    assert view.total_label == "Total al 20 de enero de 2026"
    assert view.validity == "Válido hasta el 31 de enero de 2026"
    assert [(w.id, w.enabled) for w in view.ways] == [("pay.card", True), ("pay.pase", True)]
    assert view.notices == ()
    assert "3032 pesos con 41 centavos" in view.speech


def test_off_line_the_card_is_refused_before_it_starts_and_says_why(kiosk: SimulatedKiosk) -> None:
    kiosk.world.cut_network()
    see_debt(kiosk)
    card, pase = kiosk.view.ways
    assert not card.enabled
    assert "Sin conexión" in card.detail
    assert pase.enabled
    assert pase.primary


def test_a_silent_terminal_disables_the_card(kiosk: SimulatedKiosk) -> None:
    kiosk.world.terminal.silent = True
    see_debt(kiosk)
    assert not kiosk.view.ways[0].enabled
    assert "terminal" in kiosk.view.ways[0].detail


def test_an_old_snapshot_warns_not_to_pay_twice(kiosk: SimulatedKiosk) -> None:
    kiosk.world.cut_network()
    kiosk.world.catalogue.dated = date(2026, 1, 18)
    see_debt(kiosk)
    assert kiosk.view.notices[0].text == "Si ya pagó en otro lugar, no pague otra vez."


def test_the_citys_fresh_answer_replaces_the_snapshot(kiosk: SimulatedKiosk) -> None:
    kiosk.world.catalogue.dated = date(2026, 1, 18)
    kiosk.world.city.liquidaciones[CLAVE] = AlreadyPaid(CLAVE, "2026-01-19", "COA001-P1-000009-8")
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.ALREADY_PAID
    assert "19 de enero de 2026" in kiosk.view.message
    assert kiosk.view.ways == ()


def test_an_answer_with_a_bad_signature_changes_nothing(kiosk: SimulatedKiosk) -> None:
    signed = sign(debt(CLAVE, id="OTRA"))
    kiosk.world.city.liquidaciones[CLAVE] = type(signed)(
        signed.liquidacion, signed.payload, b"forged"
    )
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.DUE
    kiosk.tap("pay.card")
    assert kiosk.view.outcome is PayOutcome.NO_ANSWER
    assert kiosk.world.terminal.started == []


def test_an_up_to_date_property_is_told_so(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk, CLAVE_UP_TO_DATE)
    assert kiosk.view.state is DebtState.UP_TO_DATE
    assert kiosk.view.headline == "Su predio está al corriente"


def test_an_expired_amount_is_not_shown_as_a_debt(kiosk: SimulatedKiosk) -> None:
    kiosk.world.cut_network()
    kiosk.world.expire(CLAVE)
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.EXPIRED
    assert kiosk.view.total == ""
    kiosk.tap("pay.ficha")
    assert "FICHA DE CONSULTA" in kiosk.world.printer.papers[0]


def test_a_forged_liquidacion_shows_nothing_and_names_the_phone(kiosk: SimulatedKiosk) -> None:
    kiosk.world.cut_network()
    good = kiosk.world.catalogue.liquidaciones[CLAVE]
    kiosk.world.catalogue.liquidaciones[CLAVE] = type(good)(good.liquidacion, good.payload, b"x")
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.BAD_SIGNATURE
    assert "921" in kiosk.view.message
    assert kiosk.view.rows == ()


@pytest.mark.parametrize("quality", [TimeQuality.FLOOR, TimeQuality.UNKNOWN])
def test_without_a_sure_date_only_a_ficha_is_printed(
    kiosk: SimulatedKiosk, quality: TimeQuality
) -> None:
    kiosk.world.clock.quality = quality
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.TIME_UNSURE
    assert kiosk.view.ways == ()
    assert any("no está seguro de la fecha" in n.text for n in kiosk.view.notices)
    kiosk.tap("pay.ficha")
    paper = kiosk.world.printer.papers[0]
    assert "FICHA DE CONSULTA" in paper
    assert "Referencia" not in paper


# --- card ---------------------------------------------------------------------------------------


def test_a_card_needs_a_second_press_and_ends_in_a_receipt(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.tap("pay.card")
    assert kiosk.view.phase is CardPhase.CONFIRM
    assert kiosk.world.terminal.started == []
    kiosk.tap("card.charge")
    assert kiosk.view.phase is CardPhase.AT_TERMINAL
    assert kiosk.view.busy
    kiosk.world.terminal.present()
    kiosk.tick()
    assert kiosk.screen is Screen.IMPRIMIENDO
    assert kiosk.view.phase is PrintPhase.PRINTED
    assert kiosk.world.ledger.types() == [
        "payment.intended", "payment.taken", "receipt.printed",
    ]  # fmt: skip
    assert "$ 3,032.41" in kiosk.world.printer.papers[0]


def test_while_the_card_is_charged_nobody_is_timed_out_or_led_away(kiosk: SimulatedKiosk) -> None:
    pay(kiosk)
    kiosk.wait(100)
    assert kiosk.screen is Screen.PAGO_TARJETA
    with pytest.raises(LookupError):
        kiosk.tap("bar.back")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(ChargeState.DECLINED, PayOutcome.DECLINED), (ChargeState.EXPIRED, PayOutcome.CANCELLED)],
)
def test_a_refused_card_says_that_nothing_was_charged(
    kiosk: SimulatedKiosk, answer: ChargeState, outcome: PayOutcome
) -> None:
    kiosk.world.terminal.then = answer
    pay(kiosk)
    kiosk.world.terminal.present()
    kiosk.tick()
    assert kiosk.view.outcome is outcome
    assert "No se cobró nada" in kiosk.view.text
    kiosk.tap("result.retry")
    assert kiosk.view.phase is CardPhase.CONFIRM


def test_a_retry_after_a_late_approval_charges_nothing_and_offers_the_first_receipt(
    kiosk: SimulatedKiosk,
) -> None:
    terminal = kiosk.world.terminal
    pay(kiosk)
    terminal.then = ChargeState.EXPIRED
    terminal.present()
    kiosk.tick()
    folio = kiosk.view.folio
    terminal.approve_late(terminal.started[0])
    kiosk.tap("result.retry", "card.charge")
    assert (kiosk.view.outcome, kiosk.view.folio) == (PayOutcome.ALREADY_PAID, folio)
    kiosk.tap("result.done")
    kiosk.tick(3)
    assert kiosk.view.offer is not None
    assert len(terminal.started) == 1


def test_the_person_can_cancel_at_the_terminal(kiosk: SimulatedKiosk) -> None:
    pay(kiosk)
    kiosk.tap("card.cancel")
    kiosk.tick()
    assert kiosk.view.outcome is PayOutcome.CANCELLED


def test_a_terminal_that_falls_silent_gives_a_folio_and_never_a_second_charge(
    kiosk: SimulatedKiosk,
) -> None:
    pay(kiosk)
    kiosk.world.terminal.silent = True
    kiosk.wait(20)
    assert kiosk.view.outcome is PayOutcome.UNKNOWN
    assert kiosk.view.headline == "No sabemos si el banco cobró"
    assert kiosk.view.folio.startswith("COA007-P1-")
    kiosk.tap("result.print_notice")
    assert "PAGO EN VERIFICACIÓN" in kiosk.world.printer.papers[0]
    kiosk.tap("print.done")
    kiosk.world.terminal.silent = False
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.IN_VERIFICATION
    assert len(kiosk.world.terminal.started) == 1


def test_a_person_who_never_presents_a_card_is_not_charged_later(kiosk: SimulatedKiosk) -> None:
    pay(kiosk)
    kiosk.wait(125)
    assert kiosk.view.outcome is PayOutcome.CANCELLED
    assert kiosk.world.terminal.money_taken() == 0


def test_a_city_that_does_not_answer_means_no_charge_but_a_pase(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.world.city.offline = True
    kiosk.tap("pay.card")
    assert kiosk.view.outcome is PayOutcome.NO_ANSWER
    assert kiosk.world.ledger.facts == []
    kiosk.tap("result.pase")
    assert kiosk.screen is Screen.PASE_DE_CAJA


def test_paid_elsewhere_meanwhile_stops_before_the_terminal(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.world.city.liquidaciones[CLAVE] = AlreadyPaid(CLAVE, "2026-01-20")
    kiosk.tap("pay.card")
    assert kiosk.view.outcome is PayOutcome.ALREADY_PAID
    assert kiosk.world.terminal.started == []


def test_a_full_disk_means_no_charge(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.tap("pay.card")
    kiosk.world.ledger.refuse = NotRecordedCause.DISK_FULL
    kiosk.tap("card.charge")
    assert kiosk.view.outcome is PayOutcome.NOT_SAVED
    assert kiosk.view.headline == "No pudimos guardar su pago"
    assert kiosk.world.terminal.started == []


def test_an_approval_that_cannot_be_saved_is_saved_later_and_charged_once(
    kiosk: SimulatedKiosk,
) -> None:
    pay(kiosk)
    kiosk.world.ledger.refuse = NotRecordedCause.DISK_FULL
    kiosk.world.terminal.present()
    kiosk.tick()
    assert kiosk.view.outcome is PayOutcome.TAKEN_NOT_SAVED
    assert "No vuelva a pagar" in kiosk.view.emphasis
    kiosk.world.ledger.refuse = None
    kiosk.tap("result.done")
    kiosk.tick(3)
    assert kiosk.view.offer is not None
    assert "payment.taken" in kiosk.world.ledger.types()


def test_killed_at_the_terminal_it_asks_charges_once_and_offers_the_receipt(
    kiosk: SimulatedKiosk,
) -> None:
    pay(kiosk)
    kiosk.restart()
    assert kiosk.view.offer is None
    kiosk.world.terminal.present()
    kiosk.tick(3)
    assert "falta su recibo" in kiosk.view.offer_notice.text
    kiosk.tap("home.receipt")
    assert kiosk.view.phase is PrintPhase.PRINTED
    kiosk.tap("print.done")
    kiosk.tick(3)
    assert kiosk.view.offer is None
    assert len(kiosk.world.terminal.started) == 1
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.ALREADY_PAID


# --- paper --------------------------------------------------------------------------------------


def test_paper_out_offers_a_retry_that_is_still_the_original(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.verdict, kiosk.world.printer.cause = PrintVerdict.FAILED, "paper_end"
    pay(kiosk)
    kiosk.world.terminal.present()
    kiosk.tick()
    assert kiosk.view.phase is PrintPhase.FAILED
    assert "no tiene papel" in kiosk.view.status
    assert kiosk.view.folio
    assert kiosk.view.details
    kiosk.world.printer.verdict = PrintVerdict.PRINTED
    folio = kiosk.view.folio
    kiosk.tap("print.retry")
    assert kiosk.world.printer.originals_of(folio) == 1


def test_an_unconfirmed_print_asks_and_the_next_is_a_copy(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.verdict = PrintVerdict.UNKNOWN
    pay(kiosk)
    kiosk.world.terminal.present()
    kiosk.tick()
    assert kiosk.view.question == "¿Salió completo su papel?"
    folio = kiosk.view.folio
    kiosk.world.printer.verdict = PrintVerdict.PRINTED
    kiosk.tap("print.whole_no")
    assert kiosk.view.status == "Tome su copia 1."
    assert "COPIA 1" in kiosk.world.printer.papers[1]
    assert kiosk.world.printer.originals_of(folio) == 1
    assert kiosk.world.ledger.types()[-2:] == ["receipt.unknown", "receipt.reprinted"]


def test_a_person_who_holds_the_paper_settles_the_unknown(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.verdict = PrintVerdict.UNKNOWN
    pay(kiosk)
    kiosk.world.terminal.present()
    kiosk.tick()
    kiosk.tap("print.whole_yes")
    assert kiosk.view.phase is PrintPhase.PRINTED
    [payment] = kiosk.world.ledger.payments.values()
    assert payment.state is PaymentState.RECEIPTED
    assert kiosk.world.ledger.facts[-1].data["confirmed_by"] == "person"


# --- pase de caja -------------------------------------------------------------------------------


def test_off_line_a_pase_is_numbered_printed_and_due_with_its_liquidacion(
    kiosk: SimulatedKiosk,
) -> None:
    kiosk.world.cut_network()
    see_debt(kiosk)
    kiosk.tap("pay.pase")
    assert kiosk.view.phase is PasePhase.READY
    assert "31 de enero de 2026" in kiosk.view.due
    assert [r.label for r in kiosk.view.where] == ["Banco BBVA", "OXXO"]
    assert kiosk.world.ledger.facts == []
    kiosk.tap("pase.print")
    assert kiosk.view.phase is PrintPhase.PRINTED
    assert kiosk.world.ledger.types() == ["payment.pase_issued"]
    assert kiosk.world.ledger.facts[0].data["due"] == "2026-01-31"
    assert "PASE DE CAJA" in kiosk.world.printer.papers[0]


def test_without_paper_the_references_are_on_the_screen(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.verdict, kiosk.world.printer.cause = PrintVerdict.FAILED, "paper_end"
    see_debt(kiosk)
    kiosk.tap("pay.pase", "pase.print")
    assert kiosk.view.phase is PrintPhase.FAILED
    assert any(r.label == "OXXO" and len(r.value) == 25 for r in kiosk.view.details)


def test_a_full_disk_gives_no_pase(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.tap("pay.pase")
    kiosk.world.ledger.refuse = NotRecordedCause.DISK_FULL
    kiosk.tap("pase.print")
    assert kiosk.screen is Screen.AVISO
    assert kiosk.view.headline == "No pudimos guardar lo que hizo"
    assert kiosk.world.printer.papers == []


# --- report and folio ---------------------------------------------------------------------------


def test_a_report_is_filed_sealed_and_printed_with_a_provisional_folio(
    kiosk: SimulatedKiosk,
) -> None:
    fill_report(kiosk)
    assert kiosk.view.stage is ReportStep.REVIEW
    assert ("Colonia", "Iquisa") in [(r.label, r.value) for r in kiosk.view.review]
    kiosk.tap("reporte.send")
    assert kiosk.view.folio.startswith("COA007-R1-000001-")
    [fact] = kiosk.world.ledger.facts
    assert fact.data["service_code"] == "bache"
    assert fact.data["colonia"] == "Iquisa"
    assert "chabacano" not in str({k: v for k, v in fact.data.items() if k != "sealed"}).casefold()
    assert b"Chabacano 7" in MemorySealer.open(fact.data["sealed"])
    assert "REPORTE CIUDADANO" in kiosk.world.printer.papers[0]


def test_a_step_without_its_answer_says_what_is_missing(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte", "reporte.service.bache", "reporte.colonia.0", "reporte.next")
    assert kiosk.view.stage is ReportStep.STREETS
    assert "calle" in kiosk.view.problem


def test_each_step_of_a_report_has_the_answers_of_the_steps_before_it(
    kiosk: SimulatedKiosk,
) -> None:
    kiosk.tap("home.reporte")
    assert kiosk.view.answered == ()
    kiosk.tap("reporte.service.bache")
    assert [row.label for row in kiosk.view.answered] == ["Reporte"]
    kiosk.tap("reporte.colonia.0")
    assert [row.label for row in kiosk.view.answered] == ["Reporte", "Colonia"]


def test_the_first_screen_names_the_network_for_whoever_walks_by(kiosk: SimulatedKiosk) -> None:
    heading, sentence = kiosk.view.wifi
    assert heading == "Wi-Fi gratis"
    assert kiosk.settings.text("portal.ssid") in sentence


def test_back_walks_the_steps_before_it_leaves(kiosk: SimulatedKiosk) -> None:
    fill_report(kiosk)
    seen = []
    for _ in range(6):
        seen.append(kiosk.view.stage if kiosk.screen is Screen.REPORTE else kiosk.screen)
        kiosk.tap("bar.back")
    assert seen[0] is ReportStep.REVIEW
    assert all(a is not b for a, b in pairwise(seen))
    assert kiosk.screen is Screen.HOME


def test_a_phone_needs_consent_and_the_notice_is_shown_first(kiosk: SimulatedKiosk) -> None:
    fill_report(kiosk)
    kiosk.tap("bar.back")
    assert kiosk.view.stage is ReportStep.PHONE
    assert kiosk.view.privacy
    kiosk.type("9210000000")
    kiosk.tap("reporte.next")
    assert "permiso" in kiosk.view.problem
    kiosk.tap("reporte.consent", "reporte.next", "reporte.send")
    [fact] = kiosk.world.ledger.facts
    assert b"9210000000" in MemorySealer.open(fact.data["sealed"])


def test_accents_can_be_typed(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte", "reporte.service.bache")
    kiosk.tap("reporte.field.colonia")
    kiosk.type("m")
    kiosk.tap("key.accent", "key.e", "key.x")
    assert kiosk.view.fields[0].value == "Méx"
    assert [o.label for o in kiosk.view.options] == ["Puerto México"]


def test_a_report_that_cannot_be_saved_is_not_lost_from_the_screen(kiosk: SimulatedKiosk) -> None:
    fill_report(kiosk)
    kiosk.world.ledger.refuse = NotRecordedCause.DISK_FULL
    kiosk.tap("reporte.send")
    assert kiosk.screen is Screen.AVISO
    assert "No pudimos guardar" in kiosk.view.headline
    assert kiosk.world.printer.papers == []


def test_without_the_offices_key_no_report_is_asked_for(kiosk: SimulatedKiosk) -> None:
    kiosk.world.catalogue.keys = ()
    kiosk.tap("home.reporte")
    assert "no podemos recibir reportes" in kiosk.view.question
    assert kiosk.view.options == ()


def test_a_folio_is_found_here_while_the_city_is_out_of_reach(kiosk: SimulatedKiosk) -> None:
    fill_report(kiosk)
    kiosk.tap("reporte.send")
    folio = kiosk.view.folio
    kiosk.tap("print.done")
    kiosk.world.cut_network()
    kiosk.tap("bar.folio")
    kiosk.type(folio)
    kiosk.tap("folio.look")
    assert kiosk.view.phase is FolioPhase.FOUND
    assert ("Estado", "Recibido en el kiosco") in [(r.label, r.value) for r in kiosk.view.rows]
    assert "no respondió" in kiosk.view.notice.text


def test_a_mistyped_folio_is_caught_by_its_check_character(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("bar.folio")
    kiosk.type("COA007-R1-000001-A")
    kiosk.tap("folio.look")
    assert kiosk.view.phase is FolioPhase.ENTRY
    assert kiosk.view.problem


def receipt_by_folio(kiosk: SimulatedKiosk, folio: str) -> None:
    kiosk.tap("bar.folio")
    kiosk.type(folio)
    kiosk.tap("folio.look")


def paid_folio(kiosk: SimulatedKiosk) -> str:
    pay(kiosk)
    kiosk.world.terminal.present()
    kiosk.tick()
    folio = str(kiosk.view.folio)
    kiosk.tap("print.done")
    return folio


def test_a_printed_receipt_comes_again_as_a_copy_with_its_folio(kiosk: SimulatedKiosk) -> None:
    folio = paid_folio(kiosk)
    receipt_by_folio(kiosk, folio)
    kiosk.tap("folio.copy")
    assert kiosk.view.status == "Tome su copia 1."
    assert "COPIA 1" in kiosk.world.printer.papers[1]
    assert kiosk.world.printer.originals_of(folio) == 1


def test_no_receipt_comes_for_a_folio_that_two_people_have(kiosk: SimulatedKiosk) -> None:
    folio = paid_folio(kiosk)
    kiosk.world.city.folios[folio] = CityFolio(folio, "doble", "Acuda a ventanilla")
    receipt_by_folio(kiosk, folio)

    assert "Vaya a la ventanilla con su comprobante" in [row.value for row in kiosk.view.rows]
    assert "folio.copy" not in [action.id for action in kiosk.view.actions]


def test_a_receipt_that_never_came_out_is_an_original_by_folio(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.verdict, kiosk.world.printer.cause = PrintVerdict.FAILED, "paper_end"
    folio = paid_folio(kiosk)
    kiosk.world.printer.verdict, kiosk.world.printer.cause = PrintVerdict.PRINTED, ""
    kiosk.world.clock.quality = TimeQuality.UNKNOWN
    receipt_by_folio(kiosk, folio)
    kiosk.tap("folio.copy")
    assert kiosk.world.printer.originals_of(folio) == 1
    assert "COPIA" not in kiosk.world.printer.papers[0]


@pytest.mark.parametrize(("hours", "offered"), [(24, True), (25, False)])
def test_a_copy_is_for_a_day(kiosk: SimulatedKiosk, hours: int, offered: bool) -> None:
    folio = paid_folio(kiosk)
    kiosk.world.clock.pass_time(hours=hours)
    receipt_by_folio(kiosk, folio)
    assert ("folio.copy" in [a.id for a in kiosk.view.actions]) is offered


def test_a_copy_needs_a_clock_that_is_believed(kiosk: SimulatedKiosk) -> None:
    folio = paid_folio(kiosk)
    kiosk.world.clock.quality = TimeQuality.UNKNOWN
    receipt_by_folio(kiosk, folio)
    assert "folio.copy" not in [a.id for a in kiosk.view.actions]


# --- around -------------------------------------------------------------------------------------


def test_more_services_reads_and_returns_to_its_menu(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.mas", "mas.privacidad")
    assert kiosk.view.reading
    assert kiosk.view.paragraphs
    kiosk.tap("bar.back")
    assert kiosk.screen is Screen.MAS_SERVICIOS
    assert kiosk.view.choices


def test_emergencies_always_name_911(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("bar.emergency")
    assert kiosk.view.main_number == "911"
    assert len(kiosk.view.phones) == 1


def test_out_of_service_offers_nothing_but_its_phone(kiosk: SimulatedKiosk) -> None:
    kiosk.flow.go(Screen.FUERA_DE_SERVICIO)
    assert "921" in kiosk.view.phone
    assert [a.id for a in kiosk.view.bar] == ["bar.listen"]


def test_an_idle_person_is_wiped_from_every_presenter(kiosk: SimulatedKiosk) -> None:
    fill_report(kiosk)
    kiosk.wait(70)
    assert kiosk.screen is Screen.HOME
    assert "chabacano" not in str([p.view for p in kiosk.presenters.values()]).casefold()
    kiosk.tap("home.reporte")
    assert kiosk.view.stage is ReportStep.SERVICE


def test_the_clave_is_gone_after_a_wipe(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.wait(70)
    assert "06-200-001" not in str([p.view for p in kiosk.presenters.values()])


def test_a_day_later_the_day_limit_starts_again(kiosk: SimulatedKiosk) -> None:
    kiosk.world.clock.moment += timedelta(days=1)
    type_clave(kiosk, "9" * 22)
    assert "No encontramos" in kiosk.view.problem
