"""The technician's place: PIN, the state of everything, tests, the cash cut, and out.

The PIN lives in a bytearray until it is handed over; a view holds only dots, and nothing speaks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Notice, Presenter, Tone
from kiosk.presenters.tecnico_render import Shown, draw, phase_of
from kiosk.presenters.tecnico_words import status_text
from kiosk.presenters.views_tecnico import TYPING, TecnicoPhase, TecnicoView
from kiosk.presenters.wording import today
from kiosk.usecases.cash_box import CashCut, HopperFilled, PaymentOpen
from kiosk.usecases.technician_desk import HalfCut, NotAllowed, Round, TechnicianDesk
from kiosk.usecases.technician_login import TechnicianLogin
from kiosk.usecases.technician_progress import EnterPin, LoggedIn, LoggedOut, Progress
from municipio.devices import DeviceState, DeviceStatus, Pin, PrintResult, PrintVerdict
from municipio.money import format_mxn
from municipio.technicians import SessionEnd
from municipio.usecases.ports import NotRecorded

LOOK_EVERY_S = 1.0
PIN_MAX = 8
FIGURES_MAX = 8
_STAYS = frozenset({SessionEnd.IDLE, SessionEnd.OVERALL})
"""Ends by time are explained; after the others nobody is there to read."""


class TecnicoPresenter(Presenter[TecnicoView]):
    """Entered by `DoorKeeper` when a card goes in; left by its removal, by logging out or by time."""

    def __init__(self, desk: Desk, login: TechnicianLogin, work: TechnicianDesk) -> None:
        self._login = login
        self._work = work
        self._pin = bytearray()
        self._shown = Shown()
        self._was_in = False
        self._looking = False
        self._looked_s = float("-inf")
        super().__init__(desk)

    # --- time

    def enter(self, **params: object) -> None:
        self._drop()
        self._see(self._login.progress())
        self.refresh()

    def leave(self) -> None:
        super().leave()
        self._drop()

    def tick(self, now_s: float) -> None:
        progress = self._login.progress()
        if isinstance(progress, LoggedOut) and self._was_in and progress.why not in _STAYS:
            self._desk.navigator.end_session()
            return
        self._see(progress)
        if isinstance(progress, LoggedIn) and now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            self._look()
        self.refresh()

    def _see(self, progress: Progress) -> None:
        """A login's state of before this card is not ours."""
        if isinstance(progress, LoggedOut) and not self._was_in:
            return
        if isinstance(progress, LoggedIn):
            self._was_in = True
        else:
            self._shown = replace(self._shown, round=None, cut=None, counted=0, figures="")
        if not isinstance(progress, EnterPin):
            self._clear_pin()
        may_cut = isinstance(progress, LoggedIn) and self._work.may_cut()
        self._shown = replace(self._shown, progress=progress, may_cut=may_cut)

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            self._desk.background.run(self._work.look, self._current(self._looked))

    def _looked(self, seen: Round | NotAllowed) -> None:
        self._looking = False
        if isinstance(seen, Round):
            self._shown = replace(self._shown, round=seen)
        self.refresh()

    # --- presses

    def _press(self, id: str) -> None:
        self._login.touch()
        name = id.removeprefix("tecnico.")
        if name.startswith("key."):
            self._key(name.removeprefix("key."))
        presses: dict[str, Callable[[], None]] = {
            "agree": self._agree,
            "enter": self._enter,
            "cancel": self._cancel,
            "done": self._desk.navigator.end_session,
            "logout": self._desk.navigator.end_session,
            "print": self._print,
            "paper": self._paper,
            "cut": lambda: self._begin(TecnicoPhase.CUT_COUNT),
            "sign": self._sign,
            "confirm": self._confirm,
            "fill": lambda: self._begin(TecnicoPhase.HOPPER_FILL),
        }
        presses.get(name, lambda: None)()
        self.refresh()

    def _key(self, key: str) -> None:
        phase = phase_of(self._shown)
        if phase is TecnicoPhase.PIN:
            self._type_pin(key)
        elif phase in TYPING:
            figures = self._shown.figures
            if key == "erase":
                figures = figures[:-1]
            elif key == "clear":
                figures = ""
            elif key.isdigit() and len(figures) < FIGURES_MAX:
                figures = (figures + key).lstrip("0")
            self._shown = replace(self._shown, figures=figures)

    def _type_pin(self, key: str) -> None:
        if key == "clear":
            self._clear_pin()
        elif key == "erase" and self._pin:
            self._pin[-1] = 0
            del self._pin[-1]
        elif len(key) == 1 and key.isdigit() and len(self._pin) < PIN_MAX:
            self._pin += key.encode("ascii")
        self._shown = replace(self._shown, pin_length=len(self._pin))

    def _enter(self) -> None:
        phase = phase_of(self._shown)
        if phase is TecnicoPhase.PIN:
            pin = Pin(self._pin.decode("ascii"))
            self._clear_pin()
            self._login.enter_pin(pin, spend_last_try=self._shown.agreed)
            self._shown = replace(self._shown, agreed=False)
            self._see(self._login.progress())
        elif phase is TecnicoPhase.CUT_COUNT:
            last = TecnicoPhase.CUT_HOPPER if self._work.has_hopper else TecnicoPhase.CUT_REVIEW
            counted = int(self._shown.figures or "0")
            self._shown = replace(self._shown, counted=counted, figures="", cut=last)
        elif phase is TecnicoPhase.CUT_HOPPER:
            self._shown = replace(self._shown, cut=TecnicoPhase.CUT_REVIEW)
        elif phase is TecnicoPhase.HOPPER_FILL and self._shown.figures:
            coins = int(self._shown.figures)
            self._shown = replace(self._shown, cut=None, figures="")
            self._do(lambda: self._work.fill_hopper(coins), self._hopper_filled)

    def _agree(self) -> None:
        self._shown = replace(self._shown, agreed=True)

    def _cancel(self) -> None:
        """Out of a cut back to the page; before the page, out altogether."""
        if self._shown.cut is not None:
            self._shown = replace(self._shown, cut=None, figures="", counted=0)
        else:
            self._desk.navigator.end_session()

    def _print(self) -> None:
        self._do(self._work.print_test, self._printed)

    def _printed(self, ended: PrintResult | NotAllowed | NotRecorded) -> None:
        _ = self._desk.words
        if isinstance(ended, PrintResult):
            said = {
                PrintVerdict.PRINTED: Notice(_("La tira de prueba salió."), Tone.LEAF, "check"),
                PrintVerdict.FAILED: Notice(_("La tira de prueba no salió."), Tone.CLAY, "x"),
            }
            unsure = Notice(_("No se sabe si la tira salió: mírela."), Tone.SUN, "circle-help")
            self._say(said.get(ended.verdict, unsure))
        else:
            self._say_not_done(ended)

    def _paper(self) -> None:
        self._do(self._work.paper_loaded, self._paper_noted)

    def _paper_noted(self, ended: DeviceStatus | NotAllowed | NotRecorded) -> None:
        _ = self._desk.words
        if isinstance(ended, DeviceStatus):
            text = _("Anotado: papel puesto. La impresora dice: {state}")
            well = ended.state is DeviceState.READY and not ended.cause
            state = status_text("printer", ended, _)
            tone, icon = (Tone.LEAF, "check") if well else (Tone.SUN, "triangle-alert")
            self._say(Notice(text.format(state=state), tone, icon))
        else:
            self._say_not_done(ended)

    def _begin(self, first: TecnicoPhase) -> None:
        if self._work.may_cut():
            self._shown = replace(self._shown, cut=first, counted=0, figures="", said=None)

    def _hopper_filled(self, ended: HopperFilled | PaymentOpen | NotAllowed | NotRecorded) -> None:
        _ = self._desk.words
        match ended:
            case HopperFilled(coins):
                text = _("Anotado. Monedas en la tolva: {n}.").format(n=coins)
                self._say(Notice(text, Tone.LEAF, "check"))
            case PaymentOpen():
                text = _("Hay un pago en efectivo sin terminar. No se anotó la tolva.")
                self._say(Notice(text, Tone.CLAY, "octagon-alert"))
            case _:
                self._say_not_done(ended)

    def _sign(self) -> None:
        shown = self._shown
        if shown.cut is not TecnicoPhase.CUT_REVIEW:
            return
        hopper = int(shown.figures or "0")
        self._shown = replace(shown, cut=None)
        self._do(lambda: self._work.sign_cut(shown.counted, hopper), self._cut_ended)

    def _confirm(self) -> None:
        self._do(self._work.confirm_cut, self._cut_ended)

    def _cut_ended(self, ended: CashCut | HalfCut | PaymentOpen | NotAllowed | NotRecorded) -> None:
        _ = self._desk.words
        match ended:
            case CashCut():
                text = _("Corte guardado con folio {folio}. Diferencia: {amount}")
                difference = format_mxn(ended.difference_centavos)
                done = text.format(folio=ended.folio, amount=difference)
                self._say(Notice(done, Tone.LEAF, "check"))
            case HalfCut():
                text = _("Falta la segunda firma. Saque su tarjeta; la otra persona mete la suya.")
                self._say(Notice(text, Tone.SUN, "users"))
            case PaymentOpen():
                text = _("Hay un pago en efectivo sin terminar. No se hizo el corte.")
                self._say(Notice(text, Tone.CLAY, "octagon-alert"))
            case _:
                self._say_not_done(ended)

    def _do(self, act: Callable[[], object], done: Callable[..., None]) -> None:
        """Act in the background; one act at a time, and the page is looked at anew after it."""
        if self._shown.acting:
            return
        self._shown = replace(self._shown, acting=True, said=None)

        def ended(value: object) -> None:
            self._shown = replace(self._shown, acting=False)
            done(value)
            self._look()
            self.refresh()

        self._desk.background.run(act, self._current(ended))

    def _say(self, notice: Notice) -> None:
        self._shown = replace(self._shown, said=notice)

    def _say_not_done(self, why: NotAllowed | NotRecorded) -> None:
        _ = self._desk.words
        text = _("No se hizo: su sesión ya no lo permite.")
        if isinstance(why, NotRecorded):
            text = _("El kiosco no pudo guardar el acto. Revise la memoria.")
        self._say(Notice(text, Tone.CLAY, "octagon-alert"))

    # --- forgetting

    def _clear_pin(self) -> None:
        self._pin[:] = bytes(len(self._pin))
        self._pin.clear()
        self._shown = replace(self._shown, pin_length=0)

    def _drop(self) -> None:
        """Log out and keep nothing; what was open only to be looked at is closed."""
        self._clear_pin()
        self._shown = Shown()
        self._looking, self._looked_s = False, float("-inf")
        if self._was_in:
            self._was_in = False
            self._login.log_out()
            self._desk.background.run(self._work.rest, lambda _: None)

    def _forget(self) -> None:
        self._drop()

    # --- looks

    def _bar(self) -> tuple[Action, ...]:
        """Only the voice or the language: the way out is among the screen's own buttons."""
        return super()._bar()[-1:]

    def _render(self) -> TecnicoView:
        _ = self._desk.words
        day = today(self._desk.clock, self._desk.settings)
        view = draw(self._shown, self._work, day, _, _.code)
        assert view.screen is Screen.TECNICO
        return view
