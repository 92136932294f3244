"""Paying in cash: ask the city, let the person confirm, watch the money, believe only the journal."""

from __future__ import annotations

from dataclasses import replace

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Notice, Presenter, Role
from kiosk.presenters.cash_parts import NOTHING_KEPT, actions_of, confirm_notices, figures_of
from kiosk.presenters.cash_text import Said, accepted_rows, inserting_notices, say_end, say_phase
from kiosk.presenters.live_printer import LivePrinter, with_printer
from kiosk.presenters.pago_resultado import BY_DEBT
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.receipts import claim_task, has_claim, receipt_task
from kiosk.presenters.views import CashEnd, CashPhase, PagoEfectivoView, PayOutcome, Row
from kiosk.speech import say_amount, spell
from kiosk.usecases.cash_progress import (
    CashAlreadyStarted,
    CashBlock,
    CashNotStarted,
    CashProgress,
    CashSettled,
    CashStart,
    CashStarted,
    CashTerms,
    CashUnsaved,
    Closing,
    Inserting,
    PayingChange,
)
from kiosk.usecases.debt import Debt, DebtDesk, DebtState
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.pay_by_cash import PayByCash
from municipio.money import format_mxn
from municipio.papers import concepts_of
from municipio.payments import Payment, PaymentState
from municipio.usecases.ports import NotRecorded

HURRY_S = 30.0
"""How long before the wait ends the person is asked whether they need more time."""
TROUBLE_S = 20.0
"""A bus that is silent for so long ends the payment."""
STUCK_S = 60.0
"""How long the end may take to be known before the person is given the folio instead."""
UNSAVED_S = 10.0

_BUSY = frozenset({CashPhase.STARTING, CashPhase.INSERTING, CashPhase.CLOSING, CashPhase.CHANGE})
_BY_STATE = {
    PaymentState.REFUND_OWED: CashEnd.OWED,
    PaymentState.UNKNOWN: CashEnd.IN_DOUBT,
    PaymentState.CANCELLED: CashEnd.CANCELLED,
}
_Asked = tuple[Debt, CashBlock, CashTerms | None]
"""The debt, what stands in the way, and the terms where nothing does."""


class PagoEfectivoPresenter(Presenter[PagoEfectivoView]):
    """Enter with `clave`. From the second press until an end the screen is busy: no idle wipe, no back."""

    def __init__(
        self, desk: Desk, debt_desk: DebtDesk, pay: PayByCash, papers: PaperWriter
    ) -> None:
        self._debts = debt_desk
        self._printer = LivePrinter(desk, debt_desk.printing)
        self._pay = pay
        self._papers = papers
        self._wait_s = float(desk.settings.number("cash.wait_s"))
        self._reset("")
        super().__init__(desk)

    def _reset(self, clave: str) -> None:
        self._clave = clave
        self._phase = CashPhase.ASKING_CITY
        self._end: CashEnd | None = None
        self._block = CashBlock.NONE
        self._debt: Debt | None = None
        self._terms: CashTerms | None = None
        self._payment: Payment | None = None
        self._due = self._inside = 0
        self._offer: Inserting | None = None
        self._is_stopped = False
        self._trouble = ""
        self._key = ""
        self._polling = False
        self._now_s = self._until_s = 0.0
        self._since: dict[str, float] = {}

    def enter(self, **params: object) -> None:
        self._reset(str(params.get("clave", "")))
        self.refresh()
        self._desk.background.run(self._ask, self._current(self._asked))

    def leave(self) -> None:
        super().leave()
        self._let_go()

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        self._printer.tick(now_s, self._current(self._printer_told))
        if self._key and not self._polling:
            self._polling = True
            key = self._key
            self._desk.background.run(
                lambda: (self._pay.poll(key), self._pay.trouble()), self._current(self._polled)
            )
        self.refresh()

    def start(self) -> None:
        """Intent: the second, deliberate press opens the gate. Only from CONFIRM; twice is once."""
        debt = self._debt
        if self._phase is not CashPhase.CONFIRM or debt is None or debt.liquidacion is None:
            return
        owed, fresh = debt.liquidacion, debt.fresh
        self._phase = CashPhase.STARTING
        self.refresh()
        _ = self._desk.words
        concepts, label = concepts_of(owed, _), _("Ajuste al peso")
        turn = self._turn

        def started(result: CashStart) -> None:
            if turn == self._turn:
                self._started(result)
            elif isinstance(result, CashStarted):
                self._pay.release(result.payment.key)

        self._desk.background.run(
            lambda: self._pay.start(owed, concepts, fresh=fresh, rounding_label=label), started
        )

    def cancel(self) -> None:
        """Intent: the person stops; what can come out comes out."""
        if self._phase is CashPhase.INSERTING:
            self._finish(refund=True)

    def more_time(self) -> None:
        """Intent: still here."""
        self._until_s = self._now_s + self._wait_s
        self.refresh()

    def print_claim(self) -> None:
        """Intent: the paper of what is owed or not known; after it the receipt, when there is one."""
        payment = self._payment
        if payment is not None:
            self._desk.background.run(
                lambda: claim_task(self._desk.words, self._papers, payment),
                self._current(self._go_print),
            )

    def _press(self, id: str) -> None:
        go = self._desk.navigator
        presses = {
            "cash.start": self.start,
            "cash.no": go.back,
            "cash.cancel": self.cancel,
            "cash.more_time": self.more_time,
            "cash.print": self.print_claim,
            "cash.pase": lambda: go.go(Screen.PASE_DE_CAJA, clave=self._clave),
            "cash.done": go.end_session,
        }
        if id in presses:
            presses[id]()

    # --- what the money machine says ----------------------------------------------------------

    def _ask(self) -> _Asked:
        debt = self._debts.newest(self._clave)
        if debt.state is not DebtState.DUE or debt.liquidacion is None:
            return debt, CashBlock.NONE, None
        block = self._pay.block(debt.liquidacion, fresh=debt.fresh)
        terms = self._pay.terms(debt.liquidacion) if block is CashBlock.NONE else None
        return debt, block, terms

    def _asked(self, answer: _Asked) -> None:
        self._debt, self._block, self._terms = answer
        if self._debt.state is not DebtState.DUE:
            self._leave_with(BY_DEBT.get(self._debt.state, PayOutcome.NOT_PAYABLE))
        elif self._terms is None:
            self._ended(CashEnd.NOT_READY)
        else:
            self._due = self._terms.due_centavos
            self._phase = CashPhase.CONFIRM
            self.refresh()

    def _started(self, result: CashStart) -> None:
        match result:
            case CashStarted(payment):
                self._key, self._payment = payment.key, payment
                self._phase = CashPhase.INSERTING
                self._until_s = self._now_s + self._wait_s
                self.refresh()
            case CashAlreadyStarted(payment):
                paid = payment.state in {PaymentState.TAKEN, PaymentState.RECEIPTED}
                self._payment = payment
                self._leave_with(PayOutcome.ALREADY_PAID if paid else PayOutcome.IN_VERIFICATION)
            case CashNotStarted(why):
                self._block = why
                self._ended(CashEnd.NOT_READY)
            case NotRecorded():
                self._ended(CashEnd.NOT_SAVED)

    def _polled(self, news: tuple[CashProgress, str]) -> None:
        self._polling = False
        progress, self._trouble = news
        match progress:
            case Inserting():
                self._inserting(progress)
            case Closing():
                self._phase, self._inside = CashPhase.CLOSING, progress.collected_centavos
            case PayingChange():
                self._phase = CashPhase.CHANGE
            case CashSettled(payment):
                self._settled(payment)
                return
            case CashUnsaved(payment):
                self._payment = payment
        is_stuck = self._lasts("stuck", self._phase in {CashPhase.CLOSING, CashPhase.CHANGE})
        is_unsaved = self._lasts("unsaved", isinstance(progress, CashUnsaved))
        if is_unsaved >= UNSAVED_S:
            self._ended(CashEnd.NOT_SAVED)
        elif is_stuck >= STUCK_S:
            self._ended(CashEnd.STUCK)
        self.refresh()

    def _inserting(self, progress: Inserting) -> None:
        moved = self._offer is None or (
            progress.collected_centavos != self._inside
            or progress.stacking_centavos != self._offer.stacking_centavos
            or progress.refused is not self._offer.refused
        )
        self._offer, self._inside = progress, progress.collected_centavos
        if moved:
            self._until_s = self._now_s + self._wait_s
        if self._lasts("trouble", not self._pay_works(progress)) >= TROUBLE_S:
            self._finish(refund=True)
        elif self._now_s >= self._until_s:
            self._finish(refund=False)

    def _pay_works(self, progress: Inserting) -> bool:
        return bool(progress.coins or progress.notes or progress.stacking_centavos) and (
            self._trouble != "no_answer"
        )

    def _lasts(self, what: str, holds: bool) -> float:
        """Seconds for which something has held."""
        if not holds:
            self._since.pop(what, None)
            return 0.0
        return self._now_s - self._since.setdefault(what, self._now_s)

    def _finish(self, *, refund: bool) -> None:
        self._phase, self._is_stopped = CashPhase.CLOSING, True
        key = self._key
        self._desk.background.run(lambda: self._pay.finish(key, refund=refund), lambda _: None)
        self.refresh()

    def _settled(self, payment: Payment) -> None:
        self._payment = payment
        if payment.state in _BY_STATE:
            self._ended(_BY_STATE[payment.state])
        elif has_claim(payment):
            self._ended(CashEnd.CHANGE_OWED)
        else:
            self._key = ""
            self._desk.background.run(
                lambda: receipt_task(self._desk.words, self._papers, payment),
                self._current(self._go_print),
            )

    def _ended(self, end: CashEnd) -> None:
        if self._payment is not None:
            # What was last counted, for an end that the journal does not know yet.
            self._inside = max(self._inside, self._payment.collected_centavos)
            self._payment = replace(self._payment, collected_centavos=self._inside)
        self._phase, self._end = CashPhase.END, end
        self._let_go()
        self.refresh()

    def _let_go(self) -> None:
        """From now on the first screen looks after it."""
        if self._key:
            key, self._key = self._key, ""
            self._desk.background.run(lambda: self._pay.release(key), lambda _: None)

    def _go_print(self, task: PrintTask) -> None:
        self._key = ""
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _leave_with(self, outcome: PayOutcome) -> None:
        payment = self._payment or (self._debt.payment if self._debt else None)
        self._desk.navigator.go(
            Screen.PAGO_RESULTADO, outcome=outcome, payment=payment, clave=self._clave,
            debt=self._debt,
        )  # fmt: skip

    def _printer_told(self, cause: str) -> None:
        self._debt = with_printer(self._debt, cause)

    def _forget(self) -> None:
        self._let_go()
        self._reset("")

    # --- the view -----------------------------------------------------------------------------

    def _render(self) -> PagoEfectivoView:
        _ = self._desk.words
        said, folio = self._say(), self._folio()
        notices, left = self._notices(), self._seconds_left()
        accepted = self._accepted()
        is_inserting = self._phase is CashPhase.INSERTING
        figures = figures_of(self._due, self._inside, folio, _) if is_inserting else ()
        actions = actions_of(self._phase, self._end, left, has_folio=self._payment is not None, _=_)
        promise = ""
        if self._phase is CashPhase.END:
            phone = self._desk.settings.text("city.help_phone")
            promise = _("Ayuda: {phone}").format(phone=phone)
        shows_amount = self._phase in {CashPhase.CONFIRM, CashPhase.STARTING}
        return PagoEfectivoView(
            screen=Screen.PAGO_EFECTIVO,
            title=said.headline if self._phase is CashPhase.END else _("Pago en efectivo"),
            speech=self._speech(said, folio, notices, promise),
            focus=(
                *(FocusItem(f"cash.figure.{n}", r.label, f"{r.label}: {r.value}", Role.ITEM)
                  for n, r in enumerate(figures)),
                *(a.focus() for a in actions),
            ),
            busy=self._phase in _BUSY,
            step=3,
            steps=4,
            phase=self._phase,
            end=self._end,
            headline=said.headline,
            text=said.text,
            emphasis=said.emphasis,
            amount=format_mxn(self._due) if shows_amount and self._due else "",
            figures=figures,
            accepted_heading=_("Se reciben") if accepted else "",
            accepted=accepted,
            folio=folio,
            promise=promise,
            icon=said.icon,
            tone=said.tone,
            notices=notices,
            actions=actions,
            seconds_left=left,
        )  # fmt: skip

    def _say(self) -> Said:
        _ = self._desk.words
        if self._end is not None:
            return say_end(self._end, self._block, self._payment, self._inside, _)
        is_complete = not self._is_stopped or 0 < self._due <= self._inside
        return say_phase(self._phase, self._offer, is_complete=is_complete, _=_)

    def _speech(self, said: Said, folio: str, notices: tuple[Notice, ...], promise: str) -> str:
        _ = self._desk.words
        parts = [said.headline, said.text, said.emphasis]
        if self._phase is CashPhase.CONFIRM:
            parts.insert(1, say_amount(self._due, _))
        if self._phase is CashPhase.INSERTING:
            missing = max(0, self._due - self._inside)
            parts.insert(0, _("Le faltan {amount}").format(amount=say_amount(missing, _)))
        if folio and self._phase is CashPhase.END:
            label = _("Folio")
            parts.append(f"{label}: {spell(folio)}")
        parts += [*(n.text for n in notices), promise]
        return " ".join(p if p[-1] in ".?" else f"{p}." for p in parts if p)

    def _folio(self) -> str:
        quiet = self._end in NOTHING_KEPT
        return "" if self._payment is None or quiet else self._payment.folio

    def _accepted(self) -> tuple[Row, ...]:
        _ = self._desk.words
        if self._phase is CashPhase.INSERTING and self._offer is not None:
            return accepted_rows(self._offer.coins, self._offer.notes, _)
        if self._phase in {CashPhase.CONFIRM, CashPhase.INSERTING} and self._terms is not None:
            return accepted_rows(self._terms.coins, self._terms.notes, _)
        return ()

    def _notices(self) -> tuple[Notice, ...]:
        _ = self._desk.words
        if self._phase is CashPhase.INSERTING and self._offer is not None:
            return inserting_notices(self._offer, self._terms, self._trouble, _)
        if self._phase is not CashPhase.CONFIRM or self._terms is None or self._debt is None:
            return ()
        return confirm_notices(self._debt, self._terms, _)

    def _seconds_left(self) -> int:
        left = self._until_s - self._now_s
        is_late = self._phase is CashPhase.INSERTING and left <= HURRY_S
        return max(1, int(left)) if is_late else 0

    def _bar(self) -> tuple[Action, ...]:
        bar = super()._bar()
        return tuple(a for a in bar if a.id != "bar.back" or self._phase is not CashPhase.END)
