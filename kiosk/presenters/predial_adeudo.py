"""What the property owes, by year and concept, and the ways to pay that work right now."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.adeudo_text import message_of, notices_of, rows_of, ways_of
from kiosk.presenters.base import Action, Desk, FocusItem, Presenter, Role
from kiosk.presenters.live_printer import LivePrinter, with_printer
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import AdeudoView, DebtState, Row
from kiosk.speech import say_amount, spell
from kiosk.usecases import debt as debts
from kiosk.usecases.debt import Debt, DebtDesk
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.folio_words import long_date
from municipio.identifiers import format_clave
from municipio.money import format_mxn
from municipio.receipts import PaperKind
from municipio.usecases.ports import NoAnswer

SHOWS_ROWS = frozenset({DebtState.DUE, DebtState.TIME_UNSURE})
FICHA_STATES = frozenset({DebtState.TIME_UNSURE, DebtState.EXPIRED})


class PredialAdeudoPresenter(Presenter[AdeudoView]):
    """Enter with `clave`. Shows what this node knows at once, then what the city says, if it answers."""

    def __init__(self, desk: Desk, debt_desk: DebtDesk, papers: PaperWriter) -> None:
        self._debts = debt_desk
        self._printer = LivePrinter(desk, debt_desk.printing)
        self._papers = papers
        self._clave = ""
        self._debt: Debt | None = None
        self._refreshing = False
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._clave = str(params.get("clave", ""))
        self._debt, self._refreshing = None, False
        self.refresh()
        clave = self._clave
        self._desk.background.run(
            lambda: (self._debts.load(clave), self._debts.link_is_up()),
            self._current(self._loaded),
        )

    def tick(self, now_s: float) -> None:
        self._printer.tick(now_s, self._current(self._printer_told))

    def pay_by_card(self) -> None:
        """Intent: a card, here. The next screen asks the city again and asks for a second press."""
        if self._enabled("pay.card"):
            self._desk.navigator.go(Screen.PAGO_TARJETA, clave=self._clave)

    def pay_in_cash(self) -> None:
        """Intent: notes and coins, here. The next screen asks the city again, if it can."""
        if self._enabled("pay.cash"):
            self._desk.navigator.go(Screen.PAGO_EFECTIVO, clave=self._clave)

    def pase_de_caja(self) -> None:
        """Intent: a slip to pay elsewhere."""
        if self._enabled("pay.pase"):
            self._desk.navigator.go(Screen.PASE_DE_CAJA, clave=self._clave)

    def print_ficha(self) -> None:
        """Intent: the last known debt on paper, without a reference."""
        debt = self._debt
        if debt is None or debt.liquidacion is None:
            return
        _ = self._desk.words
        owed = debt.liquidacion
        make = self._papers.ficha(owed, owed.issued_on)
        task = PrintTask(
            PrintRequest(PaperKind.FICHA, "", make),
            headline=_("Ficha de consulta"),
            details=(Row(_("Adeudo conocido"), format_mxn(owed.total_centavos)),),
        )
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _enabled(self, id: str) -> bool:
        return any(w.id == id and w.enabled for w in self.view.ways)

    def _press(self, id: str) -> None:
        presses = {
            "pay.card": self.pay_by_card,
            "pay.cash": self.pay_in_cash,
            "pay.pase": self.pase_de_caja,
            "pay.ficha": self.print_ficha,
            "adeudo.other": lambda: self._desk.navigator.go(Screen.PREDIAL_CLAVE),
            "adeudo.done": self._desk.navigator.end_session,
        }
        if id in presses:
            presses[id]()

    def _loaded(self, found: tuple[Debt, bool]) -> None:
        self._debt, online = found
        asks = {debts.DebtState.NOT_FOUND, debts.DebtState.IN_VERIFICATION}
        if online and self._debt.state not in asks:
            self._refreshing = True
            clave = self._clave
            self._desk.background.run(
                lambda: self._debts.refresh(clave), self._current(self._heard_city)
            )
        self.refresh()

    def _heard_city(self, answer: Debt | NoAnswer) -> None:
        self._refreshing = False
        known = isinstance(answer, Debt) and answer.state is not debts.DebtState.NOT_FOUND
        # An answer that no key of the city signed is no answer: what we have stays.
        if known and isinstance(answer, Debt) and answer.state is not debts.DebtState.BAD_SIGNATURE:
            self._debt = answer
        self.refresh()

    def _printer_told(self, cause: str) -> None:
        self._debt = with_printer(self._debt, cause)
        self.refresh()

    def _forget(self) -> None:
        self._clave, self._debt, self._refreshing = "", None, False

    def _render(self) -> AdeudoView:
        _ = self._desk.words
        debt = self._debt
        state = DebtState(debt.state.value) if debt else DebtState.LOADING
        owed = debt.liquidacion if debt else None
        shows = state in SHOWS_ROWS and owed is not None
        rows = rows_of(owed, _) if owed is not None and shows else ()
        headline, message = message_of(debt, self._desk.settings, _)
        ways = ways_of(debt, _) if debt else ()
        notices = notices_of(debt, _) if debt else ()
        actions = self._actions(state)
        title = _("Esto debe su predio") if shows else headline
        total_label = validity = total = ""
        if owed is not None and shows:
            total_label = _("Total al {date}").format(date=long_date(owed.issued_on, _))
            if state is DebtState.DUE:
                text = _("Válido hasta el {date}")
                validity = text.format(date=long_date(owed.valid_until, _))
            total = format_mxn(owed.total_centavos)
        account = debt.account if debt else None
        clave = format_clave(self._clave, self._desk.settings.text("city.clave_mask"))
        spoken = [title, *(n.text for n in notices)]
        if owed is not None and shows:
            spoken += [r.speech for r in rows]
            spoken += [f"{total_label}: {say_amount(owed.total_centavos, _)}", validity]
        else:
            spoken += [message, spell(debt.paid_folio) if debt and debt.paid_folio else ""]
        return AdeudoView(
            screen=Screen.PREDIAL_ADEUDO,
            title=title,
            speech=". ".join(s.rstrip(".") for s in spoken if s) + ".",
            focus=(
                *(FocusItem(f"adeudo.row.{r.year}", r.year, r.speech, Role.ITEM) for r in rows),
                *(w.focus() for w in ways),
                *(a.focus() for a in actions),
            ),
            step=2,
            steps=4,
            state=state,
            clave=clave if account else "",
            owner=f"{account.owner_masked} · {account.street}, {account.colonia}"
            if account
            else "",
            rows=rows,
            total_label=total_label,
            total=total,
            validity=validity,
            ways_heading=_("¿Cómo quiere pagar?") if state is DebtState.DUE else "",
            ways=ways,
            notices=notices,
            headline="" if shows else headline,
            message="" if shows else message,
            folio=debt.paid_folio if debt and not shows else "",
            actions=actions,
            refreshing=self._refreshing,
        )

    def _actions(self, state: DebtState) -> tuple[Action, ...]:
        _ = self._desk.words
        if state in {DebtState.LOADING, DebtState.DUE}:
            return ()
        ficha = Action("pay.ficha", _("Imprimir ficha de consulta"), icon="printer", primary=True)
        other = Action("adeudo.other", _("Consultar otro predio"), icon="search")
        done = Action("adeudo.done", _("Terminar"), icon="log-out")
        return (*((ficha,) if state in FICHA_STATES else ()), other, done)
