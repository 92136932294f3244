"""Every end of a card payment that is not a receipt, in plain words: what happened and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Presenter, Tone
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import PagoResultadoView, PayOutcome, Row
from kiosk.speech import spell
from kiosk.usecases.debt import Debt, DebtState
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.money import format_mxn
from municipio.payments import Payment
from municipio.receipts import PaperKind

IN_DOUBT = frozenset({PayOutcome.UNKNOWN, PayOutcome.IN_VERIFICATION, PayOutcome.TAKEN_NOT_SAVED})
MAY_TRY_AGAIN = frozenset({PayOutcome.DECLINED, PayOutcome.CANCELLED})
PASE_INSTEAD = MAY_TRY_AGAIN | {
    PayOutcome.NO_ANSWER,
    PayOutcome.TERMINAL_NOT_READY,
    PayOutcome.SAVING_ENERGY,
}

BY_DEBT = {
    DebtState.ALREADY_PAID: PayOutcome.ALREADY_PAID,
    DebtState.UP_TO_DATE: PayOutcome.ALREADY_PAID,
    DebtState.IN_VERIFICATION: PayOutcome.IN_VERIFICATION,
}
"""How a payment ends before it begins, by card or in cash, where the debt is not one to pay any more."""


@dataclass
class _Said:
    headline: str
    text: str
    emphasis: str = ""
    icon: str = "circle-alert"
    tone: Tone = field(default=Tone.SUN)


class PagoResultadoPresenter(Presenter[PagoResultadoView]):
    """Enter with `outcome` (PayOutcome), `payment` (Payment or None), `clave`, `debt` (Debt or None)."""

    def __init__(self, desk: Desk, papers: PaperWriter) -> None:
        self._papers = papers
        self._outcome = PayOutcome.CANCELLED
        self._payment: Payment | None = None
        self._debt: Debt | None = None
        self._clave = ""
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        outcome, payment, debt = params["outcome"], params.get("payment"), params.get("debt")
        assert isinstance(outcome, PayOutcome)
        self._outcome = outcome
        self._payment = payment if isinstance(payment, Payment) else None
        self._debt = debt if isinstance(debt, Debt) else None
        self._clave = str(params.get("clave", ""))
        self.refresh()

    def print_notice(self) -> None:
        """Intent: the "pago en verificación" paper."""
        payment = self._payment
        if payment is None:
            return
        _ = self._desk.words
        make = self._papers.verificacion(payment, resolved_by=_("mañana a las 12:00"))
        task = PrintTask(
            PrintRequest(PaperKind.VERIFICACION, payment.folio, make),
            headline=_("Pago en verificación: no vuelva a pagar"),
            folio_label=_("Su folio"),
            qr=self._papers.follow_url(payment.folio),
            qr_caption=_("Consulte su folio"),
            details=(Row(_("Importe"), format_mxn(payment.amount_centavos)),),
        )
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _press(self, id: str) -> None:
        go = self._desk.navigator
        presses = {
            "result.print_notice": self.print_notice,
            "result.retry": lambda: go.go(Screen.PAGO_TARJETA, clave=self._clave),
            "result.pase": lambda: go.go(Screen.PASE_DE_CAJA, clave=self._clave),
            "result.done": go.end_session,
        }
        if id in presses:
            presses[id]()

    def _forget(self) -> None:
        self._payment, self._debt, self._clave = None, None, ""
        self._outcome = PayOutcome.CANCELLED

    def _folio(self) -> str:
        if self._payment is not None:
            return self._payment.folio
        return self._debt.paid_folio if self._debt else ""

    def _render(self) -> PagoResultadoView:
        _ = self._desk.words
        said = self._say()
        folio = self._folio()
        promise = self._promise()
        actions = self._actions()
        spoken = [said.headline, said.emphasis, said.text]
        label = _("Folio")
        spoken += [f"{label}: {spell(folio)}" if folio else "", promise]
        return PagoResultadoView(
            screen=Screen.PAGO_RESULTADO,
            title=said.headline,
            speech=". ".join(s.rstrip(".:") for s in spoken if s) + ".",
            focus=tuple(a.focus() for a in actions),
            outcome=self._outcome,
            headline=said.headline,
            text=said.text,
            emphasis=said.emphasis,
            folio=folio,
            promise=promise,
            icon=said.icon,
            tone=said.tone,
            actions=actions,
        )

    def _say(self) -> _Said:
        _ = self._desk.words
        match self._outcome:
            case PayOutcome.DECLINED:
                text = _(
                    "No se cobró nada. Puede intentar con otra tarjeta o llevar un pase de caja."
                )
                return _Said(_("El banco no aceptó la tarjeta"), text, icon="credit-card")
            case PayOutcome.CANCELLED:
                return _Said(_("Pago cancelado"), _("No se cobró nada."), icon="circle-x")
            case PayOutcome.UNKNOWN:
                text = _(
                    "La terminal no respondió. Lo estamos verificando y su predio quedó apartado. "
                    "Si el cobro se hizo, su recibo estará listo con este folio."
                )
                icon = "message-circle-warning"
                return _Said(_("No sabemos si el banco cobró"), text, _("No vuelva a pagar:"), icon)
            case PayOutcome.IN_VERIFICATION:
                text = _("Hay un pago de este predio que estamos verificando.")
                return _Said(_("Pago en verificación"), text, _("No vuelva a pagar:"), "clock")
            case PayOutcome.ALREADY_PAID:
                text = _("La ciudad ya tiene el pago de este predio. No se cobró nada.")
                head = _("Este predio ya está pagado")
                return _Said(head, text, icon="circle-check", tone=Tone.LEAF)
            case PayOutcome.TAKEN_NOT_SAVED:
                text = _(
                    "El banco aprobó su pago, pero el kiosco no pudo guardarlo. Anote su folio."
                )
                return _Said(_("Su pago se está guardando"), text, _("No vuelva a pagar:"))
            case _:
                return self._say_not_charged()

    def _say_not_charged(self) -> _Said:
        _ = self._desk.words
        match self._outcome:
            case PayOutcome.NO_ANSWER:
                text = _("La ciudad no respondió y no cobramos. Puede llevar un pase de caja.")
                return _Said(_("Ahora no se puede cobrar con tarjeta"), text, icon="wifi-off")
            case PayOutcome.TERMINAL_NOT_READY:
                text = _("La terminal de tarjetas no responde. No se cobró nada.")
                return _Said(_("La terminal no está lista"), text, icon="credit-card")
            case PayOutcome.SAVING_ENERGY:
                text = _(
                    "El kiosco guarda la energía que le queda. No se cobró nada. Puede llevar un pase de "
                    "caja."
                )
                return _Said(_("Por ahora no se cobra aquí"), text, icon="zap")
            case PayOutcome.NOT_SAVED:
                text = _("Por eso no cobramos. No perdió nada. Intente más tarde o pida ayuda.")
                return _Said(_("No pudimos guardar su pago"), text)
            case _:
                text = _("Este importe no se puede cobrar ahora. No se cobró nada.")
                return _Said(_("No se puede pagar por ahora"), text)

    def _promise(self) -> str:
        _ = self._desk.words
        phone = self._desk.settings.text("city.help_phone")
        if self._outcome in IN_DOUBT:
            text = _("Se resuelve a más tardar mañana a las 12:00. Teléfono {phone}.")
            return text.format(phone=phone)
        return _("Ayuda: {phone}").format(phone=phone)

    def _actions(self) -> tuple[Action, ...]:
        _ = self._desk.words
        done = Action("result.done", _("Terminar"), icon="log-out")
        if self._outcome in IN_DOUBT and self._payment is not None:
            notice = _("Imprimir este aviso")
            return (
                Action("result.print_notice", notice, icon="printer", primary=True),
                Action("result.done", _("Ya lo tengo, terminar"), icon="log-out"),
            )
        retry = Action("result.retry", _("Intentar otra vez"), icon="credit-card", primary=True)
        pase = Action("result.pase", _("Pase de caja"), icon="printer",
                      primary=self._outcome not in MAY_TRY_AGAIN)  # fmt: skip
        return (
            *((retry,) if self._outcome in MAY_TRY_AGAIN else ()),
            *((pase,) if self._outcome in PASE_INSTEAD else ()),
            done,
        )

    def _bar(self) -> tuple[Action, ...]:
        return tuple(a for a in super()._bar() if a.id != "bar.back")
