"""All presenters of a kiosk, by screen, from one set of ports: what wiring and tests build alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.flow import Screen
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.folio import FolioPresenter
from kiosk.presenters.home import HomePresenter
from kiosk.presenters.imprimiendo import ImprimiendoPresenter
from kiosk.presenters.info import (
    AvisoPresenter,
    AyudaPresenter,
    EmergenciasPresenter,
    FueraDeServicioPresenter,
    MasServiciosPresenter,
)
from kiosk.presenters.pago_efectivo import PagoEfectivoPresenter
from kiosk.presenters.pago_resultado import PagoResultadoPresenter
from kiosk.presenters.pago_tarjeta import PagoTarjetaPresenter
from kiosk.presenters.pase_de_caja import PaseDeCajaPresenter
from kiosk.presenters.predial_adeudo import PredialAdeudoPresenter
from kiosk.presenters.predial_beneficio import PredialBeneficioPresenter
from kiosk.presenters.predial_clave import PredialClavePresenter
from kiosk.presenters.reporte import ReportePresenter
from kiosk.presenters.tramite import TramitePresenter
from kiosk.presenters.tramites import TramitesPresenter
from kiosk.usecases.aftercare import Aftercare
from kiosk.usecases.cash_till import CashLimits
from kiosk.usecases.consults import Consults
from kiosk.usecases.debt import DebtDesk
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.pay_by_card import PayByCard
from kiosk.usecases.pay_by_cash import PayByCash
from kiosk.usecases.printing import PrintDesk
from municipio.cash import CashRules, rules_from
from municipio.devices import CardTerminal, CashDevice, Printer
from municipio.usecases.ports import CashLedger, Catalogue, City, Link, Sealer, Signer


@dataclass(frozen=True, slots=True)
class Ports:
    """`verify(signature, message)` asks the city's key; `new_id` gives a name never used before.

    `cash` is None where the city takes no cash (`cash.enabled`).
    """

    ledger: CashLedger
    catalogue: Catalogue
    city: City
    link: Link
    sealer: Sealer
    signer: Signer
    printer: Printer | None
    terminal: CardTerminal | None
    verify: Callable[[bytes, bytes], bool]
    new_id: Callable[[], str]
    cash: CashDevice | None = None
    may_start_payments: Callable[[], bool] = lambda: True
    """False while the node keeps the energy it has left; asked before every payment."""


def build_presenters(desk: Desk, ports: Ports) -> dict[Screen, Presenter[Any]]:
    """One long-lived presenter per screen."""
    zone = ZoneInfo(desk.settings.text("city.timezone"))

    def civil_day() -> date | None:
        return desk.clock.now().local_date(zone)

    pay = PayByCard(
        ledger=ports.ledger,
        terminal=ports.terminal,
        now=desk.clock.now,
        today=civil_day,
        new_key=ports.new_id,
        may_start=ports.may_start_payments,
    )
    cash = _pay_by_cash(desk, ports, civil_day, pay)
    printing = PrintDesk(ports.ledger, ports.printer, ports.new_id)
    papers = PaperWriter(desk.settings, desk.words, desk.clock, ports.catalogue, ports.signer)
    debts = DebtDesk(
        catalogue=ports.catalogue,
        city=ports.city,
        link=ports.link,
        pay=pay,
        cash=cash,
        printing=printing,
        settings=desk.settings,
        clock=desk.clock,
        verify=ports.verify,
    )
    catalogue, ledger = ports.catalogue, ports.ledger
    consults = Consults(ledger, desk.clock)
    return {
        Screen.HOME: HomePresenter(desk, Aftercare(pay, cash), papers, ports.may_start_payments),
        Screen.TRAMITES: TramitesPresenter(desk, catalogue),
        Screen.TRAMITE: TramitePresenter(desk, catalogue, printing, papers, consults),
        Screen.PREDIAL_CLAVE: PredialClavePresenter(desk, catalogue),
        Screen.PREDIAL_BENEFICIO: PredialBeneficioPresenter(desk, papers),
        Screen.PREDIAL_ADEUDO: PredialAdeudoPresenter(desk, debts, papers),
        Screen.PAGO_TARJETA: PagoTarjetaPresenter(desk, debts, pay, papers),
        Screen.PAGO_EFECTIVO: PagoEfectivoPresenter(desk, debts, cash, papers),
        Screen.PAGO_RESULTADO: PagoResultadoPresenter(desk, papers),
        Screen.PASE_DE_CAJA: PaseDeCajaPresenter(desk, debts, ledger, papers),
        Screen.REPORTE: ReportePresenter(desk, catalogue, ledger, ports.sealer, papers),
        Screen.FOLIO: FolioPresenter(desk, ledger, ports.city, printing, papers),
        Screen.AYUDA: AyudaPresenter(desk),
        Screen.EMERGENCIAS: EmergenciasPresenter(desk, catalogue),
        Screen.MAS_SERVICIOS: MasServiciosPresenter(desk, catalogue),
        Screen.IMPRIMIENDO: ImprimiendoPresenter(desk, printing),
        Screen.AVISO: AvisoPresenter(desk),
        Screen.FUERA_DE_SERVICIO: FueraDeServicioPresenter(desk),
    }


def _pay_by_cash(
    desk: Desk, ports: Ports, today: Callable[[], date | None], card: PayByCard
) -> PayByCash:
    """Raises ValueError for rules of cash that cannot be read, where cash is taken."""
    settings = desk.settings
    nothing = CashRules(frozenset(), frozenset(), 0)
    return PayByCash(
        ledger=ports.ledger,
        device=ports.cash,
        rules=nothing if ports.cash is None else rules_from(settings),
        limits=CashLimits(
            stacker_capacity=settings.number("cash.stacker_capacity"),
            box_capacity=settings.number("cash.box_capacity"),
            offline_max_days=settings.number("cash.offline_max_days"),
        ),
        now=desk.clock.now,
        today=today,
        new_key=ports.new_id,
        blocking=card.blocking_payment,
        may_start=ports.may_start_payments,
    )
