"""The first screen: four choices, and the receipt that a crash or an empty printer still owes."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Notice, Presenter, Tone, home_bar
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.receipts import claim_task, receipt_task
from kiosk.presenters.views import HomeView
from kiosk.usecases.aftercare import Aftercare, LeftOver
from kiosk.usecases.papers import PaperWriter
from municipio.money import format_mxn
from municipio.payments import Payment, PaymentMethod
from municipio.stick_words import Trip, trip_in_words

SOON_S, LATER_S = 2.0, 15.0
"""How often open payments are looked after: while a charge may still end, and otherwise."""


TRIP_EVERY_S = 1.0
"""How often a USB stick is looked for: who put one in stands before this screen."""


class HomePresenter(Presenter[HomeView]):
    """Also the place where `Aftercare.look` runs: at start and while nobody is paying."""

    def __init__(
        self,
        desk: Desk,
        care: Aftercare,
        papers: PaperWriter,
        may_start_payments: Callable[[], bool] = lambda: True,
    ) -> None:
        self._care = care
        self._may_start_payments = may_start_payments
        self._takes_money = may_start_payments()
        self._papers = papers
        self._left = LeftOver()
        self._next_s = float("-inf")
        self._every_s = SOON_S
        self._looking = False
        self._read_trip: Callable[[], Trip | None] = lambda: None
        self._trip: Trip | None = None
        self._trip_next_s = float("-inf")
        super().__init__(desk)

    def follow_stick(self, read: Callable[[], Trip | None]) -> None:
        """Show how far a USB stick is; `read` may block a little."""
        self._read_trip = read

    def enter(self, **params: object) -> None:
        self._next_s = float("-inf")
        self.refresh()

    def tick(self, now_s: float) -> None:
        if now_s >= self._trip_next_s:
            self._trip_next_s = now_s + TRIP_EVERY_S
            self._desk.background.run(self._read_trip, self._tripped)
        if self._looking or now_s < self._next_s:
            return
        self._looking = True
        self._next_s = now_s + self._every_s
        self._takes_money = self._may_start_payments()
        boot_ms = self._desk.clock.now().boot_ms
        self._desk.background.run(lambda: self._care.look(boot_ms), self._looked_after)

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
        """Intent: print the paper that is offered."""
        words, papers, left = self._desk.words, self._papers, self._left
        shown = self._current(self._go_print)
        if left.claims:
            payment = left.claims[0]
            self._care.took(payment)
            self._desk.background.run(lambda: claim_task(words, papers, payment), shown)
        elif left.receipts:
            owed = left.receipts[0]
            self._desk.background.run(lambda: receipt_task(words, papers, owed), shown)

    def _go_print(self, task: PrintTask) -> None:
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _press(self, id: str) -> None:
        if id == "home.receipt":
            self.print_owed_receipt()
        else:
            self.open(id)

    def _looked_after(self, left: LeftOver) -> None:
        self._looking = False
        self._left = left
        self._every_s = SOON_S if left.look_soon else LATER_S
        self.refresh()

    def _tripped(self, trip: Trip | None) -> None:
        if trip != self._trip:
            self._trip = trip
            self.refresh()

    def _bar(self) -> tuple[Action, ...]:
        return home_bar(self._desk.words)

    def _render(self) -> HomeView:
        _ = self._desk.words
        predial = _("Consulte y pague su impuesto")
        if not self._takes_money:
            predial = _("Consulte. Por ahora no se paga aquí")
        choices = (
            Action("home.tramites", _("Trámites"), _("Requisitos, costo y dónde hacerlos"),
                   "clipboard-list", Tone.SEA),
            Action("home.predial", _("Predial"), predial, "house", Tone.LEAF),
            Action("home.reporte", _("Reporte"), _("Baches, luminarias, basura, fugas"),
                   "megaphone", Tone.SUN),
            Action("home.mas", _("Más servicios"), _("Wi-Fi gratis, teléfonos, privacidad"),
                   "layout-grid", Tone.PLUM),
        )  # fmt: skip
        offer, notice = self._offer()
        notice = notice or self._stick()
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
            lead=_("Toque los botones de abajo."),
            wifi=self._wifi(),
        )

    def _wifi(self) -> tuple[str, str]:
        """Nothing while energy is short: the network is on for a few hours only."""
        _ = self._desk.words
        if not self._takes_money:
            return "", ""
        ssid = self._desk.settings.text("portal.ssid")
        return _("Wi-Fi gratis"), _("En su teléfono, busque la red {ssid}.").format(ssid=ssid)

    def _stick(self) -> Notice | None:
        trip = self._trip
        if trip is None:
            return None
        tone, icon = Tone.SUN, "circle-alert"
        if trip.is_good:
            tone, icon = (Tone.LEAF, "circle-check") if trip.is_over else (Tone.SEA, "plug")
        return Notice(trip_in_words(trip, self._desk.words), tone, icon)

    def _offer(self) -> tuple[Action | None, Notice | None]:
        _ = self._desk.words
        if self._left.claims:
            told = self._told(
                self._left.claims[0],
                _("El pago en efectivo con folio {folio} se interrumpió: tome su comprobante."),
            )
            label = _("Imprimir mi comprobante")
            offer = Action("home.receipt", label, icon="printer", primary=True)
            return offer, Notice(told, Tone.SUN, "hand-coins")
        if not self._left.receipts:
            return None, None
        payment = self._left.receipts[0]
        text = _("Pago aprobado de {amount}, folio {folio}, tarjeta {last4}: falta su recibo.")
        if payment.method is PaymentMethod.CASH:
            text = _("Pago en efectivo de {amount}, folio {folio}: falta su recibo.")
        offer = Action("home.receipt", _("Imprimir mi recibo"), icon="receipt-text", primary=True)
        return offer, Notice(self._told(payment, text), Tone.LEAF, "receipt-text")

    def _told(self, payment: Payment, text: str) -> str:
        return text.format(
            amount=format_mxn(payment.amount_centavos),
            folio=payment.folio,
            last4=payment.card_last4 or "····",
        )
