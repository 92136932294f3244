"""The first screen: four choices, and the receipt that a crash or an empty printer still owes."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Notice, Presenter, Tone, home_bar
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.receipts import receipt_task
from kiosk.presenters.views import HomeView
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.pay_by_card import PayByCard
from municipio.money import format_mxn
from municipio.payments import Payment, PaymentState

SOON_S, LATER_S = 2.0, 15.0
"""How often open payments are looked after: while a charge may still end, and otherwise."""


class HomePresenter(Presenter[HomeView]):
    """Also the place where `PayByCard.recover` runs: at start and while nobody is paying."""

    def __init__(self, desk: Desk, pay: PayByCard, papers: PaperWriter) -> None:
        self._pay = pay
        self._papers = papers
        self._owed: tuple[Payment, ...] = ()
        self._next_s = float("-inf")
        self._every_s = SOON_S
        self._looking = False
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._next_s = float("-inf")
        self.refresh()

    def tick(self, now_s: float) -> None:
        if self._looking or now_s < self._next_s:
            return
        self._looking = True
        self._next_s = now_s + self._every_s
        self._desk.background.run(self._pay.recover, self._looked_after)

    def open(self, id: str) -> None:
        """Intent: one of the four choices."""
        screens = {
            "home.tramites": Screen.TRAMITES,
            "home.predial": Screen.PREDIAL_CLAVE,
            "home.reporte": Screen.REPORTE,
            "home.mas": Screen.MAS_SERVICIOS,
        }
        if id in screens:
            self._desk.navigator.go(screens[id])

    def print_owed_receipt(self) -> None:
        """Intent: print the receipt that is offered."""
        if self._owed:
            payment = self._owed[0]
            make = self._current(self._go_print)
            self._desk.background.run(
                lambda: receipt_task(self._desk.words, self._papers, payment), make
            )

    def _go_print(self, task: PrintTask) -> None:
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _press(self, id: str) -> None:
        if id == "home.receipt":
            self.print_owed_receipt()
        else:
            self.open(id)

    def _looked_after(self, still_open: tuple[Payment, ...]) -> None:
        self._looking = False
        self._owed = tuple(p for p in still_open if p.state is PaymentState.TAKEN)
        waiting = any(p.state is PaymentState.COLLECTING for p in still_open)
        self._every_s = SOON_S if waiting or not still_open else LATER_S
        self.refresh()

    def _bar(self) -> tuple[Action, ...]:
        return home_bar(self._desk.words)

    def _render(self) -> HomeView:
        _ = self._desk.words
        choices = (
            Action("home.tramites", _("Trámites"), _("Requisitos, costo y dónde hacerlos"),
                   "clipboard-list", Tone.SEA),
            Action("home.predial", _("Predial"), _("Consulte y pague su impuesto"),
                   "house", Tone.LEAF),
            Action("home.reporte", _("Reporte"), _("Baches, luminarias, basura, fugas"),
                   "megaphone", Tone.SUN),
            Action("home.mas", _("Más servicios"), _("Wi-Fi gratis, teléfonos, privacidad"),
                   "layout-grid", Tone.PLUM),
        )  # fmt: skip
        offer, notice = self._offer()
        title = _("¿Qué necesita hacer hoy?")
        listed = ", ".join(c.label for c in choices)
        said = _("{title} Puede elegir: {choices}.").format(title=title, choices=listed)
        return HomeView(
            screen=Screen.HOME,
            title=title,
            speech=f"{said} {notice.text if notice else ''}".strip(),
            focus=(*((offer.focus(),) if offer else ()), *(c.focus() for c in choices)),
            choices=choices,
            offer=offer,
            offer_notice=notice,
        )

    def _offer(self) -> tuple[Action | None, Notice | None]:
        if not self._owed:
            return None, None
        _ = self._desk.words
        payment = self._owed[0]
        text = _("Pago aprobado de {amount}, folio {folio}, tarjeta {last4}: falta su recibo.")
        told = text.format(
            amount=format_mxn(payment.amount_centavos),
            folio=payment.folio,
            last4=payment.card_last4 or "····",
        )
        offer = Action("home.receipt", _("Imprimir el recibo"), icon="receipt-text", primary=True)
        return offer, Notice(told, Tone.LEAF, "receipt-text")
