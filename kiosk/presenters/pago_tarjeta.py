"""Paying by card: ask the city, let the person confirm, watch the terminal, and believe only the journal."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Notice, Presenter, Tone
from kiosk.presenters.live_printer import LivePrinter, with_printer
from kiosk.presenters.pago_resultado import BY_DEBT
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.receipts import receipt_task
from kiosk.presenters.views import CardPhase, PagoTarjetaView, PayOutcome
from kiosk.presenters.wording import printer_trouble
from kiosk.speech import say_amount
from kiosk.usecases.debt import CardBlock, Debt, DebtDesk, DebtState
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.pay_by_card import (
    AlreadyStarted,
    NotStarted,
    PayByCard,
    Progress,
    Settled,
    Started,
    Unsaved,
    Waiting,
    WaitingFor,
)
from municipio.devices import ChargeState
from municipio.money import format_mxn
from municipio.papers import concepts_of
from municipio.payments import Payment, PaymentState
from municipio.usecases.ports import NoAnswer, NotRecorded

SILENCE_S = 15.0
"""How long a terminal may be silent in the middle of a charge before it is asked for the last time."""
CANCEL_S = 20.0

_BY_STATE = {
    PaymentState.DECLINED: PayOutcome.DECLINED,
    PaymentState.CANCELLED: PayOutcome.CANCELLED,
    PaymentState.UNKNOWN: PayOutcome.UNKNOWN,
    # Another payment of this debt was settled meanwhile: never "charge again", never a receipt.
    PaymentState.REFUND_OWED: PayOutcome.IN_VERIFICATION,
}


class PagoTarjetaPresenter(Presenter[PagoTarjetaView]):
    """Enter with `clave`. From the second press until an end the screen is busy: no idle wipe, no back."""

    def __init__(
        self, desk: Desk, debt_desk: DebtDesk, pay: PayByCard, papers: PaperWriter
    ) -> None:
        self._debts = debt_desk
        self._printer = LivePrinter(desk, debt_desk.printing)
        self._pay = pay
        self._papers = papers
        self._wait_s = float(desk.settings.number("terminal.wait_s"))
        self._reset("")
        super().__init__(desk)

    def _reset(self, clave: str) -> None:
        self._clave = clave
        self._phase = CardPhase.ASKING_CITY
        self._debt: Debt | None = None
        self._key = ""
        self._polling = False
        self._now_s = 0.0
        self._until_s: float | None = None
        self._silent_since_s: float | None = None

    def enter(self, **params: object) -> None:
        self._reset(str(params.get("clave", "")))
        self.refresh()
        clave = self._clave
        self._desk.background.run(
            lambda: self._debts.refresh(clave), self._current(self._city_answered)
        )

    def leave(self) -> None:
        super().leave()
        if self._key:
            self._pay.release(self._key)
        self._key = ""

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        self._printer.tick(now_s, self._current(self._printer_told))
        if self._key and not self._polling:
            self._poll()
        self.refresh()

    def charge(self) -> None:
        """Intent: the second, deliberate press. Only from CONFIRM; twice is once."""
        if self._phase is not CardPhase.CONFIRM or self._debt is None:
            return
        owed = self._debt.liquidacion
        assert owed is not None
        self._phase = CardPhase.STARTING
        self.refresh()
        concepts = concepts_of(owed, self._desk.words)
        turn = self._turn

        def started(result: Started | AlreadyStarted | NotStarted | NotRecorded) -> None:
            if turn == self._turn:
                self._started(result)
            elif isinstance(result, Started):
                self._pay.release(result.payment.key)

        self._desk.background.run(lambda: self._pay.start(owed, concepts), started)

    def cancel(self) -> None:
        """Intent: the person changed their mind; the terminal has the last word."""
        if self._phase is CardPhase.AT_TERMINAL:
            self._phase = CardPhase.CANCELLING
            self._until_s = self._now_s + CANCEL_S
            key = self._key
            self._desk.background.run(lambda: self._pay.cancel(key), lambda _: None)
            self.refresh()

    def _press(self, id: str) -> None:
        presses = {
            "card.charge": self.charge,
            "card.no": self._desk.navigator.back,
            "card.cancel": self.cancel,
        }
        if id in presses:
            presses[id]()

    def _city_answered(self, answer: Debt | NoAnswer) -> None:
        if isinstance(answer, NoAnswer):
            self._end(PayOutcome.NO_ANSWER)
        elif answer.state is not DebtState.DUE:
            self._debt = answer
            unusable = {DebtState.BAD_SIGNATURE: PayOutcome.NO_ANSWER}
            outcome = BY_DEBT.get(answer.state) or unusable.get(answer.state)
            self._end(outcome or PayOutcome.NOT_PAYABLE, answer.payment)
        elif answer.card is CardBlock.ENERGY:
            self._end(PayOutcome.SAVING_ENERGY)
        elif answer.card in {CardBlock.TERMINAL, CardBlock.DISABLED}:
            self._end(PayOutcome.TERMINAL_NOT_READY)
        else:
            self._debt = answer
            self._phase = CardPhase.CONFIRM
            self.refresh()

    def _printer_told(self, cause: str) -> None:
        self._debt = with_printer(self._debt, cause)
        self.refresh()

    def _started(self, result: Started | AlreadyStarted | NotStarted | NotRecorded) -> None:
        match result:
            case Started():
                self._key = result.payment.key
                self._phase = CardPhase.AT_TERMINAL
                self._until_s = self._now_s + self._wait_s
                self.refresh()
            case AlreadyStarted():
                paid = result.payment.state in {PaymentState.TAKEN, PaymentState.RECEIPTED}
                outcome = PayOutcome.ALREADY_PAID if paid else PayOutcome.IN_VERIFICATION
                self._end(outcome, result.payment)
            case NotStarted(saving):
                is_saving = PayOutcome.SAVING_ENERGY
                self._end(is_saving if saving else PayOutcome.TERMINAL_NOT_READY)
            case NotRecorded():
                self._end(PayOutcome.NOT_SAVED)

    def _poll(self) -> None:
        self._polling = True
        key = self._key
        ask = self._pay.give_up if self._is_over() else self._pay.poll
        self._desk.background.run(lambda: ask(key), self._current(self._polled))

    def _is_over(self) -> bool:
        late = self._until_s is not None and self._now_s >= self._until_s
        since = self._silent_since_s
        return late or (since is not None and self._now_s - since >= SILENCE_S)

    def _polled(self, progress: Progress) -> None:
        self._polling = False
        match progress:
            case Waiting(on):
                silent = on is WaitingFor.TERMINAL
                started = self._silent_since_s if self._silent_since_s is not None else self._now_s
                self._silent_since_s = started if silent else None
                self.refresh()
            case Settled(payment):
                self._settled(payment)
            case Unsaved(payment, charge, _):
                approved = charge.state is ChargeState.APPROVED
                outcome = PayOutcome.TAKEN_NOT_SAVED if approved else PayOutcome.UNKNOWN
                self._end(outcome, payment)

    def _settled(self, payment: Payment) -> None:
        if payment.state in _BY_STATE:
            self._end(_BY_STATE[payment.state], payment)
            return
        self._desk.background.run(
            lambda: receipt_task(self._desk.words, self._papers, payment),
            self._current(self._go_print),
        )

    def _go_print(self, task: PrintTask) -> None:
        self._key = ""
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _end(self, outcome: PayOutcome, payment: Payment | None = None) -> None:
        clave, debt = self._clave, self._debt
        self._desk.navigator.go(
            Screen.PAGO_RESULTADO, outcome=outcome, payment=payment, clave=clave, debt=debt
        )

    def _forget(self) -> None:
        if self._key:
            self._pay.release(self._key)
        self._reset("")

    def _render(self) -> PagoTarjetaView:
        _ = self._desk.words
        owed = self._debt.liquidacion if self._debt else None
        amount = format_mxn(owed.total_centavos) if owed else ""
        headline, text = self._texts()
        actions = self._actions(amount)
        spoken = say_amount(owed.total_centavos, _) if owed else ""
        left = 0
        if self._phase is CardPhase.AT_TERMINAL and self._until_s is not None:
            left = max(0, int(self._until_s - self._now_s))
        charging = {CardPhase.STARTING, CardPhase.AT_TERMINAL, CardPhase.CANCELLING}
        return PagoTarjetaView(
            screen=Screen.PAGO_TARJETA,
            title=_("Pago con tarjeta"),
            speech=" ".join(p for p in (f"{headline}.", f"{spoken}." if spoken else "", text) if p),
            focus=tuple(a.focus() for a in actions),
            busy=self._phase in charging,
            step=3,
            steps=4,
            phase=self._phase,
            amount=amount,
            headline=headline,
            text=text,
            notices=self._notices(),
            actions=actions,
            seconds_left=left,
        )

    def _notices(self) -> tuple[Notice, ...]:
        cause = self._debt.printer_cause if self._debt else ""
        if not cause or self._phase is not CardPhase.CONFIRM:
            return ()
        _ = self._desk.words
        text = _("Su recibo quedará guardado con un folio que verá en la pantalla.")
        return (Notice(f"{printer_trouble(cause, _)} {text}", Tone.SUN, "printer"),)

    def _texts(self) -> tuple[str, str]:
        _ = self._desk.words
        match self._phase:
            case CardPhase.ASKING_CITY:
                return _("Preguntamos a la ciudad su importe de hoy"), _("Un momento, por favor.")
            case CardPhase.CONFIRM:
                return _("¿Cobramos esta cantidad?"), _("Todavía no se ha cobrado nada.")
            case CardPhase.STARTING:
                return _("Despertando la terminal"), _("Tenga su tarjeta a la mano.")
            case CardPhase.AT_TERMINAL:
                text = _("Siga las indicaciones de la terminal. No retire la tarjeta antes.")
                return _("Ponga su tarjeta en la terminal"), text
            case CardPhase.CANCELLING:
                return _("Cancelando"), _("Esperamos la respuesta de la terminal.")

    def _actions(self, amount: str) -> tuple[Action, ...]:
        _ = self._desk.words
        if self._phase is CardPhase.CONFIRM:
            label = _("Sí, cobrar {amount}").format(amount=amount)
            return (
                Action("card.charge", label, icon="credit-card", primary=True),
                Action("card.no", _("No, regresar"), icon="arrow-left"),
            )
        if self._phase is CardPhase.AT_TERMINAL:
            return (Action("card.cancel", _("Cancelar el pago"), icon="x"),)
        return ()
