"""A slip to pay at a bank, a shop or by transfer; off line too, while the amount is valid."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Notice, Presenter, Tone
from kiosk.presenters.live_printer import LivePrinter, with_printer
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import PasePhase, PaseView, Row
from kiosk.presenters.wording import printer_trouble
from kiosk.speech import say_amount
from kiosk.usecases.debt import Debt, DebtDesk, DebtState
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.folio_words import long_date
from municipio.money import format_mxn
from municipio.papers import PaseReferences
from municipio.receipts import PaperKind
from municipio.usecases.pase import (
    PaseIssued,
    PaseRefusal,
    PaseRefused,
    issue_pase,
    possible_references,
)
from municipio.usecases.ports import Ledger, NotRecorded


class PaseDeCajaPresenter(Presenter[PaseView]):
    """Enter with `clave`. Nothing is numbered until the person asks for the paper."""

    def __init__(
        self, desk: Desk, debt_desk: DebtDesk, ledger: Ledger, papers: PaperWriter
    ) -> None:
        self._debts = debt_desk
        self._printer = LivePrinter(desk, debt_desk.printing)
        self._ledger = ledger
        self._papers = papers
        self._debt: Debt | None = None
        self._refusal: PaseRefusal | None = None
        self._issuing = False
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        clave = str(params.get("clave", ""))
        self._debt, self._refusal, self._issuing = None, None, False
        self.refresh()
        self._desk.background.run(lambda: self._debts.load(clave), self._current(self._loaded))

    def tick(self, now_s: float) -> None:
        self._printer.tick(now_s, self._current(self._printer_told))

    def print(self) -> None:
        """Intent: number the pase and print it. Pressed twice it is still one."""
        debt = self._debt
        if debt is None or debt.signed is None or self._issuing or self._refusal:
            return
        self._issuing = True
        self.refresh()
        self._desk.background.run(lambda: self._issue(debt), self._current(self._issued))

    def _issue(self, debt: Debt) -> PaseIssued | PaseRefused | NotRecorded:
        assert debt.signed is not None
        return issue_pase(
            debt.signed,
            ledger=self._ledger,
            settings=self._desk.settings,
            verify=self._debts.verify,
            today=self._debts.today(),
            trusted_time=self._desk.clock.now().is_trusted,
        )

    def _press(self, id: str) -> None:
        presses = {
            "pase.print": self.print,
            "pase.no": self._desk.navigator.back,
            "pase.done": self._desk.navigator.end_session,
        }
        if id in presses:
            presses[id]()

    def _loaded(self, debt: Debt) -> None:
        self._debt = debt
        refusals = {
            DebtState.EXPIRED: PaseRefusal.EXPIRED,
            DebtState.TIME_UNSURE: PaseRefusal.TIME_UNSURE,
            DebtState.BAD_SIGNATURE: PaseRefusal.BAD_SIGNATURE,
            DebtState.NOT_FOUND: PaseRefusal.BAD_SIGNATURE,
        }
        if debt.state is not DebtState.DUE:
            self._refusal = refusals.get(debt.state, PaseRefusal.NOTHING_DUE)
        elif not debt.pase:
            self._refusal = PaseRefusal.NO_PLACE
        self.refresh()

    def _printer_told(self, cause: str) -> None:
        self._debt = with_printer(self._debt, cause)
        self.refresh()

    def _issued(self, result: PaseIssued | PaseRefused | NotRecorded) -> None:
        self._issuing = False
        match result:
            case NotRecorded():
                self._desk.navigator.go(Screen.AVISO, kind="not_saved", cause=result.cause)
            case PaseRefused(cause):
                self._refusal = cause
                self.refresh()
            case PaseIssued():
                self._desk.navigator.go(Screen.IMPRIMIENDO, task=self._task(result))

    def _task(self, issued: PaseIssued) -> PrintTask:
        _ = self._desk.words
        stale = self._debt is not None and self._debt.stale
        owed = issued.liquidacion
        due = long_date(issued.references.due, _)
        return PrintTask(
            PrintRequest(
                PaperKind.PASE_DE_CAJA, issued.folio, self._papers.pase(issued, stale=stale)
            ),
            headline=_("Su pase de caja está listo"),
            folio_label=_("Folio de su pase"),
            qr=self._papers.follow_url(issued.folio),
            qr_caption=_("Consulte su folio"),
            details=(
                Row(_("Importe"), format_mxn(owed.total_centavos), strong=True),
                Row(_("Pague a más tardar"), due, strong=True),
                *self._places(issued.references, with_digits=True),
            ),
        )

    def _places(self, references: PaseReferences, *, with_digits: bool) -> tuple[Row, ...]:
        """With digits what to write down; without, only where it can be paid."""
        _ = self._desk.words
        bank = self._desk.settings.text("bank.bbva_name")
        agreement = self._desk.settings.text("bank.bbva_agreement")
        rows = (
            (_("Banco {bank}").format(bank=bank), references.bank,
             _("Ventanilla o app, convenio {n}").format(n=agreement)),
            ("OXXO", references.oxxo, _("En la caja, con el código de barras")),
            (_("Transferencia SPEI"), references.clabe, _("Con su CLABE y concepto")),
        )  # fmt: skip
        return tuple(Row(name, d if with_digits else how) for name, d, how in rows if d)

    def _forget(self) -> None:
        self._debt, self._refusal, self._issuing = None, None, False

    def _render(self) -> PaseView:
        _ = self._desk.words
        debt = self._debt
        owed = debt.liquidacion if debt and not self._refusal else None
        trial = possible_references(self._desk.settings, owed) if owed else None
        where = self._places(trial, with_digits=False) if trial else ()
        message = self._message()
        due = long_date(owed.valid_until, _) if owed else ""
        phase = PasePhase.ISSUING if self._issuing or debt is None else PasePhase.READY
        phase = PasePhase.REFUSED if self._refusal else phase
        title = _("Pase de caja")
        actions = self._actions(phase)
        spoken = [title, message]
        if owed:
            spoken.append(say_amount(owed.total_centavos, _))
            spoken.append(_("Pague a más tardar el {date}").format(date=due))
            spoken += [f"{r.label}: {r.value}" for r in where]
        return PaseView(
            screen=Screen.PASE_DE_CAJA,
            title=title,
            speech=". ".join(s.rstrip(".") for s in spoken if s) + ".",
            focus=tuple(a.focus() for a in actions),
            step=3,
            steps=4,
            busy=self._issuing,
            phase=phase,
            amount=format_mxn(owed.total_centavos) if owed else "",
            due=_("Pague a más tardar el {date}").format(date=due) if due else "",
            where=where,
            message=message,
            notices=self._notices() if owed else (),
            actions=actions,
        )

    def _notices(self) -> tuple[Notice, ...]:
        _ = self._desk.words
        debt = self._debt
        assert debt is not None
        notices = [Notice(_("No es un recibo: pague y guarde su ticket."), Tone.SEA, "info")]
        if debt.stale:
            text = _("Si ya pagó en otro lugar, no pague otra vez.")
            notices.append(Notice(text, Tone.SUN, "triangle-alert"))
        if debt.printer_cause:
            trouble = printer_trouble(debt.printer_cause, _)
            instead = _("Verá sus referencias en la pantalla.")
            text = f"{trouble} {instead}"
            notices.append(Notice(text, Tone.SUN, "printer"))
        return tuple(notices)

    def _message(self) -> str:
        _ = self._desk.words
        match self._refusal:
            case None:
                return "" if self._debt else _("Un momento…")
            case PaseRefusal.EXPIRED:
                return _("El importe ya venció. Vuelva cuando haya conexión o vaya a Tesorería.")
            case PaseRefusal.TIME_UNSURE:
                return _("El kiosco no está seguro de la fecha y no puede dar una referencia.")
            case PaseRefusal.BAD_SIGNATURE:
                return _("No tenemos un importe confiable de este predio.")
            case PaseRefusal.NOTHING_DUE:
                return _("Este predio no tiene nada que pagar con un pase de caja.")
            case PaseRefusal.NO_PLACE:
                return _("Este importe solo se puede pagar en Tesorería.")

    def _actions(self, phase: PasePhase) -> tuple[Action, ...]:
        _ = self._desk.words
        if phase is PasePhase.REFUSED:
            return (Action("pase.done", _("Terminar"), icon="log-out", primary=True),)
        ready = phase is PasePhase.READY
        label = _("Imprimir el pase")
        return (
            Action("pase.print", label, icon="printer", enabled=ready, primary=True),
            Action("pase.no", _("Regresar"), icon="arrow-left", enabled=ready),
        )
