"""What became of a folio: typed by its owner, looked up here and at the city."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Notice, Presenter, Role, Tone
from kiosk.presenters.live_printer import LivePrinter
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.receipts import can_print_receipt, receipt_task
from kiosk.presenters.views import FolioPhase, FolioView, Row
from kiosk.presenters.wording import (
    FOLIO_ROWS,
    TextEntry,
    keyboard,
    printer_trouble,
)
from kiosk.speech import spell
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintDesk
from municipio.folio_words import example_folio, folio_flaw, folio_kind, folio_state, iso_date
from municipio.identifiers import FolioProblem, FolioTrouble
from municipio.payments import Payment, PaymentState
from municipio.usecases.folios import FolioAnswer, FolioFound, FolioNotFound, look_up
from municipio.usecases.ports import City, Ledger

FOLIO_LIMIT = 30


class FolioPresenter(Presenter[FolioView]):
    def __init__(
        self, desk: Desk, ledger: Ledger, city: City, printing: PrintDesk, papers: PaperWriter
    ) -> None:
        self._printer = LivePrinter(desk, printing)
        self._printer_cause = ""
        self._ledger = ledger
        self._city = city
        self._papers = papers
        self._paid: Payment | None = None
        self._typed = TextEntry(FOLIO_LIMIT, upper=True)
        self._phase = FolioPhase.ENTRY
        self._trouble: FolioTrouble | None = None
        self._answer: FolioFound | FolioNotFound | None = None
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._start_again()

    def tick(self, now_s: float) -> None:
        if self._paid is not None:
            self._printer.tick(now_s, self._current(self._printer_told))

    def _printer_told(self, cause: str) -> None:
        self._printer_cause = cause
        self.refresh()

    def type(self, text: str) -> None:
        """Intent: characters from any keyboard."""
        self._typed.type("".join(c for c in text if c.isascii() and (c.isalnum() or c == "-")))
        self._trouble = None
        self.refresh()

    def look(self) -> None:
        """Intent: ask for what was typed."""
        if self._phase is FolioPhase.LOOKING or not self._typed.text:
            return
        self._phase = FolioPhase.LOOKING
        self.refresh()
        text = self._typed.text

        def search() -> tuple[FolioAnswer, Payment | None]:
            answer = look_up(self._ledger, self._city, text)
            # A receipt of this kiosk may be another person's where the folio is of two matters.
            if not isinstance(answer, FolioFound) or answer.is_doubled:
                return answer, None
            return answer, self._ledger.payment_by_folio(answer.folio)

        self._desk.background.run(search, self._current(self._answered))

    def print_receipt(self) -> None:
        """Intent: the receipt again (COPIA), or the original that never came out."""
        payment = self._paid
        if payment is not None and not printer_trouble(self._printer_cause, self._desk.words):
            self._desk.background.run(
                lambda: receipt_task(self._desk.words, self._papers, payment),
                self._current(self._go_print),
            )

    def _go_print(self, task: PrintTask) -> None:
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _start_again(self) -> None:
        self._forget()
        self.refresh()

    def _press(self, id: str) -> None:
        presses = {
            "folio.look": self.look,
            "folio.copy": self.print_receipt,
            "folio.again": self._start_again,
            "folio.done": self._desk.navigator.end_session,
        }
        if id in presses:
            presses[id]()
        elif self._phase is FolioPhase.ENTRY and self._typed.press(id):
            self._trouble = None
            self.refresh()

    def _answered(self, found: tuple[FolioAnswer, Payment | None]) -> None:
        answer, payment = found
        offered = can_print_receipt(payment, self._desk.clock.now())
        self._paid = payment if offered else None
        match answer:
            case FolioProblem(trouble):
                self._phase, self._trouble = FolioPhase.ENTRY, trouble
            case FolioFound():
                self._phase, self._answer = FolioPhase.FOUND, answer
            case FolioNotFound():
                self._phase, self._answer = FolioPhase.NOT_FOUND, answer
        self.refresh()

    def _forget(self) -> None:
        self._typed.clear()
        self._paid = None
        self._phase, self._trouble, self._answer = FolioPhase.ENTRY, None, None

    def _render(self) -> FolioView:
        _ = self._desk.words
        entry = self._phase is FolioPhase.ENTRY
        keys = keyboard(_, FOLIO_ROWS) if entry else ()
        example = example_folio(self._desk.settings.node_code)
        hint = _("Está en su papel, por ejemplo {folio}").format(folio=example)
        headline, rows, notice = self._result()
        problem = self._problem()
        actions = self._actions()
        title = _("Mi folio")
        typed = spell(self._typed.text) if self._typed.text else hint
        spoken = [title, problem or (typed if entry else headline)]
        spoken += [f"{r.label}: {r.value}" for r in rows] + ([notice.text] if notice else [])
        return FolioView(
            screen=Screen.FOLIO,
            title=title,
            lead="" if rows else _("Escríbalo como está en su papel."),
            speech=". ".join(s.rstrip(".") for s in spoken if s) + ".",
            focus=(
                *(FocusItem(k.id, k.label, k.speech, Role.KEY) for row in keys for k in row),
                *(FocusItem(f"folio.row.{i}", r.label, f"{r.label}: {r.value}", Role.ITEM)
                  for i, r in enumerate(rows)),
                *(a.focus() for a in actions),
            ),
            phase=self._phase,
            text=self._typed.text,
            hint=hint,
            problem=problem,
            keyboard=keys,
            headline=headline,
            rows=rows,
            notice=notice,
            actions=actions,
        )  # fmt: skip

    def _problem(self) -> str:
        return folio_flaw(self._trouble, self._desk.words)

    def _result(self) -> tuple[str, tuple[Row, ...], Notice | None]:
        _ = self._desk.words
        answer = self._answer
        if answer is None:
            looking = self._phase is FolioPhase.LOOKING
            return (_("Buscando su folio…") if looking else "", (), None)
        unsure = _("La ciudad no respondió. Esto es lo último que sabe este kiosco.")
        if isinstance(answer, FolioNotFound):
            text = _("No encontramos ese folio.")
            if answer.no_answer:
                text = _("Ahora no hay conexión con la ciudad y este kiosco no tiene ese folio.")
            return text, (Row(_("Folio"), answer.folio),), None
        rows = [
            Row(_("Folio"), answer.folio),
            Row(_("Asunto"), folio_kind(answer.kind, _)),
            Row(_("Estado"), folio_state(answer.state, _), strong=True),
        ]
        if answer.city and answer.city.city_folio:
            rows.append(Row(_("Número de la ciudad"), answer.city.city_folio))
        when = answer.city.updated_on if answer.city else ""
        opened = answer.stub.opened_on if answer.stub and not answer.is_doubled else ""
        if when or opened:
            rows.append(Row(_("Fecha"), iso_date(when or opened, _)))
        notice = Notice(unsure, Tone.SUN, "wifi-off") if answer.no_answer else None
        trouble = printer_trouble(self._printer_cause, _) if self._paid else ""
        if trouble and notice is None:
            notice = Notice(trouble, Tone.SUN, "printer")
        return _("Esto sabemos de su folio"), tuple(rows), notice

    def _actions(self) -> tuple[Action, ...]:
        _ = self._desk.words
        if self._phase in {FolioPhase.ENTRY, FolioPhase.LOOKING}:
            ready = self._phase is FolioPhase.ENTRY and bool(self._typed.text)
            label = _("Consultar")
            return (Action("folio.look", label, icon="search", enabled=ready, primary=True),)
        again = Action("folio.again", _("Consultar otro"), icon="search")
        if self._paid is None:
            return (Action("folio.done", _("Terminar"), icon="log-out", primary=True), again)
        owed = self._paid.state is PaymentState.TAKEN
        label = _("Imprimir mi recibo") if owed else _("Imprimir una copia")
        prints = not printer_trouble(self._printer_cause, _)
        return (
            Action("folio.copy", label, icon="receipt-text", enabled=prints, primary=True),
            Action("folio.done", _("Terminar"), icon="log-out"),
            again,
        )
