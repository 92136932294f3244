"""Every screen of the kiosk in its states, reached by pressing what a person presses (all demostración)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from kiosk.flow import Screen
from kiosk.gallery_cash import CASH_PLAYS
from kiosk.gallery_puesta import PLAYS as PUESTA_PLAYS
from kiosk.gallery_tecnico import PLAYS as TECNICO_PLAYS
from kiosk.presenters.home import HomePresenter
from kiosk.simulated_city import CLAVE, CLAVE_UP_TO_DATE
from kiosk.simulated_kiosk import SimulatedKiosk
from municipio.clock import TimeQuality
from municipio.devices import ChargeState, DeviceState, PrintVerdict
from municipio.stick_words import StickState, Trip
from municipio.usecases.ports import AlreadyPaid, NotRecordedCause

Play = Callable[[SimulatedKiosk], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """A name for the picture and how a fresh kiosk comes there."""

    name: str
    play: Play


def _taps(*ids: str) -> Play:
    return lambda kiosk: kiosk.tap(*ids)


def _clave(kiosk: SimulatedKiosk, clave: str, *, go_on: bool = True) -> None:
    kiosk.tap("home.predial")
    kiosk.type(clave, "predial.key")
    if go_on:
        kiosk.tap("predial.continue")


def _debt(kiosk: SimulatedKiosk, clave: str = CLAVE) -> None:
    _clave(kiosk, clave)
    if kiosk.screen is Screen.PREDIAL_BENEFICIO:
        kiosk.tap("beneficio.no")


def _debt_offline(kiosk: SimulatedKiosk) -> None:
    kiosk.world.cut_network()
    _debt(kiosk)


def _home_saving(kiosk: SimulatedKiosk) -> None:
    kiosk.world.is_saving = True
    kiosk.tick(60)


def _debt_saving(kiosk: SimulatedKiosk) -> None:
    kiosk.world.is_saving = True
    _debt(kiosk)


def _saving_at_the_press(kiosk: SimulatedKiosk) -> None:
    _debt(kiosk)
    kiosk.tap("pay.card")
    kiosk.world.is_saving = True
    kiosk.tap("card.charge")


def _debt_time_unsure(kiosk: SimulatedKiosk) -> None:
    kiosk.world.clock.quality = TimeQuality.FLOOR
    _debt(kiosk)


def _debt_expired(kiosk: SimulatedKiosk) -> None:
    kiosk.world.cut_network()
    kiosk.world.expire(CLAVE)
    _debt(kiosk)


def _already_paid(kiosk: SimulatedKiosk) -> None:
    paid = AlreadyPaid(CLAVE, "2026-01-15", "COA003-P1-000044-8")
    kiosk.world.city.liquidaciones[CLAVE] = paid
    _debt(kiosk)


def _benefit(kiosk: SimulatedKiosk) -> None:
    _clave(kiosk, CLAVE)


def _benefit_papers(kiosk: SimulatedKiosk) -> None:
    _clave(kiosk, CLAVE)
    kiosk.tap("beneficio.yes")


def _card_confirm(kiosk: SimulatedKiosk) -> None:
    _debt(kiosk)
    kiosk.tap("pay.card")


def _at_terminal(kiosk: SimulatedKiosk) -> None:
    _card_confirm(kiosk)
    kiosk.tap("card.charge")
    kiosk.tick()


def _card_ends(state: ChargeState) -> Play:
    def play(kiosk: SimulatedKiosk) -> None:
        kiosk.world.terminal.then = state
        _at_terminal(kiosk)
        kiosk.world.terminal.present()
        kiosk.wait(2)

    return play


def _unknown(kiosk: SimulatedKiosk) -> None:
    _at_terminal(kiosk)
    kiosk.world.terminal.silent = True
    kiosk.wait(20)


def _end(kiosk: SimulatedKiosk, key: str) -> None:
    """The session ends, which brings Spanish back; the picture's language is chosen again."""
    code = kiosk.words.code
    kiosk.tap(key)
    kiosk.words.switch(code)


def _in_verification(kiosk: SimulatedKiosk) -> None:
    _unknown(kiosk)
    _end(kiosk, "result.done")
    _debt(kiosk)


def _printer_says(verdict: PrintVerdict, cause: str) -> Play:
    def play(kiosk: SimulatedKiosk) -> None:
        kiosk.world.printer.verdict, kiosk.world.printer.cause = verdict, cause
        _card_ends(ChargeState.APPROVED)(kiosk)

    return play


def _receipt_owed(kiosk: SimulatedKiosk) -> None:
    kiosk.world.terminal.then = ChargeState.APPROVED
    _at_terminal(kiosk)
    kiosk.world.terminal.present()
    kiosk.restart()
    kiosk.wait(3)


def _pase(kiosk: SimulatedKiosk) -> None:
    _debt(kiosk)
    kiosk.tap("pay.pase")


def _pase_printed(kiosk: SimulatedKiosk) -> None:
    _pase(kiosk)
    kiosk.tap("pase.print")


def _search(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.search")
    kiosk.type("con")


def _search_nothing(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites", "tramites.search")
    kiosk.type("zzz")


def _tramite(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.tramites")
    kiosk.tap(kiosk.view.results[0].id)


def _tramite_no_paper(kiosk: SimulatedKiosk) -> None:
    kiosk.world.printer.state, kiosk.world.printer.cause = DeviceState.ATTENTION, "paper_out"
    _tramite(kiosk)


def _report_streets(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte", "reporte.service.bache", "reporte.colonia.1")
    kiosk.type("chabacano 7")


def _report_colonia_typing(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte", "reporte.service.bache", "reporte.field.colonia")


def _report_streets_problem(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte", "reporte.service.bache", "reporte.colonia.0", "reporte.next")


def _report_description(kiosk: SimulatedKiosk) -> None:
    _report_streets(kiosk)
    kiosk.tap("reporte.next")
    kiosk.type("hay un hoyo")


def _report_phone(kiosk: SimulatedKiosk) -> None:
    _report_description(kiosk)
    kiosk.tap("reporte.next")


def _report_phone_problem(kiosk: SimulatedKiosk) -> None:
    _report_phone(kiosk)
    kiosk.type("9210000000")
    kiosk.tap("reporte.next")


def _report_review(kiosk: SimulatedKiosk) -> None:
    _report_phone(kiosk)
    kiosk.tap("reporte.next")


def _report_filed(kiosk: SimulatedKiosk) -> None:
    _report_review(kiosk)
    kiosk.tap("reporte.send")


def _report_not_saved(kiosk: SimulatedKiosk) -> None:
    _report_review(kiosk)
    kiosk.world.ledger.refuse = NotRecordedCause.DISK_FULL
    kiosk.tap("reporte.send")


def _folio(text: str) -> Play:
    def play(kiosk: SimulatedKiosk) -> None:
        kiosk.tap("bar.folio")
        kiosk.type(text)
        kiosk.tap("folio.look")

    return play


def _folio_found(kiosk: SimulatedKiosk) -> None:
    _report_filed(kiosk)
    folio = kiosk.view.folio
    _end(kiosk, "print.done")
    kiosk.world.cut_network()
    _folio(folio)(kiosk)


def _folio_copy(kiosk: SimulatedKiosk) -> None:
    _card_ends(ChargeState.APPROVED)(kiosk)
    folio = kiosk.view.folio
    _end(kiosk, "print.done")
    _folio(folio)(kiosk)


def _stick(trip: Trip) -> Play:
    def play(kiosk: SimulatedKiosk) -> None:
        cast(HomePresenter, kiosk.presenters[Screen.HOME]).follow_stick(lambda: trip)
        kiosk.tick(2)

    return play


def _out_of_service(kiosk: SimulatedKiosk) -> None:
    kiosk.flow.go(Screen.FUERA_DE_SERVICIO)


SCENES: tuple[Scene, ...] = (
    Scene("inicio", lambda _: None),
    Scene("inicio-recibo-pendiente", _receipt_owed),
    Scene("inicio-usb", _stick(Trip(StickState.WORKING, "facts", 1200, 3450))),
    Scene("inicio-usb-lista", _stick(Trip(StickState.DONE, facts=3450, files=12))),
    Scene("inicio-usb-llena", _stick(Trip(StickState.FULL, facts=2100))),
    Scene("tramites", _taps("home.tramites")),
    Scene("tramites-buscar", _search),
    Scene("tramites-sin-resultados", _search_nothing),
    Scene("tramite", _tramite),
    Scene("tramite-sin-papel", _tramite_no_paper),
    Scene("predial-clave", lambda k: _clave(k, CLAVE[:11], go_on=False)),
    Scene("predial-clave-vacia", _taps("home.predial")),
    Scene("predial-clave-desconocida", lambda k: _clave(k, "9" * 22)),
    Scene("predial-beneficio", _benefit),
    Scene("predial-beneficio-papeles", _benefit_papers),
    Scene("predial-adeudo", _debt),
    Scene("predial-adeudo-sin-conexion", _debt_offline),
    Scene("inicio-poca-energia", _home_saving),
    Scene("predial-adeudo-poca-energia", _debt_saving),
    Scene("pago-poca-energia", _saving_at_the_press),
    Scene("predial-adeudo-hora-dudosa", _debt_time_unsure),
    Scene("predial-adeudo-vencido", _debt_expired),
    Scene("predial-al-corriente", lambda k: _debt(k, CLAVE_UP_TO_DATE)),
    Scene("predial-ya-pagado", _already_paid),
    Scene("predial-en-verificacion", _in_verification),
    Scene("pago-confirmar", _card_confirm),
    Scene("pago-en-terminal", _at_terminal),
    Scene("pago-rechazado", _card_ends(ChargeState.DECLINED)),
    Scene("pago-desconocido", _unknown),
    Scene("pago-recibo", _card_ends(ChargeState.APPROVED)),
    Scene("pago-recibo-sin-papel", _printer_says(PrintVerdict.FAILED, "paper_out")),
    Scene("pago-recibo-dudoso", _printer_says(PrintVerdict.UNKNOWN, "no_answer")),
    *(Scene(name, play) for name, play in CASH_PLAYS),
    Scene("pase-de-caja", _pase),
    Scene("pase-de-caja-impreso", _pase_printed),
    Scene("reporte-servicio", _taps("home.reporte")),
    Scene("reporte-colonia", _taps("home.reporte", "reporte.service.bache")),
    Scene("reporte-colonia-escribir", _report_colonia_typing),
    Scene("reporte-calles", _report_streets),
    Scene("reporte-calles-falta", _report_streets_problem),
    Scene("reporte-descripcion", _report_description),
    Scene("reporte-telefono", _report_phone),
    Scene("reporte-telefono-falta", _report_phone_problem),
    Scene("reporte-revisar", _report_review),
    Scene("reporte-enviado", _report_filed),
    Scene("reporte-no-guardado", _report_not_saved),
    Scene("folio", _taps("bar.folio")),
    Scene("folio-mal-escrito", _folio("COA007-R1-000001-A")),
    Scene("folio-encontrado", _folio_found),
    Scene("folio-copia", _folio_copy),
    Scene("ayuda", _taps("bar.help")),
    Scene("emergencias", _taps("bar.emergency")),
    Scene("mas-servicios", _taps("home.mas")),
    Scene("mas-wifi", _taps("home.mas", "mas.wifi")),
    Scene("mas-privacidad", _taps("home.mas", "mas.privacidad")),
    Scene("fuera-de-servicio", _out_of_service),
    *(Scene(name, play) for name, play in TECNICO_PLAYS),
    *(Scene(name, play) for name, play in PUESTA_PLAYS),
)
